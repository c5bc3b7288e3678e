//! A server that answers, and the addresses it answers at.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::error::ServerError;
use super::home::Home;
use super::options::Listen;
use super::{DATABASE, OWNER_ROLE, READER_ROLE, binaries, probe, reader, settings};

/// A running server, in use for as long as this value lives: it does not stop for want of users.
#[derive(Debug)]
pub struct Running {
    home: Home,
    listen: Listen,
    started: bool,
    password: Password,
    reader_password: Password,
    _lease: File,
}

impl Running {
    pub(super) fn new(home: Home, listen: Listen, started: bool, lease: File) -> Result<Self, ServerError> {
        let password = Password(probe::password(&home)?);
        let reader_password = Password(reader::password(&home)?);
        Ok(Self { home, listen, started, password, reader_password, _lease: lease })
    }

    /// The database, for the account that asked: through the socket, which only that account and root can open.
    pub fn url(&self) -> String {
        self.socket_url(OWNER_ROLE, &self.password)
    }

    /// The same for the role that can only read.
    pub fn reader_url(&self) -> String {
        self.socket_url(READER_ROLE, &self.reader_password)
    }

    /// The database over TCP, for programs of other accounts and machines; None while the server does not listen.
    pub fn tcp_url(&self) -> Option<String> {
        self.address().map(|it| tcp_url(OWNER_ROLE, &self.password, it))
    }

    /// The same for the role that can only read.
    pub fn tcp_reader_url(&self) -> Option<String> {
        self.address().map(|it| tcp_url(READER_ROLE, &self.reader_password, it))
    }

    /// Whether this call started the server, rather than finding it running.
    pub fn started(&self) -> bool {
        self.started
    }

    /// The data directory as an absolute path.
    pub fn data_dir(&self) -> &Path {
        &self.home.data_dir
    }

    /// Where a client program such as `psql` or `pg_dump` is, preferably of the server's own version.
    pub async fn program(&self, name: &str) -> Option<PathBuf> {
        binaries::client_program(&self.home, name).await
    }

    fn address(&self) -> Option<SocketAddr> {
        match self.listen {
            Listen::Off => None,
            Listen::At(address) => Some(SocketAddr::new(reachable(address.ip()), address.port())),
        }
    }

    /// The host is given twice. Whoever knows sockets takes the last; a URL without the first is refused by many
    /// parsers, Rust's among them. The port is named as PGPORT would count otherwise.
    fn socket_url(&self, role: &str, password: &Password) -> String {
        let port = settings::port(self.listen);
        let socket = percent_encoded(&self.home.socket_dir());
        format!(
            "postgresql://{role}:{password}@localhost:{port}/{DATABASE}?host={socket}",
            password = password.0
        )
    }
}

fn tcp_url(role: &str, password: &Password, address: SocketAddr) -> String {
    format!("postgresql://{role}:{password}@{address}/{DATABASE}", password = password.0)
}

/// "All addresses" is nothing one can connect to; this machine's own is one of them.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(it) if it.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(it) if it.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        it => it,
    }
}

/// Not by the rules of forms: libpq takes a plus sign for a plus sign.
fn percent_encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let encoded = bytes.map(|&byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// A password that does not show in logs.
struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_so_that_every_parser_reads_it_alike() {
        assert_eq!(percent_encoded(Path::new("/a b/c+d/é")), "%2Fa%20b%2Fc%2Bd%2F%C3%A9");
    }
}
