//! Commits of default branches: GitLab's count against ours, and where it tells none the head, from which everything else
//! was read.

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

/// Compares one project. A branch that differs is read again whole by the workers of the sync that mends.
pub(super) async fn compare(
    engine: &Engine,
    project: &Found,
    theirs: Option<i64>,
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
    let theirs = theirs.filter(|_| trunk.read_from.is_none());
    let proof = Proof { theirs, ..proof };
    if theirs == Some(ours) {
        return Ok(Some(proof));
    }
    // What differed was just read again from the head on: GitLab's count follows a push by minutes.
    let mended = engine.options.sweep && mends.is_none();
    let just_read = mended && trunk.read_at.is_some_and(|it| it >= engine.started);
    if theirs.is_none() || just_read {
        return by_head(engine, project, &trunk, proof).await.map(Some);
    }
    if let Some(sync_id) = mends {
        engine.store.read_trunk_again(id).await?;
        engine.store.reopen_units(sync_id, &[unit(id)]).await?;
    }
    let more = ours - theirs.unwrap_or_default();
    Ok(Some(proof.differs(format!("{more} more stored than GitLab counts"))))
}

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
    if head != trunk.head {
        let detail = match trunk.read_at {
            Some(_) => "The default branch has another head.",
            None => "It was not read yet.",
        };
        return Ok(proof.differs(detail));
    }
    let detail = from.map_or("by its head".to_owned(), |it| format!("by its head, from {it} on"));
    Ok(Proof { detail, ..proof })
}

fn first(found: &[&RawValue]) -> Option<String> {
    serde_json::from_str::<Head>(found.first()?.get()).ok().map(|it| it.id)
}
