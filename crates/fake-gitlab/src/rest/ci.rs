//! CI/CD: pipelines, jobs, environments and deployments.

pub mod deployments;
pub mod environments;
pub mod jobs;
pub mod pipelines;

use super::{Ask, Problem};
use crate::world::access::Denied;
use crate::world::model::{Pipeline, Project};

/// What GitLab says of a row it cannot find below a project.
const NOT_FOUND: Problem = Problem::NotFound("404 Not found");

fn denied(denied: Denied) -> Problem {
    match denied {
        Denied::Forbidden => Problem::Forbidden,
        Denied::Invisible => Problem::NotFound("404 Project Not Found"),
    }
}

impl<'a> Ask<'a> {
    /// The project named in the path, when its pipelines and jobs can be read.
    pub fn project_with_ci(&self) -> Result<&'a Project, Problem> {
        let project = self.project()?;
        self.world.check_ci(self.viewer, project).map_err(denied)?;
        Ok(project)
    }

    /// The project named in the path, when its environments and deployments can be read.
    pub fn project_with_deployments(&self) -> Result<&'a Project, Problem> {
        let project = self.project()?;
        self.world.check_deployments(self.viewer, project).map_err(denied)?;
        Ok(project)
    }

    /// The pipeline named in the path.
    pub fn pipeline(&self) -> Result<&'a Pipeline, Problem> {
        let project = self.project_with_ci()?;
        let id = self.part("pipeline_id").parse().ok();
        let pipeline = id.and_then(|id: i64| self.world.ci.pipelines.get(&id));
        pipeline.filter(|it| it.project_id == project.id).ok_or(NOT_FOUND)
    }
}
