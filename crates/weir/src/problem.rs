//! Why a command ends without success: a sentence for people, a code for scripts.

use std::process::ExitCode;

use store::StoreError;
use store::server::ServerError;
use sync::Failure;

use crate::terminal;

/// Why a command ends without success.
#[derive(Debug)]
pub struct Problem(pub Failure);

impl Problem {
    /// The command was given something it cannot use.
    pub fn usage(message: impl Into<String>) -> Problem {
        Problem(Failure::new("usage", "usage", message))
    }

    /// Anything else.
    pub fn failed(reason: &str, message: impl Into<String>) -> Problem {
        Problem(Failure::new("failed", reason, message))
    }

    /// There is no token that could be used.
    pub fn no_token(message: impl Into<String>) -> Problem {
        Problem(Failure::new("invalid_credentials", "no_token", message))
    }

    /// Says it on standard error, and gives the exit code.
    pub fn tell(&self) -> ExitCode {
        terminal::error(&self.0.message);
        if let Some(curl) = &self.0.curl {
            terminal::say(&format!("Try it by hand:\n  {curl}"));
        }
        self.exit_code()
    }

    /// The exit code alone.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.0.exit_code())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        let reason = match error {
            StoreError::NewerSchema(_) => "newer_schema",
            StoreError::Address(_) | StoreError::Connect(_) => "database_unreachable",
            _ => "database",
        };
        Problem::failed(reason, error.to_string())
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Problem {
        let advice = match error {
            ServerError::Stopped => {
                let message = sentence(&error.to_string());
                return Problem(Failure::new("stopped", "database_stopped", message));
            }
            ServerError::Io { .. } => " Check the path, or choose another place with --data-dir.",
            _ => "",
        };
        Problem::failed("database_server", sentence(&error.to_string()) + advice)
    }
}

/// A clause as a sentence. Paths at its beginning stay as they are.
pub fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if clause.ends_with(['.', '`']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence() {
        assert_eq!(sentence("no server; start one"), "No server; start one.");
        assert_eq!(sentence("/data is full"), "/data is full.");
    }
}
