//! Commands that outlive us: without our open files, and out of reach of the terminal's Ctrl-C.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::account::Account;

/// Closes everything but standard input, output and error, then becomes the program. Our own files close by
/// themselves, but not those Weir was started with: in `( flock 9; weir sync ) 9>lock` the lock would last as long
/// as the server. The trial in a subshell is for shells that cannot name descriptors above 9.
const CLOSE_FILES: &str = r#"
for path in /dev/fd/*; do
  number=${path##*/}
  case $number in
    0 | 1 | 2 | *[!0-9]*) ;;
    *) (eval "exec $number>&-") 2>/dev/null && eval "exec $number>&-" ;;
  esac
done
exec "$@"
"#;

/// A command of the account that keeps running when this process ends.
pub(super) fn command(account: Account, program: &Path) -> Command {
    let bash = Path::new("/bin/bash");
    let shell = if bash.exists() { bash } else { Path::new("/bin/sh") };
    let mut command = account.command(shell);
    command.args(["-c", CLOSE_FILES, "weir"]).arg(program);
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}
