//! Merge requests and their comments: GitLab's whole listing against ours, number by number.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::merge_requests::MERGE_REQUESTS;
use catalogue::notes::NOTES;
use gitlab_client::Request;
use store::{HeldMergeRequest, MERGE_REQUEST, Proof};

use super::known::{Known, Reach};
use super::theirs::{Listed, Theirs};
use super::{Verdict, authors, evidence, proof};
use crate::engine::{Engine, Halt};
use crate::listing;
use crate::merge_requests::LISTING;
use crate::sight::Found;

/// Compares one project. Gives a proof of its merge requests and one of their comments.
pub(super) async fn compare(
    engine: &Engine,
    project: &Found,
    theirs: &Theirs,
    known: &Known,
    mends: Option<i64>,
) -> Result<Vec<Proof>, Halt> {
    let (id, mends) = (engine.instance.id(project.source_id), mends.is_some());
    let held = engine.store.held_merge_requests(&[id]).await?;
    let proof = Proof { ours: held.len() as i64, ..proof(engine, project, MERGE_REQUESTS.name) };
    let Some(counted) = &theirs.merge_requests else {
        return Ok(vec![proof.unproved("GitLab did not list them whole.")]);
    };
    let ours: BTreeMap<i64, &HeldMergeRequest> = held.iter().map(|it| (it.iid, it)).collect();
    // What is older than the part that is stored was never asked for.
    let wanted = |iid: &i64, listed: &Listed| match known.reach(MERGE_REQUESTS.name, id) {
        Reach::Whole => true,
        Reach::From(from) => listed.updated_at >= from || ours.contains_key(iid),
        Reach::Unread => false,
    };
    if known.reach(MERGE_REQUESTS.name, id) == Reach::Unread {
        return Ok(vec![proof.unproved("They were not read yet.")]);
    }
    let counted: BTreeMap<i64, Listed> =
        counted.iter().filter(|(iid, it)| wanted(iid, it)).map(|(iid, it)| (*iid, *it)).collect();
    let mut merge_requests = Proof { theirs: Some(counted.len() as i64), ..proof };
    let gone: Vec<&HeldMergeRequest> = held.iter().filter(|it| !counted.contains_key(&it.iid)).collect();
    let missing: Vec<i64> = counted.keys().copied().filter(|iid| !ours.contains_key(iid)).collect();
    let moved: Vec<i64> = held.iter().filter(|it| has_moved(it, &counted)).map(|it| it.iid).collect();
    if !gone.is_empty() || !missing.is_empty() || !moved.is_empty() {
        merge_requests.state = "differs".to_owned();
        merge_requests.detail = detail(&gone, &missing, &moved);
    }
    if !gone.is_empty() {
        lose(engine, project, counted.is_empty(), &gone, mends, &mut merge_requests).await?;
    }
    let (notes, differ) = comments(engine, project, &counted, &ours);
    let again: BTreeSet<i64> = [missing, moved, differ].into_iter().flatten().collect();
    if mends && !again.is_empty() {
        let again: Vec<i64> = again.into_iter().collect();
        listing::by_iids(engine, &LISTING, project.source_id, &again).await?;
    }
    Ok(vec![merge_requests, notes])
}

/// Whether GitLab tells another last change. REST tells milliseconds of it and GraphQL none.
fn has_moved(held: &HeldMergeRequest, counted: &BTreeMap<i64, Listed>) -> bool {
    let theirs = counted.get(&held.iid).map(|it| it.updated_at.timestamp());
    theirs.is_some_and(|it| it != held.updated_at.timestamp())
}

