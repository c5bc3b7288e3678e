//! Deployments of a project, and the merge requests they brought.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::NOT_FOUND;
use crate::rest::entities::ci::deployment::deployment;
use crate::rest::entities::merge_request;
use crate::rest::params::{Declared, given, or, path};
use crate::rest::{Answer, Ask, Problem, Reply};
use crate::world::model::{Deployment, DeploymentStatus, Id, MergeRequest, Time};

const LIST: &[Declared] = &[
    path("id", "id"),
    given("environment"),
    given("finished_after"),
    given("finished_before"),
    or("order_by", "id"),
    or("sort", "asc"),
    given("status"),
    given("updated_after"),
    given("updated_before"),
];

const MERGE_REQUESTS: &[Declared] = &[
    path("id", "id"),
    path("deployment_id", "deployment_id"),
    or("order_by", "created_at"),
    or("sort", "desc"),
    or("state", "all"),
    or("with_labels_details", "false"),
    or("with_merge_status_recheck", "false"),
];

const ORDERS: &[&str] = &["id", "iid", "created_at", "updated_at", "ref", "finished_at"];

type Bounds = (Option<Time>, Option<Time>);

/// What the list is asked for. GitLab refuses filters it has no index for.
struct Wanted<'a> {
    order: &'static str,
    descending: bool,
    updated: Bounds,
    finished: Bounds,
    environment: Option<&'a str>,
    status: Option<DeploymentStatus>,
}

impl<'a> Wanted<'a> {
    fn of(ask: &'a Ask<'_>) -> Result<Self, Problem> {
        let query = &ask.query;
        let invalid = || Problem::BadRequest("status does not have a valid value".to_owned());
        let status = query.get("status").map(|word| DeploymentStatus::of(word).ok_or_else(invalid));
        let wanted = Self {
            order: query.word("order_by", ORDERS)?,
            descending: query.word("sort", &["asc", "desc"])? == "desc",
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            finished: (query.time("finished_after")?, query.time("finished_before")?),
            environment: query.get("environment"),
            status: status.transpose()?,
        };
        wanted.check()?;
        Ok(wanted)
    }

    fn check(&self) -> Result<(), Problem> {
        let given = |bounds: Bounds| bounds != (None, None);
        let reason = if given(self.updated) && given(self.finished) {
            "Both `updated_at` filter and `finished_at` filter can not be specified"
        } else if given(self.finished) != (self.order == "finished_at") {
            "`finished_at` filter and `finished_at` sorting must be paired"
        } else if given(self.finished) && self.status != Some(DeploymentStatus::Success) {
            "`finished_at` filter must be combined with `success` status filter."
        } else {
            return Ok(());
        };
        Err(Problem::Contradiction(reason))
    }

    fn includes(&self, ask: &Ask<'_>, it: &Deployment) -> bool {
        let environment = || &ask.world.ci.environments[&it.environment_id].name;
        self.status.is_none_or(|status| it.status == status)
            && self.environment.is_none_or(|name| **environment() == *name)
            && self.updated.0.is_none_or(|after| it.updated_at >= after)
            && self.updated.1.is_none_or(|before| it.updated_at <= before)
            && self.finished.0.is_none_or(|after| it.finished_at.is_some_and(|at| at >= after))
            && self.finished.1.is_none_or(|before| it.finished_at.is_some_and(|at| at < before))
    }

    /// A filter by `updated_at` forces that order, with the highest id first among equals. `created_at` and `iid` are
    /// read as `id`.
    fn compare(&self, a: &Deployment, b: &Deployment) -> Ordering {
        let direction = |order: Ordering| if self.descending { order.reverse() } else { order };
        match self.order {
            _ if self.updated != (None, None) || self.order == "updated_at" => {
                direction(a.updated_at.cmp(&b.updated_at)).then(b.id.cmp(&a.id))
            }
            "ref" => direction(a.git_ref.cmp(&b.git_ref)).then(a.id.cmp(&b.id)),
            "finished_at" => direction(a.finished_at.cmp(&b.finished_at)).then(a.id.cmp(&b.id)),
            _ => direction(a.id.cmp(&b.id)),
        }
    }
}

