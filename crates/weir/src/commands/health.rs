//! `weir health`: whether a process on this machine answers. Images of containers hold no other program that could ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::configuration::ConfigurationArguments;
use crate::problem::Problem;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  weir health            with the configuration of weir serve or weir worker; ends with 0 if it answers
  weir health --ready    whether its database answers too";

/// Options of `weir health`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    /// Ask whether it can do its work, not only whether it answers
    #[arg(long)]
    ready: bool,
}

/// So long an answer may take.
const WITHIN: Duration = Duration::from_secs(4);

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<ExitCode, Problem> {
    let configuration = arguments.configuration.read()?;
    let path = if arguments.ready { "/readyz" } else { "/healthz" };
    // The figures are served without TLS, and by workers too.
    let (address, tls) = match configuration.metrics_listen {
        Some(address) => (address, false),
        None => (configuration.listen, configuration.tls.is_some()),
    };
    let address = reachable(address);
    let asked = timeout(WITHIN, ask(address, path, tls)).await;
    let answer = asked.map_err(|_| unwell(address, "it does not answer"))?;
    let answer = answer.map_err(|it| unwell(address, &it.to_string()))?;
    match answer {
        None => terminal::print("it listens"),
        Some(answer) if answer.starts_with("HTTP/1.1 200") => terminal::print("ok"),
        Some(answer) => {
            return Err(unwell(address, answer.rsplit("\r\n").next().unwrap_or_default().trim()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is answered; over TLS, which has its own certificate's name, only whether somebody listens.
async fn ask(address: SocketAddr, path: &str, tls: bool) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect(address).await?;
    if tls {
        return Ok(None);
    }
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(16 * 1024).read_to_end(&mut answer).await?;
    Ok(Some(String::from_utf8_lossy(&answer).into_owned()))
}

/// Whoever listens everywhere listens here too.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn unwell(address: SocketAddr, why: &str) -> Problem {
    Problem::failed("unhealthy", format!("Weir at {address}: {why}."))
}
