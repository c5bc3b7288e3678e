//! The keys that tokens in the database are sealed with: where they come from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use store::vault::{Key, Keyring};
use tokio::process::Command;

use crate::configuration::{Encryption, Source};
use crate::problem::{Problem, sentence};
use crate::terminal;

/// The key of Weir's own database, beside it.
const OWN: &str = "encryption.key";

const NONE: &str = "There is no key to seal the tokens in the database with. Make one with `openssl rand -base64 32`, keep it where your other \
                    secrets are, and give it in WEIR_ENCRYPTION_KEY, in a file named by WEIR_ENCRYPTION_KEY_FILE, or by a program named by \
                    WEIR_ENCRYPTION_KEY_COMMAND. Without it the tokens cannot be read again.";

/// Finds the keys. Weir's own database gets one of its own, in its data directory.
pub async fn find(encryption: &Encryption, data_dir: Option<&Path>) -> Result<Keyring, Problem> {
    let current = match (found(&encryption.current).await?, data_dir) {
        (Some(text), _) => text,
        (None, Some(data_dir)) => own(&data_dir.join(OWN))?,
        (None, None) => return Err(Problem::usage(NONE)),
    };
    let previous = found(&encryption.previous).await?;
    let older = previous.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(Keyring::new(parse(&current)?, older))
}

fn parse(text: &SecretString) -> Result<Key, Problem> {
    Key::parse(text).map_err(|it| Problem::usage(sentence(&it.to_string())))
}

async fn found(source: &Source) -> Result<Option<SecretString>, Problem> {
    if let Some(value) = &source.value {
        return Ok(Some(value.clone()));
    }
    if let Some(path) = &source.file {
        let text = std::fs::read_to_string(path).map_err(|it| unreadable(path, &it))?;
        return Ok(Some(text.into()));
    }
    match &source.command {
        Some(command) => output(command).await.map(Some),
        None => Ok(None),
    }
}

/// What the program prints goes to us alone, its complaints to the terminal.
async fn output(command: &str) -> Result<SecretString, Problem> {
    let failed = |why: String| {
        Problem::failed("key_command", format!("The program that prints the encryption key {why}."))
    };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stderr(std::process::Stdio::inherit());
    let output = shell.output().await.map_err(|it| failed(format!("could not be started: {it}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed ({}); run it by hand to see why", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("printed something that is no text".to_owned()))?;
    Ok(text.into())
}

/// The key of Weir's own database: made when it is wanted first, for its owner's eyes only.
fn own(path: &Path) -> Result<SecretString, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(path, &error)),
    }
    let (_, text) = Key::generate();
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = options.and_then(|mut file| {
        file.write_all(text.expose_secret().as_bytes())?;
        file.sync_all()
    });
    match written {
        // Another process was faster: its key counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => own(path),
        Err(error) => Err(unreadable(path, &error)),
        Ok(()) => {
            terminal::say(&format!(
                "A key to seal tokens with was made: {}. Keep a copy of it elsewhere: without it the tokens cannot be read again.",
                path.display()
            ));
            Ok(text)
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::failed("key_file", format!("The encryption key {} cannot be used: {error}.", path.display()))
}
