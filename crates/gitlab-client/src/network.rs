//! What went wrong where no answer came back.

use std::error::Error as StdError;
use std::io;

use crate::body::TooLarge;

/// What went wrong on the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkFailure {
    /// The name has no address.
    Resolve,
    /// The name leads to a link-local or metadata address.
    Metadata,
    /// Nobody listens there.
    ConnectionRefused,
    /// The server's certificate is not trusted.
    Certificate,
    /// TLS failed otherwise: perhaps the server speaks plain http there.
    Tls,
    /// The proxy could not be used.
    Proxy,
    /// No answer in time.
    Timeout,
    /// The connection broke, or could not be made for another reason.
    Connection,
    /// The body ended before its end.
    CutBody,
    /// Everything is answered with 403 by something that is not GitLab: the address is blocked.
    AddressBlocked,
}

impl NetworkFailure {
    /// Whether trying again soon could help.
    pub(crate) fn is_passing(self) -> bool {
        !matches!(self, NetworkFailure::Certificate | NetworkFailure::Metadata)
    }

    /// Whether the sentence alone says too little.
    pub(crate) fn needs_its_cause(self) -> bool {
        use NetworkFailure::{Certificate, Connection, Proxy, Tls};
        matches!(self, Certificate | Tls | Connection | Proxy)
    }

    /// A sentence for the operator.
    pub(crate) fn sentence(self, host: &str) -> String {
        match self {
            NetworkFailure::Resolve => {
                format!(
                    "could not resolve host {host}: check the name, and whether this machine's DNS knows it."
                )
            }
            NetworkFailure::Metadata => {
                format!("{host} leads to a link-local or metadata address, which is never a GitLab server.")
            }
            NetworkFailure::ConnectionRefused => {
                format!(
                    "{host} refused the connection: check the address and the port, and whether GitLab is running."
                )
            }
            NetworkFailure::Certificate => format!(
                "the certificate of {host} is not accepted: use --ca-file with the certificate of the authority that signed it."
            ),
            NetworkFailure::Tls => {
                format!(
                    "{host} does not speak TLS as expected: check the port, and whether it is http:// or https://."
                )
            }
            NetworkFailure::Proxy => format!("the proxy on the way to {host} could not be used."),
            NetworkFailure::Timeout => format!("{host} did not answer in time."),
            NetworkFailure::Connection => format!("the connection to {host} broke."),
            NetworkFailure::CutBody => format!("the answer of {host} was cut short."),
            NetworkFailure::AddressBlocked => format!(
                "{host} answers everything with 403, and not as GitLab does: the address of this machine is probably blocked."
            ),
        }
    }
}

/// Names a failure of the HTTP library.
pub(crate) fn classify(error: &reqwest::Error) -> NetworkFailure {
    if causes(error).any(|cause| cause.is::<MetadataAddress>()) {
        NetworkFailure::Metadata
    } else if error.is_dns() {
        NetworkFailure::Resolve
    } else if let Some(tls) = causes(error).find_map(tls_error) {
        match tls {
            rustls::Error::InvalidCertificate(_) => NetworkFailure::Certificate,
            _ => NetworkFailure::Tls,
        }
    } else if error.is_timeout() {
        NetworkFailure::Timeout
    } else if causes(error).filter_map(as_io).any(|it| it.kind() == io::ErrorKind::ConnectionRefused) {
        NetworkFailure::ConnectionRefused
    } else if error.is_body() || error.is_decode() {
        NetworkFailure::CutBody
    } else if error.is_connect() && causes(error).any(|cause| cause.to_string().contains("tunnel")) {
        NetworkFailure::Proxy
    } else {
        NetworkFailure::Connection
    }
}

/// The innermost cause as text, which says more than the library's own message.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no further reason".to_owned(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn as_io<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e io::Error> {
    cause.downcast_ref()
}

/// The TLS library's errors travel inside of io errors (and these in others), which do not name them as their source.
fn tls_error<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    cause.downcast_ref().or_else(|| tls_error(as_io(cause)?.get_ref()?))
}

/// A name was resolved to an address that is never a GitLab server.
#[derive(Debug, thiserror::Error)]
#[error("a link-local or metadata address")]
pub(crate) struct MetadataAddress;

/// Why no body could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Network(#[from] reqwest::Error),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}
