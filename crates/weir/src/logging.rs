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
    let colours = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && crate::terminal::is_watched();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .init();
}
