//! One token, three tokens of three users, and three of one user, under a limit that GitLab counts by user.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::{Place, TOKEN};
use super::super::table::Table;
use super::super::table::Target::{AtLeast, AtMost, None};
use super::EIGHT_OF_GITLAB;

/// Of three users; the first is the one that every fake knows.
const THREE: [&str; 3] = [TOKEN, "glpat-second-user", "glpat-third-user"];
const SAME: [&str; 3] = [TOKEN, "glpat-second-token", "glpat-third-token"];

/// An import by REST, which needs many requests.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation by REST, 120 requests of a user in 2 s";
    let one = pace(programs, &[TOKEN])?;
    let three = pace(programs, &THREE)?;
    let same = pace(programs, &SAME)?;
    table.add(NAME, "requests per second, 1 token", one, None);
    table.add(NAME, "requests per second, 3 tokens of 3 users", three, None);
    table.add(NAME, "requests per second, 3 tokens of 1 user", same, None);
    table.add(NAME, "3 tokens of 3 users, as a multiple of 1 token", three / one, AtLeast(2.5));
    table.add(NAME, "3 tokens of 1 user, as a multiple of 1 token", same / one, AtMost(1.1));
    Ok(())
}

/// Requests per second of the sync.
fn pace(programs: &Programs, tokens: &[&str]) -> anyhow::Result<f64> {
    let limit = ["--rate-limit", "120", "--rate-limit-seconds", "2"];
    let same = SAME[1..].iter().flat_map(|it| ["--token-of-the-same", it]);
    let another = THREE[1..].iter().flat_map(|it| ["--token-of-another", it]);
    let options: Vec<&str> =
        ["--scale", "small", "--ordinary"].into_iter().chain(limit).chain(same).chain(another).collect();
    let fake = Fake::start(&programs.fake, &options)?;
    let options = [EIGHT_OF_GITLAB, &["--rest-only"]].concat();
    let import = Place::new(programs)?.with_tokens(tokens).import(&fake, &options)?;
    Ok(import.requests / import.sync_seconds)
}
