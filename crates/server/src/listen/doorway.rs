//! How connections come in: as they are, or over TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::doorkeeper::Speaks;
use crate::tls::Tls;

/// Whoever has not shaken hands by then is sent away.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How connections come in.
pub(super) struct Doorway(Option<TlsAcceptor>);

impl Doorway {
    pub(super) fn new(tls: Option<&Tls>) -> Doorway {
        Doorway(tls.map(Tls::acceptor))
    }

    /// Shakes hands where that is the custom. Each connection does so on its own, so that a silent one holds up nobody.
    pub(super) fn greet(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = Option<(Stream, Speaks)>> + Send + 'static {
        let acceptor = self.0.clone();
        async move {
            let Some(acceptor) = acceptor else { return Some((Stream::Plain(stream), Speaks::Http1)) };
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let speaks = match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => Speaks::Http2,
                        _ => Speaks::Http1,
                    };
                    return Some((Stream::Tls(Box::new(stream)), speaks));
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no handshake"),
                Err(_) => tracing::debug!(%peer, "the handshake took too long"),
            }
            None
        }
    }
}

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(it) => Pin::new(it).poll_read(cx, buffer),
            Stream::Tls(it) => Pin::new(it).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(it) => Pin::new(it).poll_write(cx, bytes),
            Stream::Tls(it) => Pin::new(it).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(it) => Pin::new(it).poll_flush(cx),
            Stream::Tls(it) => Pin::new(it).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(it) => Pin::new(it).poll_shutdown(cx),
            Stream::Tls(it) => Pin::new(it).poll_shutdown(cx),
        }
    }
}