/// `GET /projects/:id/deployments`
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_deployments()?;
    let wanted = Wanted::of(ask)?;
    let deployments = ask.index.ci.project(project.id).deployments.iter();
    let mut rows: Vec<&Deployment> = deployments.map(|id| &ask.world.ci.deployments[id]).collect();
    rows.retain(|it| wanted.includes(ask, it));
    rows.sort_by(|a, b| wanted.compare(a, b));
    ask.paged(LIST, ask.page(rows.len())?, &rows, |it| deployment(ask, it))
}

/// `GET /projects/:id/deployments/:deployment_id`
pub fn show(ask: &Ask<'_>) -> Answer {
    let found = named(ask)?.ok_or(NOT_FOUND)?;
    Ok(Reply::object(&deployment(ask, found)))
}

fn named<'a>(ask: &Ask<'a>) -> Result<Option<&'a Deployment>, Problem> {
    let project = ask.project_with_deployments()?;
    let id = ask.part("deployment_id").parse().ok();
    let found = id.and_then(|id: Id| ask.world.ci.deployments.get(&id));
    Ok(found.filter(|it| it.project_id == project.id))
}

/// `GET /projects/:id/deployments/:deployment_id/merge_requests`. A deployment that does not exist brought none:
/// GitLab only filters merge requests by the number.
pub fn merge_requests(ask: &Ask<'_>) -> Answer {
    let ids = named(ask)?.map(|it| it.merge_request_ids.as_slice()).unwrap_or_default();
    let mut rows: Vec<&MergeRequest> = ids.iter().filter_map(|id| ask.world.merge_requests.get(id)).collect();
    let readable = |mr: &MergeRequest| {
        let project = &ask.world.projects[&mr.project_id];
        ask.world.check_merge_requests(ask.viewer, project).is_ok()
    };
    rows.retain(|mr| readable(mr));
    let by_updated = ask.query.get("order_by") == Some("updated_at");
    rows.sort_by_key(|mr| (if by_updated { mr.updated_at } else { mr.created_at }, mr.id));
    if ask.query.word("sort", &["desc", "asc"])? == "desc" {
        rows.reverse();
    }
    let details = ask.query.switch("with_labels_details", false)?;
    ask.paged(MERGE_REQUESTS, ask.page(rows.len())?, &rows, |mr| {
        let path = ask.world.project_full_path(&ask.world.projects[&mr.project_id]);
        serde_json::json!(merge_request::merge_request(ask.world, mr, &path, details))
    })
}

/// The merge requests that the filters of merge request lists leave: those of a deployment to `environment` that ended
/// between `deployed_after` and `deployed_before`. None where nothing of that is asked.
pub fn shipped(ask: &Ask<'_>, project_id: Id) -> Result<Option<BTreeSet<Id>>, Problem> {
    let environment = ask.query.get("environment");
    let (after, before) = (ask.query.time("deployed_after")?, ask.query.time("deployed_before")?);
    if environment.is_none() && after.is_none() && before.is_none() {
        return Ok(None);
    }
    let name = |it: &Deployment| &ask.world.ci.environments[&it.environment_id].name;
    let wanted = |it: &&Deployment| {
        environment.is_none_or(|wanted| **name(it) == *wanted)
            && after.is_none_or(|after| it.finished_at.is_some_and(|at| at > after))
            && before.is_none_or(|before| it.finished_at.is_some_and(|at| at < before))
    };
    let deployments = ask.index.ci.project(project_id).deployments.iter();
    let deployments = deployments.map(|id| &ask.world.ci.deployments[id]).filter(wanted);
    Ok(Some(deployments.flat_map(|it| it.merge_request_ids.iter().copied()).collect()))
}
