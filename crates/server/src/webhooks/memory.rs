//! Payloads that are in memory at once: more wait for their turn. What has not yet proved where it comes from has a place
//! of its own, and takes of it only what has come: whoever sends nothing takes nothing from the others.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{LARGEST, Rejection};
use crate::dawdling::TooSlow;

/// Room for payloads that came with the secret token, in KiB.
const PROVEN: usize = 48 * 1024;
/// Room for payloads whose signature is checked once they are there.
const UNPROVEN: usize = 32 * 1024;
/// How long is waited for room: GitLab waits ten seconds for the answer.
const WAIT: Duration = Duration::from_secs(8);

pub(super) struct Memory {
    proven: Semaphore,
    unproven: Semaphore,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { proven: Semaphore::new(PROVEN), unproven: Semaphore::new(UNPROVEN) }
    }
}

impl Memory {
    /// Reads a payload. `told`: as large as it says it is.
    pub(super) async fn read(
        &self,
        body: Body,
        told: Option<usize>,
        proven: bool,
    ) -> Result<(Vec<u8>, SemaphorePermit<'_>), Rejection> {
        if told.is_some_and(|it| it > LARGEST) {
            return Err(Rejection::TooLarge);
        }
        let room = if proven { &self.proven } else { &self.unproven };
        let at_once = if proven { kib(told.unwrap_or(LARGEST)) } else { 1 };
        let mut held = take(room, at_once).await?;
        let (mut bytes, mut taken) = (Vec::new(), at_once);
        let mut stream = body.into_data_stream();
        while let Some(next) = stream.next().await {
            let next = next.map_err(|it| unread(&it))?;
            let size = bytes.len() + next.len();
            if size > LARGEST {
                return Err(Rejection::TooLarge);
            }
            if kib(size) > taken {
                held.merge(take(room, kib(size) - taken).await?);
                taken = kib(size);
            }
            bytes.extend_from_slice(&next);
        }
        Ok((bytes, held))
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX)
}

async fn take(room: &Semaphore, kib: u32) -> Result<SemaphorePermit<'_>, Rejection> {
    match timeout(WAIT, room.acquire_many(kib)).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Rejection::Later),
    }
}

fn unread(error: &axum::Error) -> Rejection {
    match TooSlow::is_behind(error) {
        true => Rejection::TooSlow,
        false => Rejection::Malformed("it ended too early".to_owned()),
    }
}
