//! Commits of merge requests and of the default branch.

use chrono::{DateTime, FixedOffset, SecondsFormat};

use super::connection;
use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;
use super::user;
use crate::world::git::Commit;
use crate::world::model::{Id, MergeRequest};

/// Writes a commit as the repository has it, with the offset of its author's clock; null where there is none.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, project_id: Id, commit: Option<&Commit>) {
    let local = |at: DateTime<FixedOffset>| at.to_rfc3339_opts(SecondsFormat::Secs, false);
    one(run, node, out, project_id, commit, local);
}

/// Writes a merge request's commits, newest first, with times in UTC. Those who may not read code see none.
pub(super) fn list(run: &Run<'_>, node: &Node, out: &mut Out, of: &MergeRequest, with_merges: bool) {
    let utc = |at: DateTime<FixedOffset>| at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut commits = run.world.commits_of(of);
    commits.retain(|it| run.sight.sees_code(of.project_id) && (with_merges || !it.is_merge()));
    connection::list(run, node, out, commits, |node, out, it| {
        one(run, node, out, of.project_id, Some(it), utc);
    });
}

fn one(
    run: &Run<'_>,
    node: &Node,
    out: &mut Out,
    project_id: Id,
    commit: Option<&Commit>,
    time: impl Fn(DateTime<FixedOffset>) -> String,
) {
    let Some(commit) = commit else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::plain(out, &format!("gid://gitlab/CommitPresenter/{}", commit.sha)),
        "sha" => json::plain(out, &commit.sha),
        "shortId" => json::plain(out, commit.short_id()),
        "title" => json::string(out, &commit.short_title()),
        "fullTitle" => json::string(out, commit.title()),
        "message" => json::string(out, &commit.message),
        "authoredDate" => json::plain(out, &time(commit.author.at)),
        "committedDate" => json::plain(out, &time(commit.committer.at)),
        "authorName" => json::string(out, &commit.author.name),
        "authorEmail" => json::string(out, &commit.author.email),
        "committerName" => json::string(out, &commit.committer.name),
        "committerEmail" => json::string(out, &commit.committer.email),
        "author" => user::write(run, field, out, author(run, commit), None),
        "webPath" => json::string(out, &web_path(run, project_id, commit)),
        "webUrl" => {
            json::string(out, &format!("{}{}", run.options.base_url, web_path(run, project_id, commit)));
        }
        _ => json::null(out),
    });
}

/// GitLab knows the author by the address.
fn author(run: &Run<'_>, commit: &Commit) -> Option<Id> {
    let email = &commit.author.email;
    let mut users = run.world.users.values();
    users.find(|it| run.world.email(it.id).eq_ignore_ascii_case(email)).map(|it| it.id)
}

fn web_path(run: &Run<'_>, project_id: Id, commit: &Commit) -> String {
    format!("/{}/-/commit/{}", run.index.project_path(project_id), commit.sha)
}
