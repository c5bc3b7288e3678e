//! Heads of open merge requests: GitLab does not move `updated_at` for a push within a minute of the last change, so
//! every sync compares them with what is stored.

use std::collections::HashMap;

use catalogue::merge_request_commits::{Head, MERGE_REQUEST_COMMITS};
use catalogue::{Origin, Rows};
use gitlab_client::Request;

use crate::engine::{Engine, Halt};
use crate::fetch::{elements, list};

/// The heads of open merge requests as stored, by Weir's id.
#[derive(Debug, Default)]
pub(crate) struct Heads(HashMap<i64, (i64, Option<String>)>);

impl Heads {
    /// Loads those of some projects (Weir's ids).
    pub(crate) async fn load(engine: &Engine, projects: &[i64]) -> Result<Heads, Halt> {
        if !engine.has(MERGE_REQUEST_COMMITS.connector) {
            return Ok(Heads::default());
        }
        let stored = engine.store.stored_heads(projects).await?;
        Ok(Heads(stored.into_iter().map(|(id, iid, sha)| (id, (iid, sha))).collect()))
    }

    /// Leaves the commits of a merge request to be read where it ends in another commit than is stored. One that was
    /// opened a moment ago is read by the next way forward.
    pub(crate) fn compare(&mut self, origin: &Origin, head: &Head, rows: &mut Rows) {
        let stored = self.0.remove(&origin.instance.id(head.id));
        if stored.is_some_and(|(_, sha)| sha != head.sha) {
            head.store(origin, rows);
            head.ask(origin, rows);
        }
    }
}

/// Compares the heads in a project by REST (Weir's id), a hundred in a request.
pub(crate) async fn check(engine: &Engine, project: i64) -> Result<(), Halt> {
    let source_id = engine.instance.source_id(project);
    let request = Request::new("projects/{project}/merge_requests").value(source_id);
    let request = request.query("state", "opened").query("scope", "all");
    let request = request.query("order_by", "created_at").query("sort", "asc");
    let listing = match list(&engine.client, request).await {
        Ok(listing) => listing,
        Err(error) => {
            return match engine.halt(&error, MERGE_REQUEST_COMMITS.name, project) {
                Halt::Skipped => Ok(()),
                halt => Err(halt),
            };
        }
    };
    let mut heads = Heads::load(engine, &[project]).await?;
    let mut rows = Rows::default();
    let origin = engine.origin().project(source_id);
    for element in listing.pages.iter().flat_map(|it| elements(&it.body)) {
        // One that cannot be understood is kept as a reject where merge requests are read.
        if let Ok(head) = Head::from_rest(element.get()) {
            heads.compare(&origin, &head, &mut rows);
        }
    }
    // Rows move between numbered pages: one that was not met may be open still.
    if listing.pages.len() > 1 {
        heads.ask_for_the_rest(&origin, &mut rows);
    }
    engine.write(&engine.page(&rows, listing.sent_at)).await?;
    Ok(())
}

impl Heads {
    fn ask_for_the_rest(self, origin: &Origin, rows: &mut Rows) {
        for (id, (iid, _)) in self.0 {
            let parent = origin.instance.source_id(id);
            let list = catalogue::List::Commits;
            rows.pending.push(catalogue::Pending { list, project: origin.project, parent, iid });
        }
    }
}
