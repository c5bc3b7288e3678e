//! Bodies have to come: one that trickles is given up.

use std::fmt;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

/// How long a small body may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The slowest a larger one may come, in bytes a second.
const SLOWEST: u64 = 64 * 1024;

/// A body came too slowly.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    /// Whether this is why a body could not be read.
    pub(crate) fn is_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        error.is::<TooSlow>() || error.source().is_some_and(TooSlow::is_behind)
    }
}

/// Gives bodies a time within which they have to come.
pub(crate) async fn bodies_in_time(request: Request, next: Next) -> Response {
    next.run(request.map(|body| within(body, PATIENCE))).await
}

/// The same body, which fails where it takes longer than that and what its size is good for.
pub(crate) fn within(body: Body, patience: Duration) -> Body {
    match body.is_end_stream() {
        true => body,
        false => Body::from_stream(timely(body, patience)),
    }
}

fn timely(body: Body, patience: Duration) -> impl Stream<Item = Result<Bytes, BoxError>> {
    let start = (body.into_data_stream(), Instant::now() + patience);
    futures::stream::try_unfold(start, |(mut rest, until)| async move {
        match timeout_at(until, rest.next()).await {
            Err(_) => Err(TooSlow.into()),
            Ok(None) => Ok(None),
            Ok(Some(Err(error))) => Err(error.into()),
            Ok(Some(Ok(bytes))) => {
                let earned = Duration::from_secs_f64(bytes.len() as f64 / SLOWEST as f64);
                Ok(Some((bytes, (rest, until + earned))))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// A body of which a piece comes every second.
    fn trickle(piece: usize, pieces: usize) -> Body {
        let piece = Bytes::from(vec![b'x'; piece]);
        let stream = futures::stream::iter(0..pieces).then(move |_| {
            let piece = piece.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, TooSlow>(piece)
            }
        });
        Body::from_stream(stream)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_and_a_large_one_has_its_time() {
        let slow = to_bytes(within(trickle(10, 100), PATIENCE), usize::MAX).await.unwrap_err();
        assert!(TooSlow::is_behind(&slow));
        let steady = to_bytes(within(trickle(SLOWEST as usize, 100), PATIENCE), usize::MAX).await.unwrap();
        assert_eq!(steady.len(), 100 * SLOWEST as usize);
        assert!(to_bytes(within(trickle(10, 20), PATIENCE), usize::MAX).await.is_ok());
    }
}
