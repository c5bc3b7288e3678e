//! Where many default branches end, in one request: so many comments move a project's last activity, and so few pushes.

use std::collections::HashMap;

use catalogue::commits::TRUNK_HEADS_QUERY;
use catalogue::{Gid, gid};
use serde::Deserialize;
use serde_json::json;
use store::{Trunk, TrunkSigns};

use crate::engine::{Engine, Halt};
use crate::fetch;

/// Branches asked about in one request: each costs GitLab a look into a repository.
const TOGETHER: usize = 50;

#[derive(Deserialize)]
struct ProjectNode {
    id: Gid,
    repository: Option<Repository>,
}

/// A repository of which the end of the default branch was asked for.
#[derive(Deserialize)]
pub(crate) struct Repository {
    tree: Option<Tree>,
}

impl Repository {
    /// The last commit of the default branch; none where there is none, and where GitLab shows no code.
    pub(crate) fn head(self) -> Option<String> {
        Some(self.tree?.last_commit?.sha)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tree {
    last_commit: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

/// Gives those of the branches that end where they were read to; the others are due.
pub(crate) async fn unmoved(
    engine: &Engine,
    doubtful: Vec<(TrunkSigns, &Trunk)>,
    due: &mut Vec<TrunkSigns>,
) -> Result<Vec<TrunkSigns>, Halt> {
    let mut unmoved = Vec::new();
    let mut doubtful = doubtful.into_iter();
    loop {
        let some: Vec<(TrunkSigns, &Trunk)> = doubtful.by_ref().take(TOGETHER).collect();
        if some.is_empty() {
            return Ok(unmoved);
        }
        let projects: Vec<i64> = some.iter().map(|it| it.0.project_id).collect();
        // One alone is as well read as asked about.
        let heads = if some.len() > 1 { heads(engine, &projects).await } else { HashMap::new() };
        for (signs, trunk) in some {
            let head = heads.get(&signs.project_id);
            let list = if head.is_some() && head == trunk.head.as_ref() { &mut unmoved } else { &mut *due };
            list.push(signs);
        }
    }
}

/// The last commits of projects (Weir's ids), as far as GitLab tells them.
async fn heads(engine: &Engine, projects: &[i64]) -> HashMap<i64, String> {
    let ids: Vec<String> = projects.iter().map(|it| gid("Project", engine.instance.source_id(*it))).collect();
    let variables = json!({ "ids": ids, "projects": ids.len() });
    let query = engine.capabilities.fit(&TRUNK_HEADS_QUERY);
    // What is wrong is told when the branches are read.
    let Ok(answer) = engine.client.graphql(&query, &variables).await else { return HashMap::new() };
    let nodes = fetch::projects(&answer.body).ok().flatten().map(|it| it.nodes).unwrap_or_default();
    let head = |node: &serde_json::value::RawValue| {
        let node: ProjectNode = serde_json::from_str(node.get()).ok()?;
        Some((engine.instance.id(node.id.id), node.repository?.head()?))
    };
    nodes.into_iter().filter_map(head).collect()
}