fn detail(gone: &[&HeldMergeRequest], missing: &[i64], moved: &[i64]) -> String {
    let some = |iids: &mut dyn Iterator<Item = i64>| {
        let shown: Vec<String> = iids.take(5).map(|iid| format!("!{iid}")).collect();
        shown.join(", ")
    };
    let mut parts = Vec::new();
    if !gone.is_empty() {
        let which = some(&mut gone.iter().map(|it| it.iid));
        parts.push(format!("{} stored that GitLab does not list ({which})", gone.len()));
    }
    if !missing.is_empty() {
        let which = some(&mut missing.iter().copied());
        parts.push(format!("{} in GitLab that are not stored ({which})", missing.len()));
    }
    if !moved.is_empty() {
        let which = some(&mut moved.iter().copied());
        parts.push(format!("{} stored with another last change ({which})", moved.len()));
    }
    parts.join("; ")
}

/// Marks what GitLab does not list any more and does not show by number either, if it also denies the first of them.
async fn lose(
    engine: &Engine,
    project: &Found,
    lists_nothing: bool,
    gone: &[&HeldMergeRequest],
    mends: bool,
    proof: &mut Proof,
) -> Result<(), Halt> {
    if lists_nothing {
        proof.state = "unproved".to_owned();
        proof.detail =
            "GitLab lists none where some are stored: access may have been lost. Nothing was marked."
                .to_owned();
        return Ok(());
    }
    if !mends {
        return Ok(());
    }
    let asked_at = engine.now();
    let gone = not_met(engine, project, gone).await?;
    let Some(first) = gone.first() else { return Ok(()) };
    let request = Request::new("projects/{project}/merge_requests/{iid}");
    if !evidence::denied(engine, request.value(project.source_id).value(first.iid)).await {
        proof.state = "unproved".to_owned();
        proof.detail =
            format!("{}; GitLab does not deny !{}, so nothing was marked", proof.detail, first.iid);
        return Ok(());
    }
    let (id, ids) = (engine.instance.id(project.source_id), gone.iter().map(|it| it.id).collect::<Vec<_>>());
    if authors::may_be_banned(engine, MERGE_REQUEST, id, &ids).await? {
        proof.state = "unproved".to_owned();
        proof.detail = authors::MAY_BE_HIDDEN.to_owned();
        return Ok(());
    }
    let marked = engine.store.mark_deleted(MERGE_REQUEST, id, &ids, asked_at, engine.now()).await?;
    engine.tally.marked("gitlab_merge_requests", marked);
    Ok(())
}

/// Those that GitLab does not show when it is asked for them by number. Others were opened and stored after the listing,
/// or were moved over the edge of a numbered page by a deletion before them.
async fn not_met<'h>(
    engine: &Engine,
    project: &Found,
    gone: &[&'h HeldMergeRequest],
) -> Result<Vec<&'h HeldMergeRequest>, Halt> {
    let iids: Vec<i64> = gone.iter().map(|it| it.iid).collect();
    let met = listing::by_iids(engine, &LISTING, project.source_id, &iids).await?;
    Ok(gone.iter().copied().filter(|it| !met.contains(&it.source_id)).collect())
}

/// Comments by GitLab's count, and the merge requests whose count differs: they are read again with their notes.
fn comments(
    engine: &Engine,
    project: &Found,
    counted: &BTreeMap<i64, Listed>,
    ours: &BTreeMap<i64, &HeldMergeRequest>,
) -> (Proof, Vec<i64>) {
    let (mut theirs, mut held) = (0, 0);
    let mut differ = Vec::new();
    for (iid, Listed { comments: count, .. }) in counted {
        let Some(stored) = ours.get(iid) else { continue };
        theirs += count;
        held += stored.comments;
        if stored.comments != *count || stored.counted != Some(*count) {
            differ.push(*iid);
        }
    }
    let mut notes = Proof { theirs: Some(theirs), ours: held, ..proof(engine, project, NOTES.name) };
    if !differ.is_empty() {
        notes.state = "differs".to_owned();
        let which: Vec<String> = differ.iter().take(5).map(|iid| format!("!{iid}")).collect();
        notes.detail =
            format!("{} merge requests with other counts of comments ({})", differ.len(), which.join(", "));
    }
    (notes, differ)
}
