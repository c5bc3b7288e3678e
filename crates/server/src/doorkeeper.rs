//! Who is let in: as many connections as there is room for, none that dawdles, and idle ones give way to new ones.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::listen::Peer;

/// How long the head of a request may take, and how long a connection may stay without one.
const HEAD: Duration = Duration::from_secs(30);
/// The largest head.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(60);
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

    /// What a client speaks is known: nothing waits for its first bytes to tell.
    fn builder(&self, speaks: Speaks) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        let mut http1 = builder.http1();
        http1.timer(TokioTimer::new()).header_read_timeout(self.limits.head).max_buf_size(LARGEST_HEAD);
        let mut http2 = builder.http2();
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(self.limits.head)
            .max_header_list_size(LARGEST_HEAD as u32);
        match speaks {
            Speaks::Http1 => builder.http1_only(),
            Speaks::Http2 => builder.http2_only(),
        }
    }

    /// Answers what comes over a connection once it is greeted, until it ends, dawdles, has to give way, or the server stops.
    pub(crate) async fn attend<S>(
        &self,
        place: Place,
        greeted: impl Future<Output = Option<(S, Speaks)>>,
        peer: Peer,
        router: Router,
        mut stop: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let greeted = tokio::select! {
            greeted = greeted => greeted,
            () = place.guest.leave.notified() => None,
            _ = stop.wait_for(|it| *it) => None,
        };
        let Some((stream, speaks)) = greeted else { return };
        let guest = place.guest.clone();
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            answer(router.clone(), guest.clone(), request)
        });
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(STALLED));
        let builder = self.builder(speaks);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
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
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// What was agreed on with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
}

/// One request. The connection does not count as idle meanwhile.
fn answer(
    router: Router,
    guest: Arc<Guest>,
    request: Request<Incoming>,
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
    async move {
        let _answering = answering;
        router.oneshot(request.map(axum::body::Body::new)).await
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
