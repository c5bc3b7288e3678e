//! Where connections come in: as they are, or over TLS. Each shakes hands on its own, so that a silent client holds up nobody.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::Tls;

/// Whoever has not shaken hands by then is sent away.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes under way at once: more than anybody needs, so that those who stay silent do not keep others out.
const HANDSHAKES: usize = 8192;

/// Where connections come in.
pub(super) enum Doorway {
    Plain(TcpListener),
    Tls {
        address: SocketAddr,
        greeted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
        task: JoinHandle<()>,
    },
}

impl Doorway {
    pub(super) fn new(listener: TcpListener, tls: Option<Tls>) -> Doorway {
        let (Some(tls), Ok(address)) = (tls, listener.local_addr()) else { return Doorway::Plain(listener) };
        let (sender, greeted) = mpsc::channel(1);
        let task = tokio::spawn(greet(listener, tls.acceptor(), sender));
        Doorway::Tls { address, greeted, task }
    }
}

impl Drop for Doorway {
    fn drop(&mut self) {
        if let Doorway::Tls { task, .. } = self {
            task.abort();
        }
    }
}

/// Shakes hands with whoever comes, until the doorway is closed.
async fn greet(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let (stream, peer) = Listener::accept(&mut listener).await;
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
            drop(place);
            match shaken {
                // A doorway that was closed meanwhile takes nobody in.
                Ok(Ok(stream)) => drop(sender.send((stream, peer)).await),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no handshake"),
                Err(_) => tracing::debug!(%peer, "the handshake took too long"),
            }
        });
    }
}

impl Listener for Doorway {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self {
            Doorway::Plain(listener) => {
                let (stream, peer) = Listener::accept(listener).await;
                (Stream::Plain(stream), peer)
            }
            Doorway::Tls { greeted, .. } => match greeted.recv().await {
                Some((stream, peer)) => (Stream::Tls(Box::new(stream)), peer),
                // The task ends only with the doorway.
                None => std::future::pending().await,
            },
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Doorway::Plain(listener) => listener.local_addr(),
            Doorway::Tls { address, .. } => Ok(*address),
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<IncomingStream<'_, Doorway>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Peer {
        Peer(*stream.remote_addr())
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
