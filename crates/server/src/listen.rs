//! Listening, until asked to stop.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sync::Stop;
use tokio::net::TcpListener;

/// How long requests in hand may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A place that is listened at, with nothing served yet: addresses in use are known before anything else starts.
#[derive(Debug)]
pub struct Listening(TcpListener);

impl Listening {
    /// Binds the address.
    pub async fn bind(address: SocketAddr) -> io::Result<Listening> {
        TcpListener::bind(address).await.map(Listening)
    }

    /// Where it listens: the port too, where any free one was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Serves until asked to stop; then requests in hand are answered, within reason.
pub async fn serve(listening: Listening, router: Router, stop: Stop) -> io::Result<()> {
    let waiting = stop.clone();
    let serving =
        axum::serve(listening.0, router).with_graceful_shutdown(async move { waiting.wait().await });
    tokio::select! {
        ended = async { serving.await } => ended,
        () = async { stop.wait().await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}
