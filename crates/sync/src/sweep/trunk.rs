//! Commits of default branches: GitLab's count and head against ours, and where it tells no count the head alone, from which
//! everything else was read.

use catalogue::commits::COMMITS;
use chrono::SecondsFormat;
use gitlab_client::ErrorKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use store::{Proof, Trunk};

use super::known::Known;
use super::{Verdict, proof};
use crate::engine::{Engine, Halt};
use crate::fetch::{elements, request};
use crate::sight::Found;
use crate::trunk::unit;

/// Name of the resource.
pub(super) const NAME: &str = COMMITS.name;

#[derive(Deserialize)]
struct Head {
    id: String,
}

/// What GitLab tells of a default branch.
#[derive(Clone, Copy)]
pub(super) struct Told<'t> {
    /// How many commits it has.
    pub(super) commits: Option<i64>,
    /// Where it ends.
    pub(super) head: Option<&'t str>,
}

/// Compares one project. A branch that differs is read again whole by the workers of the sync that mends.
pub(super) async fn compare(
    engine: &Engine,
    project: &Found,
    told: Told<'_>,
    known: &Known,
    mends: Option<i64>,
) -> Result<Option<Proof>, Halt> {
    let id = engine.instance.id(project.source_id);
    let trunk = engine.store.trunk(id).await?;
    let ours = engine.store.living_commit_count(id).await?;
    let proof = Proof { ours, ..proof(engine, project, NAME) };
    if let Some(refusal) = known.refusal(NAME, id) {
        return Ok(Some(proof.unproved(refusal)));
    }
    // A branch of which only the newer part is stored has no count to compare with.
    let theirs = told.commits.filter(|_| trunk.read_from.is_none());
    let proof = Proof { theirs, ..proof };
    let empty = (theirs, ours) == (Some(0), 0);
    if empty || (theirs == Some(ours) && told.head.is_some() && told.head == trunk.head.as_deref()) {
        return Ok(Some(proof));
    }
    // What differed was just read again from the head on: GitLab's count follows a push by minutes.
    let mended = engine.options.sweep && mends.is_none();
    let just_read = mended && trunk.read_at.is_some_and(|it| it >= engine.started);
    if theirs.is_none() || just_read || (theirs == Some(ours) && told.head.is_none()) {
        return by_head(engine, project, &trunk, proof).await.map(Some);
    }
    if let Some(sync_id) = mends {
        engine.store.read_trunk_again(id).await?;
        engine.store.reopen_units(sync_id, &[unit(id)]).await?;
    }
    let detail = match ours - theirs.unwrap_or_default() {
        0 => OTHER_HEAD.to_owned(),
        more => format!("{more} more stored than GitLab counts"),
    };
    Ok(Some(proof.differs(detail)))
}

const OTHER_HEAD: &str = "The default branch has another head.";

async fn by_head(engine: &Engine, project: &Found, trunk: &Trunk, proof: Proof) -> Result<Proof, Halt> {
    let reader = COMMITS.reader("rest").and_then(|it| request(it, &[project.source_id]));
    let Some(request) = reader else { return Ok(proof.unproved("GitLab tells no number of commits.")) };
    let from = trunk.read_from.map(|it| it.to_rfc3339_opts(SecondsFormat::Secs, true));
    // Where only the newer part is stored, a branch that ends before it has no head there.
    let request = from.iter().fold(request, |it, from| it.query("since", from));
    let head = match engine.client.get(&request.query("per_page", 1)).await {
        Ok(answer) => first(&elements(&answer.body)),
        // A repository without a branch.
        Err(error) if matches!(error.kind, ErrorKind::NotFound) => None,
        Err(error) => return Ok(proof.unproved(error.to_string())),
    };
    if trunk.read_at.is_none() {
        return Ok(proof.unproved("It was not read yet."));
    }
    if head != trunk.head {
        return Ok(proof.differs(OTHER_HEAD));
    }
    if (proof.ours > 0) != head.is_some() {
        return Ok(proof.unproved("Its head is as it was read, and what is stored does not fit it."));
    }
    if engine.store.has_rejects(engine.instance.0, NAME, proof.project_id).await? {
        return Ok(proof.unproved("Some of its commits were not understood."));
    }
    let detail = from.map_or("by its head".to_owned(), |it| format!("by its head, from {it} on"));
    Ok(Proof { detail, ..proof })
}

fn first(found: &[&RawValue]) -> Option<String> {
    serde_json::from_str::<Head>(found.first()?.get()).ok().map(|it| it.id)
}
