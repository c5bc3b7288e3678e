//! Approval rules, where they are asked for: whether this GitLab has them, and which merge requests still lack theirs.
//! Those that are read in the run ask for theirs as they are read (`catalogue`).

use catalogue::approval_rules::APPROVAL_RULES;

use crate::engine::{Engine, Halt};
use crate::fetch::request;
use crate::policy::{Decision, decide};

/// Ids that nothing has.
const NOTHING: [i64; 2] = [0, 0];

/// Whether rules are read in this run. Where that was asked for and cannot be, it is one skip and said at once: the
/// Community Edition would answer 404 for every single merge request.
pub(crate) async fn offered(engine: &Engine) -> Result<bool, Halt> {
    if !engine.options.approval_rules {
        return Ok(false);
    }
    if engine.options.job_token {
        engine.skip(APPROVAL_RULES.name, 0, "job_token", "A job token may not read approval rules.");
        return Ok(false);
    }
    if unknown(engine).await? {
        let detail =
            "This GitLab has no approval rules: the Community Edition lacks them, and so do old versions.";
        engine.skip(APPROVAL_RULES.name, 0, "tier_missing", detail);
        return Ok(false);
    }
    Ok(true)
}

/// Asks for the rules of a merge request that does not exist: a GitLab that has the endpoint misses the project, one
/// that has not misses the endpoint.
async fn unknown(engine: &Engine) -> Result<bool, Halt> {
    let Some(request) = request(&APPROVAL_RULES.readers[0], &NOTHING) else { return Ok(false) };
    match engine.client.get(&request).await {
        Ok(_) => Ok(false),
        Err(error) if error.unknown_endpoint => Ok(true),
        Err(error) => match decide(&error) {
            Decision::Skip(_) | Decision::Later => Ok(false),
            Decision::StopCredentials | Decision::StopLimited => {
                Err(engine.halt(&error, APPROVAL_RULES.name, 0))
            }
        },
    }
}

/// Asks for the rules of merge requests that were read by syncs that did not want them. `projects` are Weir's ids.
pub(crate) async fn make_up(engine: &Engine, projects: &[i64]) -> Result<(), Halt> {
    if engine.approval_rules {
        let since = engine.options.scope.since;
        engine.store.ask_for_approval_rules(engine.instance.0, projects, since).await?;
    }
    Ok(())
}
