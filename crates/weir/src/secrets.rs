//! Keeps tokens off the command line, where every user of the machine could read them.

use std::ffi::OsString;

use crate::problem::Problem;

/// What GitLab's tokens begin with.
const PREFIXES: &[&str] = &[
    "glpat-", "gloas-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glwt-", "glsoat-",
    "glffct-", "GR1348941",
];

/// Options that other programs have for a token.
const OPTIONS: &[&str] = &["--token", "--private-token", "--access-token", "--gitlab-token", "--job-token"];

/// Headers that carry tokens.
const HEADERS: &[&str] = &["private-token", "authorization", "job-token"];

const SENTENCE: &str = "A token does not belong on the command line, where every user of this machine can read it. \
                        Put it into GITLAB_TOKEN, into a file named by --token-file, or let --token-command fetch it.";

/// Refuses arguments that hold a token, without repeating them.
pub fn refuse(arguments: impl Iterator<Item = OsString>) -> Result<(), Problem> {
    let arguments: Vec<String> = arguments.map(|it| it.to_string_lossy().into_owned()).collect();
    if arguments.iter().any(|it| holds_a_token(it)) {
        return Err(Problem::usage(SENTENCE));
    }
    Ok(())
}

fn holds_a_token(argument: &str) -> bool {
    let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
    let value = if name.starts_with("--") { value } else { argument };
    OPTIONS.contains(&name) || is_token(value) || is_token_header(value)
}

/// The whole of the text, so that a query or a command that mentions one is left alone.
fn is_token(text: &str) -> bool {
    let text = text.trim();
    let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    text.chars().all(is_letter) && PREFIXES.iter().any(|it| text.len() > it.len() + 4 && text.starts_with(it))
}

fn is_token_header(text: &str) -> bool {
    let name = text.split_once(':').map(|(name, _)| name.trim().to_ascii_lowercase());
    name.is_some_and(|it| HEADERS.contains(&it.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> bool {
        refuse(words.iter().map(OsString::from)).is_err()
    }

    #[test]
    fn a_token_is_refused_wherever_it_stands() {
        assert!(refused(&["sync", "glpat-abcdefghij0123456789"]));
        assert!(refused(&["sync", "--url=glpat-abcdefghij0123456789"]));
        assert!(refused(&["sync", "--token", "abc"]));
        assert!(refused(&["sync", "--token=abc"]));
        assert!(refused(&["sync", "--header", "PRIVATE-TOKEN: abc"]));
        assert!(refused(&["sync", "--header=Authorization: Bearer abc"]));
    }

    #[test]
    fn other_words_are_left_alone() {
        assert!(!refused(&["sync", "--token-file", "glpat-.txt", "--token-command", "pass show gitlab"]));
        assert!(!refused(&["sql", "select 'glpat-abcdefghij0123456789'"]));
        assert!(!refused(&["sync", "--header", "X-Team: platform"]));
    }
}
