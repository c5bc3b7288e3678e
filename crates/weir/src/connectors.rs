//! The connectors as named on the command line.

use catalogue::Connector;

use crate::problem::Problem;

/// The connectors of these names; all of this version where none is named.
pub fn named(names: &[String]) -> Result<Vec<Connector>, Problem> {
    let mut connectors = Vec::new();
    for name in names {
        let connector = Connector::named(name).ok_or_else(|| unknown(name))?;
        if !connectors.contains(&connector) {
            connectors.push(connector);
        }
    }
    Ok(if names.is_empty() { Connector::ALL.to_vec() } else { connectors })
}

fn unknown(name: &str) -> Problem {
    let known: Vec<&str> = Connector::ALL.iter().map(|it| it.name()).collect();
    Problem::usage(format!("This version has no connector {name:?}. It has: {}.", known.join(", ")))
}
