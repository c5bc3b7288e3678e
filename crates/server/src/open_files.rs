//! How many connections there is room for: each is an open file.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Connections at most.
const MOST: u64 = 16_384;
/// Files that are needed for other things: the database, GitLabs, logs.
const OTHERS: u64 = 256;

/// Asks for as many open files as this process may have. Gives for how many connections that is.
pub(crate) fn connections() -> usize {
    let soft = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) => {
            let wanted = (MOST + OTHERS).min(hard).max(soft);
            match wanted > soft && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
                true => wanted,
                false => soft,
            }
        }
        Err(_) => 1024,
    };
    let room = soft.saturating_sub(OTHERS).clamp(64, MOST);
    if room < MOST {
        tracing::info!(
            connections = room,
            "fewer connections than usual: the limit of open files (ulimit -n, LimitNOFILE) is {soft}"
        );
    }
    usize::try_from(room).unwrap_or(1024)
}
