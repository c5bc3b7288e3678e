//! Holds what is stored against what GitLab has, to find what GitLab does not show when it happens: deleted merge
//! requests, comments and pipelines. Nothing is marked on a guess: only what a listing that ended by its own end mark
//! lacks, and what GitLab then denies when it is asked for it alone.

mod merge_requests;
mod pipelines;
mod theirs;

use std::collections::BTreeSet;

use catalogue::Connector;
use futures::{StreamExt, TryStreamExt, stream};
use gitlab_client::{ErrorKind, Request};
use store::Proof;

use crate::engine::{Engine, Halt};
use crate::sight::{Found, Sight};

/// Projects asked about in one request.
const TOGETHER: usize = 10;

/// Compares, and mends where `mends`. Gives what was found, by project; lists that it leaves pending are for the
/// workers.
pub(crate) async fn compare(engine: &Engine, projects: &[Found], mends: bool) -> Result<Vec<Proof>, Halt> {
    let packs: Vec<Vec<Found>> = projects.chunks(TOGETHER).map(<[Found]>::to_vec).collect();
    let compared = stream::iter(packs).map(|some| pack(engine, some, mends));
    let proofs: Vec<Vec<Proof>> =
        compared.buffer_unordered(engine.options.workers.max(1)).try_collect().await?;
    Ok(proofs.into_iter().flatten().collect())
}

/// The projects in sight that are imported, and whose listings were not refused.
pub(crate) fn projects(sight: &Sight) -> Vec<Found> {
    sight.projects.values().cloned().collect()
}

/// Those of the projects in which something differs.
pub(crate) fn differing(projects: &[Found], proofs: &[Proof], engine: &Engine) -> Vec<Found> {
    let differ: BTreeSet<i64> =
        proofs.iter().filter(|it| it.state == "differs").map(|it| it.project_id).collect();
    projects.iter().filter(|it| differ.contains(&engine.instance.id(it.source_id))).cloned().collect()
}

async fn pack(engine: &Engine, projects: Vec<Found>, mends: bool) -> Result<Vec<Proof>, Halt> {
    let mut theirs = theirs::ask(engine, &projects).await?;
    let mut proofs = Vec::new();
    for project in &projects {
        let theirs = theirs.remove(&project.source_id).unwrap_or_default();
        if engine.has(Connector::Gitlab) && !project.merge_requests_off {
            proofs.extend(merge_requests::compare(engine, project, &theirs, mends).await?);
        }
        if engine.has(Connector::GitlabPipelines) && !project.builds_off {
            proofs.extend(pipelines::compare(engine, project, &theirs, mends).await?);
        }
    }
    Ok(proofs)
}

/// A proof in the making.
fn proof(engine: &Engine, project: &Found, resource: &str, theirs: Option<i64>, ours: i64) -> Proof {
    let state = match theirs {
        None => "unproved",
        Some(theirs) if theirs == ours => "proved",
        Some(_) => "differs",
    };
    Proof {
        project_id: engine.instance.id(project.source_id),
        project: project.path.clone(),
        resource: resource.to_owned(),
        state: state.to_owned(),
        theirs,
        ours,
        detail: String::new(),
        proved_at: None,
    }
}

/// Whether GitLab denies that there is such a thing, asked for it alone. Anything but a plain denial proves nothing.
async fn denied(engine: &Engine, request: Request) -> bool {
    match engine.client.get(&request).await {
        Ok(_) => false,
        Err(error) => matches!(error.kind, ErrorKind::NotFound),
    }
}
