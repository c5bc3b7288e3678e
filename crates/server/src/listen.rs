//! Listening, until asked to stop.

mod doorway;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sync::Stop;
use tokio::net::TcpListener;

use crate::tls::Tls;
use doorway::Doorway;

pub(crate) use doorway::Peer;

/// How long requests in hand may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

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
    let waiting = stop.clone();
    let doorway = Doorway::new(listening.listener, listening.tls);
    let serving = axum::serve(doorway, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(async move { waiting.wait().await });
    tokio::select! {
        ended = async { serving.await } => ended,
        () = async { stop.wait().await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}
