//! Two network namespaces, each with a line to this process and none to the other.

use std::process::Command;

use anyhow::ensure;

use crate::command::{program, succeeds};

/// The network that may only call out.
pub const INSIDE: &str = "weir-inside";
/// The world.
pub const OUTSIDE: &str = "weir-outside";
/// Where the line begins, as the inside sees it.
pub const LINE_INSIDE: &str = "10.77.1.1:9347";
/// Where the Weir outside listens.
pub const WEIR_OUTSIDE: &str = "10.77.2.2:9347";

/// Whether this process may make namespaces.
pub fn is_possible() -> bool {
    nix::unistd::Uid::effective().is_root() && succeeds(program("ip", &["netns", "list"]))
}

/// Both namespaces; they end when this is dropped.
pub struct Namespaces;

impl Namespaces {
    pub fn new() -> anyhow::Result<Namespaces> {
        clean();
        let made = Namespaces;
        for (namespace, device, ours, theirs) in [
            (INSIDE, "weir-in", "10.77.1.1/24", "10.77.1.2/24"),
            (OUTSIDE, "weir-out", "10.77.2.1/24", "10.77.2.2/24"),
        ] {
            ip(&format!("netns add {namespace}"))?;
            ip(&format!("link add {device} type veth peer name eth0 netns {namespace}"))?;
            ip(&format!("addr add {ours} dev {device}"))?;
            ip(&format!("link set {device} up"))?;
            ip(&format!("-n {namespace} addr add {theirs} dev eth0"))?;
            ip(&format!("-n {namespace} link set eth0 up"))?;
            ip(&format!("-n {namespace} link set lo up"))?;
        }
        Ok(made)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        clean();
    }
}

/// What a run before this one may have left.
fn clean() {
    for namespace in [INSIDE, OUTSIDE] {
        succeeds(program("ip", &["netns", "delete", namespace]));
    }
    for device in ["weir-in", "weir-out"] {
        succeeds(program("ip", &["link", "delete", device]));
    }
}

fn ip(line: &str) -> anyhow::Result<()> {
    let output = Command::new("ip").args(line.split(' ')).output()?;
    ensure!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
