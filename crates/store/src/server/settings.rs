//! What the server is told: `postgresql.conf`, `pg_hba.conf` and the remembered TCP address.

use std::fs;
use std::net::SocketAddr;

use super::error::ServerError;
use super::home::Home;
use super::options::Listen;

/// The socket's name holds a port even without TCP. The folder is ours, so it meets nobody else's.
const PORT_WITHOUT_TCP: u16 = 5432;

const FIXED: &str = "\
# Written by Weir at each start. Put your own settings into custom.conf beside this file; they win over those
# before its line below.
data_directory = 'data'
hba_file = 'pg_hba.conf'
ident_file = 'data/pg_ident.conf'

max_connections = 100
shared_buffers = 128MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
jit = off

# A committed page survives the loss of power.
fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = on
max_wal_size = 2GB
min_wal_size = 160MB

# Files instead of /dev/shm, which is small in containers and emptied by systemd when a user logs out.
dynamic_shared_memory_type = mmap

password_encryption = scram-sha-256
unix_socket_permissions = 0700
timezone = 'UTC'

# One file for each day of the week, so a week is kept.
logging_collector = on
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
";

/// Everybody shows a password; roles and databases are limited by grants.
const HBA: &str = "\
# Written by Weir at each start.
local  all  all       scram-sha-256
host   all  all  all  scram-sha-256
";

const CUSTOM: &str =
    "# Your own settings for Weir's PostgreSQL, such as shared_buffers = 1GB. Read at its next start.\n";

/// The port that is part of the socket's name, and of TCP when that is on.
pub(super) fn port(listen: Listen) -> u16 {
    match listen {
        Listen::Off => PORT_WITHOUT_TCP,
        Listen::At(address) => address.port(),
    }
}

/// The choice made by the last successful `--listen`.
pub(super) fn remembered(home: &Home) -> Listen {
    let text = fs::read_to_string(home.listen()).unwrap_or_default();
    text.trim().parse::<SocketAddr>().map_or(Listen::Off, Listen::At)
}

pub(super) fn remember(home: &Home, listen: Listen) -> Result<(), ServerError> {
    let text = match listen {
        Listen::Off => "off".to_owned(),
        Listen::At(address) => address.to_string(),
    };
    home.write(&home.listen(), 0o600, &text)
}

/// Writes both files. They hold no secret, and PostgreSQL's account has to read them.
pub(super) fn write(home: &Home, listen: Listen) -> Result<(), ServerError> {
    let addresses = match listen {
        Listen::Off => String::new(),
        Listen::At(address) => address.ip().to_string(),
    };
    let settings = format!(
        "{FIXED}log_directory = {log}\n\ninclude 'custom.conf'\n\n\
         # How Weir finds the server.\nunix_socket_directories = {socket}\nlisten_addresses = '{addresses}'\n\
         port = {port}\n",
        log = quoted(&home.log().to_string_lossy()),
        // A list of quoted names within a quoted value: a path may hold a comma.
        socket = quoted(&format!("\"{}\"", home.socket_dir().to_string_lossy().replace('"', "\"\""))),
        port = port(listen),
    );
    let custom = home.root.join("custom.conf");
    if !custom.exists() {
        home.write(&custom, 0o644, CUSTOM)?;
    }
    home.write(&home.root.join("pg_hba.conf"), 0o644, HBA)?;
    home.write(&home.root.join("postgresql.conf"), 0o644, &settings)
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}
