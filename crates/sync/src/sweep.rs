//! Holds what is stored against what GitLab has, to find what GitLab does not show when it happens: deleted merge
//! requests, comments, issues, pipelines and deployments, and default branches that were replaced. Nothing is marked on a
//! guess: only what a listing that ended by its own end mark lacks, and what GitLab then denies when it is asked for it
//! alone.

mod authors;
mod counted;
mod evidence;
mod known;
mod merge_requests;
mod projects;
mod theirs;
mod trunk;
mod windows;

use std::collections::BTreeSet;

use catalogue::Connector;
use catalogue::merge_requests::MERGE_REQUESTS;
use futures::{StreamExt, TryStreamExt, stream};
use store::Proof;

use crate::engine::{Engine, Halt};
use crate::sight::{Found, Sight};
use known::Known;
pub(crate) use projects::mark_deleted;

/// Projects asked about in one request.
const TOGETHER: usize = 10;

/// Compares. With the number of the running sync it also mends; lists and units that this leaves are for its workers.
/// Gives what was found, by project.
pub(crate) async fn compare(
    engine: &Engine,
    projects: &[Found],
    mends: Option<i64>,
) -> Result<Vec<Proof>, Halt> {
    let known = Known::load(engine).await?;
    let packs: Vec<Vec<Found>> = projects.chunks(TOGETHER).map(<[Found]>::to_vec).collect();
    let compared = stream::iter(packs).map(|some| pack(engine, some, &known, mends));
    let proofs: Vec<Vec<Proof>> =
        compared.buffer_unordered(engine.options.workers.max(1)).try_collect().await?;
    Ok(proofs.into_iter().flatten().collect())
}

/// Every project in sight. What GitLab refused to list of one is known when it is compared.
pub(crate) fn projects(sight: &Sight) -> Vec<Found> {
    sight.projects.values().cloned().collect()
}

/// Those of the projects in which something differs.
pub(crate) fn differing(projects: &[Found], proofs: &[Proof], engine: &Engine) -> Vec<Found> {
    let differ: BTreeSet<i64> =
        proofs.iter().filter(|it| it.state == "differs").map(|it| it.project_id).collect();
    projects.iter().filter(|it| differ.contains(&engine.instance.id(it.source_id))).cloned().collect()
}

async fn pack(
    engine: &Engine,
    projects: Vec<Found>,
    known: &Known,
    mends: Option<i64>,
) -> Result<Vec<Proof>, Halt> {
    let users = engine.of_each_user();
    let mut theirs = theirs::ask_as(&users, &projects).await?;
    let mut proofs = Vec::new();
    for project in &projects {
        let id = engine.instance.id(project.source_id);
        let (user, theirs) = theirs.remove(&project.source_id).unwrap_or_default();
        // What one is told is not held against what another may see.
        let engine = &users[user];
        if engine.has(Connector::Gitlab) && !project.merge_requests_off {
            let name = MERGE_REQUESTS.name;
            let compared = match known.refusal(name, id) {
                Some(refusal) => Ok(vec![proof(engine, project, name).unproved(refusal)]),
                None => merge_requests::compare(engine, project, &theirs, known, mends).await,
            };
            proofs.extend(told(engine, project, name, compared)?);
        }
        for kind in counted::KINDS.iter().filter(|it| it.concerns(engine, project, known)) {
            let name = kind.listing.resource.name;
            let compared = counted::compare(engine, project, kind, theirs.counts.get(name), known, mends);
            let compared = compared.await.map(|it| it.into_iter().collect());
            proofs.extend(told(engine, project, name, compared)?);
        }
        let no_code = project.repository_off || project.empty_repo || known.is_off(trunk::NAME, id);
        if engine.has(Connector::GitlabCommitsTrunk) && !no_code {
            let theirs = trunk::Told { commits: theirs.commits, head: theirs.head.as_deref() };
            let compared = trunk::compare(engine, project, theirs, known, mends).await;
            proofs.extend(told(engine, project, trunk::NAME, compared.map(|it| it.into_iter().collect()))?);
        }
    }
    Ok(proofs)
}

/// A listing that broke off or was refused meanwhile proves nothing, and keeps nothing else from being compared.
fn told(
    engine: &Engine,
    project: &Found,
    resource: &str,
    compared: Result<Vec<Proof>, Halt>,
) -> Result<Vec<Proof>, Halt> {
    let why = match compared {
        Ok(proofs) => return Ok(proofs),
        Err(Halt::Later(detail)) => detail,
        Err(Halt::Skipped) => "GitLab refused it.".to_owned(),
        Err(halt) => return Err(halt),
    };
    Ok(vec![proof(engine, project, resource).unproved(&why)])
}

/// A proof in the making.
fn proof(engine: &Engine, project: &Found, resource: &str) -> Proof {
    Proof {
        project_id: engine.instance.id(project.source_id),
        project: project.path.clone(),
        resource: resource.to_owned(),
        state: "proved".to_owned(),
        theirs: None,
        ours: 0,
        detail: String::new(),
        proved_at: None,
    }
}

/// How a comparison ends.
trait Verdict: Sized {
    /// Nothing can be concluded.
    fn unproved(self, detail: impl Into<String>) -> Proof;
    /// The tables do not say what GitLab says.
    fn differs(self, detail: impl Into<String>) -> Proof;
}

impl Verdict for Proof {
    fn unproved(self, detail: impl Into<String>) -> Proof {
        Proof { state: "unproved".to_owned(), detail: detail.into(), ..self }
    }

    fn differs(self, detail: impl Into<String>) -> Proof {
        Proof { state: "differs".to_owned(), detail: detail.into(), ..self }
    }
}
