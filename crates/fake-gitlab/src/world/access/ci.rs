//! Who may see pipelines, jobs, environments and deployments.

use super::{Denied, Viewer};
use crate::world::model::{Id, Project, World};

impl World {
    /// Whether pipelines and jobs of the project can be read. Where its jobs are public, as they are by default, who
    /// reads the project reads them, a Guest included.
    pub fn check_ci(&self, viewer: &Viewer, project: &Project) -> Result<(), Denied> {
        if !self.can_read_project(viewer, project) {
            return Err(Denied::Invisible);
        }
        let member =
            viewer.job_project_id == Some(project.id) || self.project_access_level(viewer, project).is_some();
        match project.builds_access_level.as_str() {
            "disabled" => Err(Denied::Forbidden),
            "private" if !member => Err(Denied::Forbidden),
            _ if !project.public_jobs && !self.reads_code(viewer, project) => Err(Denied::Forbidden),
            _ => Ok(()),
        }
    }

    /// `environments_access_level` of a project.
    pub fn environments_access(&self, project_id: Id) -> &str {
        self.ci.environments_access.get(&project_id).map_or("enabled", String::as_str)
    }

    /// Whether environments and deployments can be read: where pipelines can, and in a private project from Reporter
    /// on. They vanish with CI/CD, and have a switch of their own.
    pub fn check_deployments(&self, viewer: &Viewer, project: &Project) -> Result<(), Denied> {
        self.check_ci(viewer, project)?;
        let member =
            viewer.job_project_id == Some(project.id) || self.project_access_level(viewer, project).is_some();
        match self.environments_access(project.id) {
            "disabled" => return Err(Denied::Forbidden),
            "private" if !member => return Err(Denied::Forbidden),
            _ => {}
        }
        let allowed = project.visibility != "private" || self.reads_code(viewer, project);
        if allowed { Ok(()) } else { Err(Denied::Forbidden) }
    }
}
