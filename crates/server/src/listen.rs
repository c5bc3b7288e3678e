//! Listening, until asked to stop.

mod doorway;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sync::Stop;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::doorkeeper::{Doorkeeper, Limits};
use crate::open_files;
use crate::tls::Tls;
use doorway::Doorway;

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// How long requests in hand may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// After a connection could not be taken: the system may be short of something.
const BREATH: Duration = Duration::from_millis(100);

/// A place that is listened at, with nothing served yet: addresses in use are known before anything else starts.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Listening {
    /// Binds the address.
    pub async fn bind(address: SocketAddr) -> io::Result<Listening> {
        Ok(Listening { listener: TcpListener::bind(address).await?, tls: None })
    }

    /// The same place, over TLS.
    pub fn with_tls(self, tls: Option<Tls>) -> Listening {
        Listening { tls, ..self }
    }

    /// Where it listens: the port too, where any free one was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Serves until asked to stop; then requests in hand are answered, within reason.
pub async fn serve(listening: Listening, router: Router, stop: Stop) -> io::Result<()> {
    serve_within(Limits::usual(open_files::connections()), listening, router, stop).await
}

/// The same with other limits of connections.
pub async fn serve_within(
    limits: Limits,
    listening: Listening,
    router: Router,
    stop: Stop,
) -> io::Result<()> {
    let (ending, ends) = watch::channel(false);
    let doorkeeper = Doorkeeper::new(limits);
    let doorway = Doorway::new(listening.tls.as_ref());
    let mut connections = JoinSet::new();
    let taking = async {
        loop {
            let (stream, peer) = accept(&listening.listener).await;
            let Some(place) = doorkeeper.admit().await else { return };
            let (doorkeeper, router, ends) = (doorkeeper.clone(), router.clone(), ends.clone());
            let greeted = doorway.greet(stream, peer);
            connections
                .spawn(async move { doorkeeper.attend(place, greeted, Peer(peer), router, ends).await });
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = taking => {}
        () = stop.wait() => {}
    }
    drop(listening);
    let _ = ending.send(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
    Ok(())
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written whole.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
