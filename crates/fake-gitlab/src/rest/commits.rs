//! Commits of a repository, and of a merge request.

use serde_json::{Value, json};

use super::entities::commit::{commit as view, of_merge_request as kept, stats};
use super::paging::Page;
use super::params::{Declared, given, or, path};
use super::{Answer, Ask, Problem, Reply};
use crate::world::access::Denied;
use crate::world::git::{Commit, Log, Repository};
use crate::world::model::Project;

const LIST: &[Declared] = &[
    path("id", "id"),
    given("all"),
    given("author"),
    given("first_parent"),
    or("order", "default"),
    given("path"),
    given("ref_name"),
    given("since"),
    or("trailers", "false"),
    given("until"),
    given("with_stats"),
];

const NO_REPOSITORY: Problem = Problem::NotFound("404 Repository Not Found");

/// `GET /projects/:id/repository/commits`: in git's order, without totals. A full page always announces another.
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = readable(ask)?;
    let log = Log {
        since: ask.query.time("since")?,
        until: ask.query.time("until")?,
        first_parent: ask.query.switch("first_parent", false)?,
        topo: ask.query.word("order", &["default", "topo"])? == "topo",
    };
    let with_stats = ask.query.switch("with_stats", false)?;
    let commits =
        match ask.world.repositories.get(&project.id).and_then(|it| Some((it, start(ask, project, it)?))) {
            Some((repository, from)) => repository.log(&from.sha, log),
            None if ask.settings.commits_of_nothing_are_empty => Vec::new(),
            None => return Err(NO_REPOSITORY),
        };
    let url = project_url(ask, project);
    ask.uncounted(LIST, ask.page(commits.len())?, &commits, |commit| {
        let mut body = view(&url, commit);
        if with_stats {
            body["stats"] = stats(commit);
        }
        body
    })
}

/// Where to begin: the default branch, or what `ref_name` names. There is only one branch; a sha will do too.
fn start<'r>(ask: &Ask<'_>, project: &Project, repository: &'r Repository) -> Option<&'r Commit> {
    let branch = project.default_branch.as_deref();
    match ask.query.get("ref_name").or(branch)? {
        name if Some(name) == branch || name == "HEAD" => repository.get(repository.head.as_deref()?),
        name => repository.find(name),
    }
}

/// The project, when its commits can be read.
fn readable<'a>(ask: &Ask<'a>) -> Result<&'a Project, Problem> {
    let project = ask.project()?;
    let off = project.repository_access_level == "disabled";
    match ask.world.check_repository(ask.viewer, project) {
        Ok(()) => Ok(project),
        Err(Denied::Invisible) => Err(Problem::NotFound("404 Project Not Found")),
        Err(Denied::Forbidden) if off && !ask.settings.switched_off_is_forbidden => Err(NO_REPOSITORY),
        Err(Denied::Forbidden) => Err(Problem::Forbidden),
    }
}

fn project_url(ask: &Ask<'_>, project: &Project) -> String {
    format!("{}/{}", ask.world.url, ask.world.project_full_path(project))
}

/// `GET /projects/:id/repository/commits/:sha`, also by the first digits or by the branch.
pub fn show(ask: &Ask<'_>) -> Answer {
    let project = readable(ask)?;
    let repository = ask.world.repositories.get(&project.id);
    let wanted = ask.part("sha");
    let named = |it: &'_ &Repository| Some(wanted) == project.default_branch.as_deref() && it.head.is_some();
    let head = repository.filter(named).and_then(|it| it.get(it.head.as_deref()?));
    let commit =
        head.or_else(|| repository?.find(wanted)).ok_or(Problem::NotFound("404 Commit Not Found"))?;
    let mut body = view(&project_url(ask, project), commit);
    if ask.query.switch("stats", true)? {
        body["stats"] = stats(commit);
    }
    body["status"] = Value::Null;
    body["project_id"] = json!(project.id);
    body["last_pipeline"] = Value::Null;
    Ok(Reply::object(&body))
}

/// `GET /projects/:id/merge_requests/:iid/commits`: newest first, as they were when it was last pushed to.
pub fn of_merge_request(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let declared = [path("id", "id"), path("merge_request_iid", "iid")];
    let commits = ask.world.commits_of(mr);
    let url = project_url(ask, &ask.world.projects[&mr.project_id]);
    ask.paged(&declared, ask.page(commits.len())?, &commits, |commit| kept(&url, commit))
}

impl Ask<'_> {
    /// One page of a list that GitLab does not count: it takes a full page for a sign that there is another.
    fn uncounted<T: Copy>(
        &self,
        declared: &[Declared],
        page: Page,
        rows: &[T],
        render: impl FnMut(T) -> Value,
    ) -> Answer {
        let body: Vec<Value> = rows[page.range()].iter().copied().map(render).collect();
        // One more than were met so far, so that only a page that is not full ends the list.
        let known = (page.number - 1).saturating_mul(page.size) + body.len() + 1;
        let mut reply = Reply::object(&body);
        reply.items = body.len();
        Ok(self.without_totals(reply, declared, Page { total: known, ..page }))
    }
}
