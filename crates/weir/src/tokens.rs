//! Where tokens come from: the environment, a file, another program, or a prompt. Never the command line.

use std::io::IsTerminal;
use std::path::Path;

use gitlab_client::{Credential, TokenKind};
use tokio::process::Command;

use crate::connection::ConnectionArguments;
use crate::problem::Problem;
use crate::settings::{Found, variable};

/// Where tokens are looked for, first found first used.
const VARIABLES: [&str; 3] = ["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_PAT"];

/// The variable that GitLab sets in a running job.
const JOB: &str = "CI_JOB_TOKEN";

const NONE: &str = "There is no token. Make one in GitLab (Preferences, Access tokens) with the scope read_api, and put it into \
                    GITLAB_TOKEN, into a file named by --token-file, or let --token-command fetch it.";

/// Tokens with the place they were found in.
#[derive(Debug)]
pub struct Tokens {
    pub credentials: Vec<Credential>,
    pub source: &'static str,
}

impl Tokens {
    /// Whether they are those of a running CI job, which read one project and little of it.
    pub fn are_job_tokens(&self) -> bool {
        self.credentials.iter().all(|it| it.kind == TokenKind::Job)
    }
}

/// Finds the tokens.
pub async fn find(arguments: &ConnectionArguments) -> Result<Tokens, Problem> {
    let found = search(arguments).await?;
    let kind = match found.source {
        JOB => TokenKind::Job,
        _ if arguments.bearer => TokenKind::Bearer,
        _ => TokenKind::Private,
    };
    from_text(&found, kind)
}

/// The tokens in a text: one per line, or separated by commas.
pub fn from_text(found: &Found<String>, kind: TokenKind) -> Result<Tokens, Problem> {
    let source = found.source;
    let mut tokens: Vec<&str> = Vec::new();
    for token in found.value.split(['\n', ',']).map(str::trim) {
        if !token.is_empty() && !token.starts_with('#') && !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        return Err(Problem::no_token(format!(
            "There is no token in {source}. Put one there, made with the scope read_api."
        )));
    }
    let several = tokens.len() > 1;
    let credential = |(at, token): (usize, &str)| {
        let number = at + 1;
        let mut credential = Credential::new(number.to_string(), kind, token);
        credential.label = if several { format!("{source} (number {number})") } else { source.to_owned() };
        credential
    };
    Ok(Tokens { credentials: tokens.into_iter().enumerate().map(credential).collect(), source })
}

/// Whether a token is given, so that nobody has to be asked for one. That of a CI job does not count: it handles no webhooks.
pub fn are_given(arguments: &ConnectionArguments) -> bool {
    let named = arguments.token_file.is_some() || arguments.token_command.is_some();
    named || VARIABLES.into_iter().any(|it| variable(it).is_some())
}

async fn search(arguments: &ConnectionArguments) -> Result<Found<String>, Problem> {
    if let Some(path) = &arguments.token_file {
        return file(path);
    }
    if let Some(command) = &arguments.token_command {
        return output(command).await;
    }
    let variables = VARIABLES.into_iter().chain([JOB]);
    match variables.into_iter().find_map(variable) {
        Some(found) => Ok(found),
        None if std::io::stdin().is_terminal() => prompt().await,
        None => Err(Problem::no_token(NONE)),
    }
}

fn file(path: &Path) -> Result<Found<String>, Problem> {
    let value = std::fs::read_to_string(path).map_err(|it| {
        let shown = path.display();
        Problem::usage(format!("The token file {shown} cannot be read: {it}. Check --token-file."))
    })?;
    Ok(Found { value, source: "--token-file" })
}

/// The words of the program itself go to standard error, its tokens to us alone.
async fn output(command: &str) -> Result<Found<String>, Problem> {
    let failed = |why: String| {
        Problem::failed("token_command", format!("The program given by --token-command {why}."))
    };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stderr(std::process::Stdio::inherit()).stdin(std::process::Stdio::inherit());
    let output = shell.output().await.map_err(|it| failed(format!("could not be started: {it}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed ({}); run it by hand to see why", output.status)));
    }
    let value =
        String::from_utf8(output.stdout).map_err(|_| failed("gave something that is not text".to_owned()))?;
    Ok(Found { value, source: "--token-command" })
}

async fn prompt() -> Result<Found<String>, Problem> {
    let asking = tokio::task::spawn_blocking(|| rpassword::prompt_password("GitLab token (not shown): "));
    let value = asking.await.ok().and_then(Result::ok).ok_or_else(|| Problem::no_token(NONE))?;
    Ok(Found { value, source: "the prompt" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        let found = Found { value: text.to_owned(), source: "GITLAB_TOKEN" };
        from_text(&found, TokenKind::Private).unwrap().credentials.into_iter().map(|it| it.label).collect()
    }

    #[test]
    fn several_tokens_are_told_apart_by_their_place() {
        assert_eq!(labels("one"), ["GITLAB_TOKEN"]);
        assert_eq!(labels("one, two,,one"), ["GITLAB_TOKEN (number 1)", "GITLAB_TOKEN (number 2)"]);
        assert_eq!(labels("# mine\none\r\ntwo\n").len(), 2);
    }

    #[test]
    fn nothing_is_no_token() {
        let found = Found { value: " ,\n".to_owned(), source: "--token-file" };
        let failure = from_text(&found, TokenKind::Private).unwrap_err().0;
        assert_eq!((failure.code, failure.reason.as_str()), ("invalid_credentials", "no_token"));
    }
}
