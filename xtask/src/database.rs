//! A PostgreSQL for the length of one chore.

use std::path::{Path, PathBuf};

use anyhow::Context;
use store::server::{Options, Running, Server};

/// Nothing here outlives the chore, so nothing needs to survive a loss of power; and many tests connect at once.
const SETTINGS: &str =
    "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 400\n";

/// Starts a server in a temporary folder, works with its address, and stops it whatever happened.
pub async fn with_database<T>(work: impl AsyncFnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let data_dir = std::env::temp_dir().join(format!("weir-xtask-{}", std::process::id()));
    let done = match start(&data_dir).await {
        Ok(running) => work(&running.url()).await,
        Err(error) => Err(error),
    };
    let stopped = stop(data_dir).await;
    let value = done?;
    stopped?;
    Ok(value)
}

async fn start(data_dir: &Path) -> anyhow::Result<Running> {
    let options = Options::new(data_dir);
    // Settings are read at a start, and their file is there after the first.
    drop(Server::open(&options).await?);
    Server::stop(data_dir).await?;
    let home = std::fs::read_to_string(data_dir.join("postgresql-location"));
    let home = home.map_or_else(|_| data_dir.join("postgresql"), |it| PathBuf::from(it.trim_end()));
    std::fs::write(home.join("custom.conf"), SETTINGS)?;
    Ok(Server::open(&options).await?)
}

async fn stop(data_dir: PathBuf) -> anyhow::Result<()> {
    Server::stop(&data_dir).await?;
    let elsewhere = std::fs::read_to_string(data_dir.join("postgresql-location")).ok();
    for folder in elsewhere.map(|it| PathBuf::from(it.trim_end())).into_iter().chain([data_dir]) {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(())
}
