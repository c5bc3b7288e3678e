//! Bridges: jobs that trigger a pipeline, in their own project or in another.

use super::{JobOutcome, NewPipeline};
use crate::world::model::{CiStatus, FailureReason, Id, PipelineSource, World};

impl World {
    /// Lets a bridge make a child pipeline, and succeed by that.
    pub fn trigger_child(&mut self, bridge_id: Id) -> Id {
        let parent = &self.ci.pipelines[&self.ci.pipeline_of[&bridge_id]];
        let child = NewPipeline {
            project_id: parent.project_id,
            source: PipelineSource::ParentPipeline,
            git_ref: parent.git_ref.to_string(),
            tag: parent.tag,
            user_id: parent.user_id,
            sha: Some(parent.sha.clone()),
        };
        self.trigger(bridge_id, child)
    }

    /// Lets a bridge make a pipeline on the default branch of another project.
    pub fn trigger_downstream(&mut self, bridge_id: Id, project_id: Id) -> Id {
        let upstream = &self.ci.pipelines[&self.ci.pipeline_of[&bridge_id]];
        let branch = self.projects[&project_id].default_branch.clone();
        let downstream = NewPipeline {
            project_id,
            source: PipelineSource::Pipeline,
            git_ref: branch.unwrap_or_else(|| "main".to_owned()),
            tag: false,
            user_id: upstream.user_id,
            sha: None,
        };
        self.trigger(bridge_id, downstream)
    }

    fn trigger(&mut self, bridge_id: Id, new: NewPipeline) -> Id {
        let id = self.create_pipeline(new);
        self.pipeline_mut(id).source_job_id = Some(bridge_id);
        let bridge = self.job_mut(bridge_id);
        bridge.downstream_id = Some(id);
        if bridge.status != CiStatus::Success {
            self.finish_job(bridge_id, JobOutcome::Success);
        }
        id
    }

    /// Lets a bridge fail because GitLab could not make the pipeline; `errors` are its words about that.
    pub fn fail_bridge(&mut self, bridge_id: Id, reason: FailureReason, errors: Option<&str>) {
        let errors = errors.map(|text| self.ci.share(text));
        self.job_mut(bridge_id).downstream_errors = errors;
        self.finish_job(bridge_id, JobOutcome::Failed(reason));
    }
}
