//! Coming to the Weir outside: who this is, and what it reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use store::remote::{Away, protocol};
use store::{Handle, StoreError};
use sync::{Clock, SystemClock};

use crate::{Aligned, Outside};

/// What an extractor is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its EXTRACTOR_ID.
    pub name: String,
    /// Normalised address of its GitLab.
    pub base_url: String,
    /// Names of the connectors that it runs.
    pub connectors: Vec<String>,
}

/// An extractor that was let in.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The database outside.
    pub store: Handle,
    /// The time outside.
    pub clock: Aligned,
    /// What this process is called there.
    pub owner: String,
    /// Numbers of its connections.
    pub connections: Vec<i64>,
    /// Version of the Weir outside.
    pub version: String,
}

#[derive(Deserialize)]
struct Answer {
    owner: String,
    version: String,
    now: DateTime<Utc>,
    connections: Vec<i64>,
}

/// Connects. A Weir that is away is waited for; one that refuses says why.
pub async fn connect(outside: &Outside, wanted: &Wanted) -> Result<Connected, StoreError> {
    let asked = SystemClock.now();
    let body = greeting(outside, wanted, false);
    let Answer { owner, version, now, connections } = read(&outside.send("extractors.connect", body).await?)?;
    let clock = Aligned::default();
    clock.set(now, asked, SystemClock.now());
    let away = Away::new(Arc::new(outside.clone()), &owner);
    Ok(Connected { store: Handle::Away(away), clock, owner, connections, version })
}

/// Asks once whether the Weir outside would let this extractor in; nothing changes there. Gives its version.
pub async fn check(outside: &Outside, wanted: &Wanted) -> Result<String, StoreError> {
    let body = greeting(outside, wanted, true);
    Ok(read(&outside.once("extractors.connect", body).await?)?.version)
}

fn greeting(outside: &Outside, wanted: &Wanted, check: bool) -> Vec<u8> {
    let greeting = json!({
        "extractor": wanted.name,
        "session": outside.session(),
        "protocol": protocol(),
        "version": env!("CARGO_PKG_VERSION"),
        "base_url": wanted.base_url,
        "connectors": wanted.connectors,
        "check": check,
    });
    greeting.to_string().into_bytes()
}

fn read(answer: &[u8]) -> Result<Answer, StoreError> {
    serde_json::from_slice(answer).map_err(|it| StoreError::Unreadable(it.to_string()))
}
