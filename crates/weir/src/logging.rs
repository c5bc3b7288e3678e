//! What goes on inside, on standard error, for whoever asks with `-v`.

use tracing_subscriber::EnvFilter;

/// Starts it: nothing by default, more with each `-v`.
pub fn start(verbose: u8) {
    let filter = match verbose {
        0 => return,
        1 => "info",
        2 => "info,weir=debug,sync=debug,store=debug,gitlab_client=debug,sqlx=debug",
        _ => "trace",
    };
    let colours =
        std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && crate::terminal::is_watched();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .init();
}

/// Starts it for a process that nobody watches: always on, as lines for people or for programs.
pub fn start_unattended(verbose: u8, json: bool) {
    let filter = match verbose {
        0 => "info",
        1 => "info,weir=debug,server=debug,sync=debug,store=debug,gitlab_client=debug",
        _ => "debug",
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| EnvFilter::new(filter)))
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // A second call, as in a command that logs already, changes nothing.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}
