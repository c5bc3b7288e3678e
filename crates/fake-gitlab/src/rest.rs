//! REST: what every endpoint is handed, what it gives back, and the list of endpoints.

pub mod approval_state;
pub mod approvals;
pub mod ci;
pub mod commits;
pub mod entities;
pub mod fields;
pub mod groups;
pub mod hooks;
pub mod instance;
pub mod issues;
pub mod labels;
pub mod members;
pub mod merge_requests;
pub mod milestones;
pub mod notes;
pub mod paging;
pub mod params;
pub mod problem;
pub mod projects;
pub mod reply;
pub mod users;

pub use fields::Fields;
pub use params::Query;
pub use problem::Problem;
pub use reply::{Items, Reply};

use crate::hooks::Hooks;
use crate::settings::Settings;
use crate::tokens::TokenSpec;
use crate::world::access::{Denied, Viewer};
use crate::world::index::Index;
use crate::world::model::{Group, Id, MergeRequest, Project, World};

/// A request as an endpoint sees it.
pub struct Ask<'a> {
    /// The instance's switches.
    pub settings: &'a Settings,
    /// The world, held still while the answer is made.
    pub world: &'a World,
    /// Lookups into the world.
    pub index: &'a Index,
    /// Webhooks.
    pub hooks: &'a Hooks,
    /// What is sent to be stored; nothing where something is only read.
    pub fields: &'a Fields,
    /// Who asks.
    pub viewer: &'a Viewer,
    /// The token that was used.
    pub token: &'a TokenSpec,
    /// Values in the path, decoded.
    pub path: Vec<(String, String)>,
    /// The query.
    pub query: Query,
    /// The path as it was sent, for links.
    pub raw_path: String,
}

/// What an endpoint gives back.
pub type Answer = Result<Reply, Problem>;

/// An endpoint.
pub type Endpoint = fn(&Ask<'_>) -> Answer;

/// Every endpoint, by the template that follows `/api/v4`.
pub const ENDPOINTS: &[(&str, Endpoint)] = &[
    ("/version", instance::version),
    ("/metadata", instance::metadata),
    ("/user", users::current),
    ("/users", users::list),
    ("/users/{id}", users::show),
    ("/personal_access_tokens/self", instance::own_token),
    ("/groups", groups::list),
    ("/groups/{id}", groups::show),
    ("/groups/{id}/subgroups", groups::subgroups),
    ("/groups/{id}/descendant_groups", groups::descendants),
    ("/groups/{id}/projects", groups::projects),
    ("/groups/{id}/members", members::of_group),
    ("/groups/{id}/members/all", members::of_group_and_above),
    ("/groups/{id}/labels", labels::of_group),
    ("/groups/{id}/milestones", milestones::of_group),
    ("/projects", projects::list),
    ("/projects/{id}", projects::show),
    ("/projects/{id}/members", members::of_project),
    ("/projects/{id}/members/all", members::of_project_and_above),
    ("/projects/{id}/labels", labels::of_project),
    ("/projects/{id}/milestones", milestones::of_project),
    ("/projects/{id}/merge_requests", merge_requests::list),
    ("/projects/{id}/merge_requests/{iid}", merge_requests::show),
    ("/projects/{id}/merge_requests/{iid}/notes", notes::list),
    ("/projects/{id}/merge_requests/{iid}/notes/{note_id}", notes::show),
    ("/projects/{id}/merge_requests/{iid}/discussions", notes::discussions),
    ("/projects/{id}/merge_requests/{iid}/approvals", approvals::show),
    ("/projects/{id}/merge_requests/{iid}/approval_state", approval_state::show),
    ("/projects/{id}/merge_requests/{iid}/reviewers", approvals::reviewers),
    ("/projects/{id}/merge_requests/{iid}/commits", commits::of_merge_request),
    ("/projects/{id}/repository/commits", commits::list),
    ("/projects/{id}/repository/commits/{sha}", commits::show),
    ("/projects/{id}/issues", issues::list),
    ("/projects/{id}/issues/{iid}", issues::show),
    ("/projects/{id}/pipelines", ci::pipelines::list),
    ("/projects/{id}/pipelines/{pipeline_id}", ci::pipelines::show),
    ("/projects/{id}/pipelines/{pipeline_id}/jobs", ci::jobs::of_pipeline),
    ("/projects/{id}/pipelines/{pipeline_id}/bridges", ci::jobs::bridges),
    ("/projects/{id}/jobs", ci::jobs::of_project),
    ("/projects/{id}/jobs/{job_id}", ci::jobs::show),
    ("/projects/{id}/environments", ci::environments::list),
    ("/projects/{id}/environments/{environment_id}", ci::environments::show),
    ("/projects/{id}/deployments", ci::deployments::list),
    ("/projects/{id}/deployments/{deployment_id}", ci::deployments::show),
    ("/projects/{id}/deployments/{deployment_id}/merge_requests", ci::deployments::merge_requests),
];

impl<'a> Ask<'a> {
    /// A value of the path.
    pub fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether the asking user administers the instance.
    pub fn is_admin(&self) -> bool {
        self.world.admins.contains(&self.viewer.user_id)
    }

    /// The group named in the path, by number or by full path.
    pub fn group(&self) -> Result<&'a Group, Problem> {
        let name = self.part("id");
        let id = name.parse().ok().or_else(|| self.index.groups_by_path.get(&name.to_lowercase()).copied());
        let group = id.and_then(|id: Id| self.world.groups.get(&id));
        group
            .filter(|group| self.world.can_read_group(self.viewer, group))
            .ok_or(Problem::NotFound("404 Group Not Found"))
    }

    /// The project named in the path, by number or by full path; a former path is a redirect to the number.
    pub fn project(&self) -> Result<&'a Project, Problem> {
        let name = self.part("id");
        let path = name.to_lowercase();
        let id = name.parse().ok().or_else(|| self.index.projects_by_path.get(&path).copied());
        let moved = || self.index.old_paths.get(&path).copied();
        let project = id.or_else(moved).and_then(|id: Id| self.world.projects.get(&id));
        let project = project
            .filter(|project| self.world.can_read_project(self.viewer, project))
            .ok_or(Problem::NotFound("404 Project Not Found"))?;
        if id.is_none() { Err(self.moved_to(project.id)) } else { Ok(project) }
    }

    fn moved_to(&self, project_id: Id) -> Problem {
        let tail = self.raw_path.strip_prefix("/api/v4/projects/").and_then(|rest| rest.split_once('/'));
        let tail = tail.map(|(_, tail)| format!("/{tail}")).unwrap_or_default();
        Problem::Moved(format!("{}/api/v4/projects/{project_id}{tail}", self.world.url))
    }

    /// The project named in the path, when its merge requests can be read.
    pub fn project_with_merge_requests(&self) -> Result<&'a Project, Problem> {
        let project = self.project()?;
        match self.world.check_merge_requests(self.viewer, project) {
            Ok(()) => Ok(project),
            Err(Denied::Forbidden) => Err(Problem::Forbidden),
            Err(Denied::Invisible) => Err(Problem::NotFound("404 Project Not Found")),
        }
    }

    /// The merge request named in the path.
    pub fn merge_request(&self) -> Result<&'a MergeRequest, Problem> {
        let project = self.project_with_merge_requests()?;
        let iid = self.part("iid").parse::<i64>().ok();
        let known = iid.and_then(|iid| self.index.projects.get(&project.id)?.by_iid.get(&iid));
        known.and_then(|id| self.world.merge_requests.get(id)).ok_or(Problem::NotFound("404 Not found"))
    }
}
