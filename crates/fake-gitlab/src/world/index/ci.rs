//! What listings of pipelines, jobs, environments and deployments need to know.

use std::collections::HashMap;

use crate::world::model::{CiStatus, Id, Pipeline, PipelineSource, Time, World};

/// What a listing needs to know of a pipeline to filter and order it.
#[derive(Debug, Clone, Copy)]
pub struct PipelineEntry {
    /// GitLab's id.
    pub id: Id,
    /// Number within the project.
    pub iid: i64,
    /// Its status.
    pub status: CiStatus,
    /// What made it.
    pub source: PipelineSource,
    /// When it was made.
    pub created_at: Time,
    /// When it last moved.
    pub updated_at: Time,
}

impl PipelineEntry {
    fn of(pipeline: &Pipeline) -> Self {
        Self {
            id: pipeline.id,
            iid: pipeline.iid,
            status: pipeline.status,
            source: pipeline.source,
            created_at: pipeline.created_at,
            updated_at: pipeline.updated_at,
        }
    }
}

/// The CI/CD of one project. Every list is in order of id.
#[derive(Debug, Clone, Default)]
pub struct ProjectCi {
    /// All pipelines, child pipelines included.
    pub pipelines: Vec<PipelineEntry>,
    /// Jobs and bridges with the pipelines they are in.
    pub jobs: Vec<(Id, Id)>,
    /// Environments.
    pub environments: Vec<Id>,
    /// Deployments.
    pub deployments: Vec<Id>,
}

/// All of them, by project.
#[derive(Debug, Clone, Default)]
pub struct CiIndex {
    projects: HashMap<Id, ProjectCi>,
    nothing: ProjectCi,
}

impl CiIndex {
    /// Reads the whole world once.
    pub fn of(world: &World) -> Self {
        let mut index = Self::default();
        for pipeline in world.ci.pipelines.values() {
            let project = index.projects.entry(pipeline.project_id).or_default();
            project.pipelines.push(PipelineEntry::of(pipeline));
            project.jobs.extend(pipeline.jobs.iter().map(|job| (job.id, pipeline.id)));
        }
        for environment in world.ci.environments.values() {
            index.projects.entry(environment.project_id).or_default().environments.push(environment.id);
        }
        for deployment in world.ci.deployments.values() {
            index.projects.entry(deployment.project_id).or_default().deployments.push(deployment.id);
        }
        index.projects.values_mut().for_each(|project| project.jobs.sort_unstable());
        index
    }

    /// The CI/CD of a project; empty where it has none.
    pub fn project(&self, id: Id) -> &ProjectCi {
        self.projects.get(&id).unwrap_or(&self.nothing)
    }
}
