//! The program, as a shell script meets it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_first_line_tells_the_address_and_the_second_the_token() {
    let mut running = Running(program().args(["--scale", "tiny"]).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    assert!(lines.next().unwrap().unwrap().contains("glpat-fake-token"));
}

#[test]
fn a_port_in_use_is_told_in_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = program().args(["--scale", "tiny", "--port", &port.to_string()]).output().unwrap();
    let expected =
        format!("fake-gitlab: port {port} cannot be listened on, perhaps because another program has it.\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert!(!output.status.success());
}

#[test]
fn recordings_that_are_not_there_are_an_error() {
    let output = program().args(["--replay", "no-such-directory"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("fake-gitlab: "));
}
