//! Who is let in: as many connections as there is room for, none that dawdles, and idle ones give way to new ones.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

/// How long the head of a request may take, and how long a connection may stay without one.
const HEAD: Duration = Duration::from_secs(30);
/// The largest head.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(60);
/// How long shaking hands may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two looks at whether a client that speaks HTTP/2 is still there, and how long it may take to say so.
const THERE: Duration = Duration::from_secs(30);
/// Requests under way at once over one connection of HTTP/2.
const STREAMS: u32 = 100;
/// How long is waited for a connection to give way.
const WAY: Duration = Duration::from_millis(20);

/// Limits of connections that are not those in use outside of tests.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// How long the head of a request may take.
    pub head: Duration,
}

impl Limits {
    /// What a server with so much room for connections uses.
    pub fn usual(connections: usize) -> Limits {
        Limits { connections, head: HEAD }
    }
}

/// Lets connections in and keeps the time.
#[derive(Clone)]
pub(crate) struct Doorkeeper {
    limits: Limits,
    room: Arc<Semaphore>,
    guests: Arc<Mutex<Vec<Arc<Guest>>>>,
}

/// A connection that was let in.
struct Guest {
    /// Requests of it that are being answered.
    answering: AtomicUsize,
    idle_since: Mutex<Instant>,
    leave: Notify,
}

/// The place of a connection, free again when this is dropped.
pub(crate) struct Place {
    guest: Arc<Guest>,
    guests: Arc<Mutex<Vec<Arc<Guest>>>>,
    _room: OwnedSemaphorePermit,
}

/// How HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A connection that came, with what it is to be answered by.
pub(crate) struct Arrival {
    pub(crate) place: Place,
    pub(crate) router: Router,
    pub(crate) peer: SocketAddr,
    /// Tells when the server stops.
    pub(crate) ends: watch::Receiver<bool>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.guests).retain(|it| !Arc::ptr_eq(it, &self.guest));
    }
}

impl Doorkeeper {
    pub(crate) fn new(limits: Limits) -> Doorkeeper {
        let room = Arc::new(Semaphore::new(limits.connections));
        Doorkeeper { limits, room, guests: Arc::default() }
    }

    /// A place for one more connection. Where all are taken, the one that has been idle longest gives way.
    pub(crate) async fn admit(&self) -> Option<Place> {
        loop {
            let asked = self.room.clone().acquire_owned();
            let room = match self.room.clone().try_acquire_owned() {
                Ok(room) => room,
                Err(_) => {
                    self.make_way();
                    match tokio::time::timeout(WAY, asked).await {
                        Ok(room) => room.ok()?,
                        Err(_) => continue,
                    }
                }
            };
            let guest = Arc::new(Guest {
                answering: AtomicUsize::new(0),
                idle_since: Mutex::new(Instant::now()),
                leave: Notify::new(),
            });
            lock(&self.guests).push(guest.clone());
            return Some(Place { guest, guests: self.guests.clone(), _room: room });
        }
    }

    fn make_way(&self) {
        let guests = lock(&self.guests);
        let idle = guests.iter().filter(|it| it.answering.load(Relaxed) == 0);
        if let Some(longest) = idle.min_by_key(|it| *lock(&it.idle_since)) {
            longest.leave.notify_one();
        }
    }

    /// Shakes hands, within reason. None where nothing came of it, or somebody else needs the place.
    pub(crate) async fn greet<S>(
        &self,
        arrival: &Arrival,
        handshake: impl Future<Output = io::Result<S>>,
    ) -> Option<S> {
        let peer = arrival.peer;
        tokio::select! {
            shaken = tokio::time::timeout(HANDSHAKE, handshake) => match shaken {
                Ok(Ok(stream)) => Some(stream),
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "no handshake");
                    None
                }
                Err(_) => None,
            },
            () = arrival.place.guest.leave.notified() => None,
        }
    }

    /// Answers what comes over a connection, until it ends, dawdles, has to give way, or the server stops.
    pub(crate) async fn attend<S>(&self, arrival: Arrival, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let Arrival { place, router, peer, ends } = arrival;
        let guest = place.guest.clone();
        let service =
            service_fn(|request: Request<Incoming>| answer(router.clone(), guest.clone(), peer, request));
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(STALLED));
        let stream = TokioIo::new(stream);
        match protocol {
            Protocol::Http1 => {
                let mut builder = http1::Builder::new();
                builder
                    .timer(TokioTimer::new())
                    .header_read_timeout(self.limits.head)
                    .max_buf_size(LARGEST_HEAD);
                let connection = builder.serve_connection(stream, service);
                until_its_end(&place, ends, pin!(connection), |it| it.graceful_shutdown()).await;
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).keep_alive_interval(THERE).keep_alive_timeout(THERE);
                builder.max_concurrent_streams(STREAMS).max_header_list_size(LARGEST_HEAD as u32);
                let connection = builder.serve_connection(stream, service);
                until_its_end(&place, ends, pin!(connection), |it| it.graceful_shutdown()).await;
            }
        }
    }
}

/// Waits until a connection ends, has to give way, or has finished what was under way when the server stopped.
async fn until_its_end<C: Future>(
    place: &Place,
    mut stop: watch::Receiver<bool>,
    mut connection: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
) {
    let mut stopping = false;
    loop {
        tokio::select! {
            // How a connection ends is its own affair.
            _ = connection.as_mut() => return,
            () = place.guest.leave.notified() => {
                if place.guest.answering.load(Relaxed) == 0 {
                    return;
                }
            }
            _ = stop.wait_for(|it| *it), if !stopping => {
                stopping = true;
                finish(connection.as_mut());
            }
        }
    }
}

/// One request. The connection does not count as idle meanwhile.
fn answer(
    router: Router,
    guest: Arc<Guest>,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> {
    struct Answering(Arc<Guest>);
    impl Drop for Answering {
        fn drop(&mut self) {
            *lock(&self.0.idle_since) = Instant::now();
            self.0.answering.fetch_sub(1, Relaxed);
        }
    }
    guest.answering.fetch_add(1, Relaxed);
    let answering = Answering(guest);
    request.extensions_mut().insert(ConnectInfo(peer));
    async move {
        let _answering = answering;
        router.oneshot(request.map(axum::body::Body::new)).await
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
