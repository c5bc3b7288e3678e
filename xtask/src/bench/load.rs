//! Many requests at once, or so many a second: how many were answered, and how quickly.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::http::Connection;

/// What is sent to whom.
pub struct Load<'l> {
    pub address: &'l str,
    /// Connections that are used at the same time, each for one request after the other.
    pub connections: usize,
    pub requests: usize,
    /// Requests a second; as many as are answered where none is told.
    pub rate: Option<f64>,
}

/// What came of it.
pub struct Answered {
    pub seconds: f64,
    /// From when each was to be sent to its answer, the shortest first.
    latencies: Vec<f64>,
}

impl Load<'_> {
    /// Sends everything; fails where an answer is not 200.
    pub fn run(&self, request: impl Fn(usize) -> Vec<u8> + Sync) -> anyhow::Result<Answered> {
        let (next, began) = (AtomicUsize::new(0), Instant::now());
        let lanes: Vec<anyhow::Result<Vec<f64>>> = thread::scope(|scope| {
            let lane = || scope.spawn(|| self.lane(&next, began, &request));
            let lanes: Vec<_> = (0..self.connections).map(|_| lane()).collect();
            let ended = lanes.into_iter().map(|it| it.join());
            ended.map(|it| it.unwrap_or_else(|_| anyhow::bail!("a lane failed"))).collect()
        });
        let seconds = began.elapsed().as_secs_f64();
        let mut latencies = lanes.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
        latencies.sort_by(f64::total_cmp);
        Ok(Answered { seconds, latencies })
    }

    fn lane(
        &self,
        next: &AtomicUsize,
        began: Instant,
        request: &(impl Fn(usize) -> Vec<u8> + Sync),
    ) -> anyhow::Result<Vec<f64>> {
        let mut connection = Connection::open(self.address)?;
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= self.requests {
                return Ok(latencies);
            }
            // Measured from when it was due: a server that stalls delays those behind it too.
            let due = match self.rate {
                Some(rate) => began + Duration::from_secs_f64(number as f64 / rate),
                None => Instant::now(),
            };
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let (status, body) = connection.send(&request(number))?;
            ensure!(
                status == 200,
                "request {number} was answered with {status}: {}",
                String::from_utf8_lossy(&body)
            );
            latencies.push(due.elapsed().as_secs_f64());
        }
    }
}

impl Answered {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    /// Milliseconds within which this part of all was answered.
    pub fn milliseconds(&self, part: f64) -> anyhow::Result<f64> {
        let at = ((self.latencies.len() as f64 * part) as usize).min(self.latencies.len().saturating_sub(1));
        Ok(self.latencies.get(at).context("nothing was answered")? * 1000.0)
    }
}
