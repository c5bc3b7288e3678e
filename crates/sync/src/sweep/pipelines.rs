//! Pipelines: GitLab's count against ours, and where they differ windows of time, halved until one is small enough to be
//! read again whole.

use std::collections::BTreeSet;

use catalogue::pipelines::COUNT_PIPELINES_QUERY;
use catalogue::{Answer, Connection, gid};
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use gitlab_client::Request;
use serde::Deserialize;
use serde_json::json;
use store::{PIPELINE, Proof};

use super::theirs::Theirs;
use super::{denied, proof};
use crate::engine::{Engine, Halt};
use crate::listing::{self, Listing};
use crate::pipelines::{CHILDREN, LISTING};
use crate::sight::Found;

/// A window with no more pipelines than this, ours and theirs together, is read again.
const SMALL: i64 = 200;
/// So many are asked for one by one before they are marked; of more, the first.
const SINGLY: usize = 10;

/// Compares one project. Gives a proof of its pipelines and one of its child pipelines.
pub(super) async fn compare(
    engine: &Engine,
    project: &Found,
    theirs: &Theirs,
    mends: bool,
) -> Result<Vec<Proof>, Halt> {
    let mut proofs = Vec::new();
    for (listing, counted) in [(&LISTING, theirs.pipelines), (&CHILDREN, theirs.children)] {
        let id = engine.instance.id(project.source_id);
        let children = listing.source.is_some();
        let held = engine.store.held_pipelines(&[id], children).await?.get(&id).copied().unwrap_or_default();
        let mut proof = proof(engine, project, listing.resource.name, counted, held);
        match counted {
            None => proof.detail = "GitLab did not count them.".to_owned(),
            Some(0) if held > 0 => {
                proof.state = "unproved".to_owned();
                proof.detail = "GitLab counts none where some are stored: access may have been lost, or all were deleted. Nothing was marked.".to_owned();
            }
            Some(theirs) if theirs != held && mends => mend(engine, project, listing, &mut proof).await?,
            Some(theirs) if theirs != held => {
                proof.detail = format!("{} more stored than GitLab counts", held - theirs)
            }
            Some(_) => {}
        }
        proofs.push(proof);
    }
    Ok(proofs)
}

/// Finds the windows in which the counts differ and reads them again. What is stored there and was not met is gone, if
/// GitLab denies it.
async fn mend(
    engine: &Engine,
    project: &Found,
    listing: &'static Listing,
    proof: &mut Proof,
) -> Result<(), Halt> {
    let children = listing.source.is_some();
    let mut gone = Vec::new();
    // Whatever moves from now on is found by the next way forward.
    let mut windows = vec![(DateTime::UNIX_EPOCH, engine.started)];
    while let Some(window) = windows.pop() {
        let held = engine.store.pipelines_within(proof.project_id, children, window).await?;
        let Some(theirs) = count(engine, project, listing, window).await? else {
            proof.state = "unproved".to_owned();
            proof.detail = "GitLab did not count them within a window of time.".to_owned();
            return Ok(());
        };
        if theirs == held.len() as i64 {
            continue;
        }
        match middle(&held, window).filter(|_| theirs + held.len() as i64 > SMALL) {
            Some(middle) => windows.extend([(window.0, middle), (middle, window.1)]),
            None => {
                let met = listing::within(engine, listing, project.source_id, window).await?;
                let met: BTreeSet<i64> = met.into_iter().map(|it| engine.instance.id(it)).collect();
                gone.extend(held.into_iter().map(|it| it.1).filter(|id| !met.contains(id)));
            }
        }
    }
    lose(engine, project, listing, gone, proof).await
}

/// The second in the middle of what is stored; none where it does not cut the window.
fn middle(held: &[(DateTime<Utc>, i64)], window: (DateTime<Utc>, DateTime<Utc>)) -> Option<DateTime<Utc>> {
    let middle = held.get(held.len() / 2)?.0.trunc_subsecs(0);
    let middle = if middle > window.0 { middle } else { middle + TimeDelta::seconds(1) };
    (middle > window.0 && middle < window.1).then_some(middle)
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct ProjectNode {
    pipelines: Option<Total>,
}

#[derive(Deserialize)]
struct Total {
    count: i64,
}

async fn count(
    engine: &Engine,
    project: &Found,
    listing: &Listing,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<i64>, Halt> {
    let before = to - TimeDelta::microseconds(1);
    let text = |it: DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Micros, true);
    if !engine.capabilities.graphql {
        let request =
            Request::new("projects/{project}/pipelines").value(project.source_id).query("per_page", 1);
        let request = request.query("updated_after", text(from)).query("updated_before", text(before));
        let request = listing.source.map_or(request.clone(), |it| request.query("source", it));
        let answer = engine.client.get(&request).await.ok();
        return Ok(answer.and_then(|it| it.total).and_then(|it| i64::try_from(it).ok()));
    }
    let variables = json!({
        "ids": [gid("Project", project.source_id)],
        "updatedAfter": text(from), "updatedBefore": text(before), "source": listing.source,
    });
    let answer = engine.client.graphql(&COUNT_PIPELINES_QUERY.whole(), &variables).await.ok();
    let answer = answer.filter(|it| it.errors.is_empty());
    let total = answer.and_then(|it| {
        let parsed: Answer<Data> = serde_json::from_slice(&it.body).ok()?;
        let node: ProjectNode = serde_json::from_str(parsed.data?.projects?.nodes.first()?.get()).ok()?;
        Some(node.pipelines?.count)
    });
    Ok(total)
}

async fn lose(
    engine: &Engine,
    project: &Found,
    listing: &'static Listing,
    mut gone: Vec<i64>,
    proof: &mut Proof,
) -> Result<(), Halt> {
    if gone.is_empty() {
        return Ok(());
    }
    // One that moved while its window was read is in the newest one.
    let now = (engine.started - listing::OVERLAP, engine.now() + TimeDelta::days(1));
    let moved = listing::within(engine, listing, project.source_id, now).await?;
    gone.retain(|id| !moved.contains(&engine.instance.source_id(*id)));
    let single = |id: i64| {
        let request = Request::new("projects/{project}/pipelines/{pipeline}").value(project.source_id);
        denied(engine, request.value(engine.instance.source_id(id)))
    };
    for id in gone.iter().take(SINGLY) {
        if !single(*id).await {
            proof.state = "unproved".to_owned();
            proof.detail = format!(
                "GitLab does not list pipeline {} and does not deny it, so nothing was marked.",
                engine.instance.source_id(*id)
            );
            return Ok(());
        }
    }
    let marked = engine.store.mark_deleted(PIPELINE, proof.project_id, &gone, engine.now()).await?;
    engine.tally.marked("gitlab_pipelines", marked);
    proof.detail = format!("{marked} were deleted in GitLab.");
    Ok(())
}
