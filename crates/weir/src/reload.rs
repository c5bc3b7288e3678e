//! What changes while a process runs: certificates that are renewed, and the address of the database, such as after a change of its
//! password. Files are looked at every few seconds, and at once on SIGHUP.

use std::convert::Infallible;
use std::time::Duration;

use server::Tls;
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

use crate::configuration::{Configuration, ConfigurationArguments};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// What is brought up to date.
pub struct Reloaded {
    /// How the configuration is read.
    pub arguments: ConfigurationArguments,
    /// The certificate in use.
    pub tls: Option<Tls>,
    /// The database, where the configuration names it.
    pub store: Option<Store>,
    /// The same with the rights of a reader.
    pub reader: Option<Store>,
}

/// Brings it up to date for as long as something else goes on.
pub async fn meanwhile<T>(
    reloaded: Reloaded,
    configuration: &Configuration,
    work: impl Future<Output = T>,
) -> T {
    let watching = async {
        watch(reloaded, configuration).await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        ended = work => ended,
        never = watching => match never {},
    }
}

/// Brings it up to date until it is dropped. Returns where this machine has no signals.
async fn watch(reloaded: Reloaded, configuration: &Configuration) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let (mut url, mut reader_url) =
        (configuration.database_url.clone(), configuration.reader_database_url.clone());
    let mut trouble = None;
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        if asked {
            tracing::info!("reading certificates and configuration again");
            trouble = None;
        }
        let mut told = certificate(reloaded.tls.as_ref()).err();
        match reloaded.arguments.read() {
            Ok(new) => {
                told = told.or(moved(reloaded.store.as_ref(), &mut url, new.database_url).err());
                told =
                    told.or(moved(reloaded.reader.as_ref(), &mut reader_url, new.reader_database_url).err());
            }
            Err(problem) => told = told.or(Some(problem.0.message)),
        }
        // Told once, not with every look.
        if let Some(told) = told.as_ref().filter(|it| trouble.as_ref() != Some(*it)) {
            tracing::error!(reason = told, "what changed cannot be used; what was read before stays in use");
        }
        trouble = told;
    }
}

fn certificate(tls: Option<&Tls>) -> Result<(), String> {
    if let Some(tls) = tls
        && tls.reload()?
    {
        tracing::info!("a new certificate is in use");
    }
    Ok(())
}

/// Has new connections made with another password or role. Those that are open are left alone.
fn moved(store: Option<&Store>, known: &mut Option<String>, new: Option<String>) -> Result<(), String> {
    let (Some(store), Some(address)) = (store, new.as_ref()) else { return Ok(()) };
    if known.as_ref().is_some_and(|it| it != address) {
        store.use_address(address).map_err(|it| it.to_string())?;
        tracing::info!("the database's address has changed: new connections are made with it");
        *known = new;
    }
    Ok(())
}
