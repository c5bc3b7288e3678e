//! The line between inside and outside: it takes its time, and counts what crosses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What may be on its way at once, in pieces.
const ON_THE_WAY: usize = 4096;

/// The line.
#[derive(Clone, Default)]
pub struct Line {
    out: Arc<AtomicU64>,
    back: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

impl Line {
    /// A line from one address to another. It lasts as long as this process.
    pub async fn between(here: &str, there: &'static str, delay: Duration) -> anyhow::Result<Line> {
        let listener = TcpListener::bind(here).await?;
        let line = Line::default();
        let counted = line.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(there).await else { continue };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                counted.connections.fetch_add(1, Relaxed);
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, delay, counted.out.clone()));
                tokio::spawn(carry(far_in, near_out, delay, counted.back.clone()));
            }
        });
        Ok(line)
    }

    /// Bytes that went out, and that came back.
    pub fn bytes(&self) -> (u64, u64) {
        (self.out.load(Relaxed), self.back.load(Relaxed))
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }
}

/// Carries one direction: each piece arrives so much later, and they do not wait for each other.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration, count: Arc<AtomicU64>) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    tokio::spawn(async move {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            count.fetch_add(length as u64, Relaxed);
            if sender.send((Instant::now() + delay, piece[..length].to_vec())).await.is_err() {
                return;
            }
        }
    });
    while let Some((due, piece)) = receiver.recv().await {
        tokio::time::sleep_until(due).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}
