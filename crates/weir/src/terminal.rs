//! What reaches the terminal: people read standard error, programs standard output.

use std::io::{ErrorKind, IsTerminal, Write};

/// Writes a line for people.
pub fn say(text: &str) {
    // Nobody left to read it is no reason to fail.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what went wrong.
pub fn error(message: &str) {
    say(&format!("{} {message}", paint("error:", Colour::Red)));
}

/// Says what should be known although the command goes on.
pub fn warning(message: &str) {
    say(&format!("{} {message}", paint("warning:", Colour::Yellow)));
}

/// Writes a result. A reader that has seen enough, as `head`, ends it quietly; a full disk does not.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            self::error(&format!("The result could not be written: {error}."));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Writes a result as JSON on one line.
pub fn print_json(value: &impl serde::Serialize) {
    print(&serde_json::to_string(value).expect("results are plain data"));
}

/// Whether people see standard error as it is written.
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|it| it != "dumb")
}

/// Colours that mean something.
#[derive(Clone, Copy)]
pub enum Colour {
    Red,
    Yellow,
    Green,
}

/// A word in colour for standard error, where colours are wanted.
pub fn paint(word: &str, colour: Colour) -> String {
    dye(word, colour, is_watched())
}

/// The same for standard output.
pub fn paint_result(word: &str, colour: Colour) -> String {
    dye(word, colour, std::io::stdout().is_terminal())
}

fn dye(word: &str, colour: Colour, watched: bool) -> String {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
    if unwanted || !watched {
        return word.to_owned();
    }
    let number = match colour {
        Colour::Red => 31,
        Colour::Yellow => 33,
        Colour::Green => 32,
    };
    format!("\x1b[1;{number}m{word}\x1b[0m")
}
