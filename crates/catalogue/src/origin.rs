//! Where a record was read, which is what turns GitLab's numbers into Weir's ids.

/// Number of a GitLab instance; the first is 0, so that there ids are GitLab's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instance(pub i64);

impl Instance {
    /// Ids of one instance fit below this.
    pub const SPAN: i64 = 1 << 44;

    /// Weir's id for GitLab's.
    pub fn id(self, source_id: i64) -> i64 {
        self.0 * Self::SPAN + source_id
    }

    /// Whether this is an id of Weir for something of this instance.
    pub fn holds(self, id: i64) -> bool {
        id >= 0 && id / Self::SPAN == self.0
    }

    /// GitLab's id for Weir's.
    pub fn source_id(self, id: i64) -> i64 {
        id - self.0 * Self::SPAN
    }
}

/// The place of a record: the instance, and GitLab's ids of the parents it was read under.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The GitLab it comes from.
    pub instance: Instance,
    /// The project it was read under, 0 where there is none.
    pub project: i64,
    /// The group it was read under, 0 where there is none.
    pub group: i64,
    /// The merge request (GitLab's id, not its iid) it was read under, 0 where there is none.
    pub merge_request: i64,
    /// The pipeline (GitLab's id) it was read under, 0 where there is none.
    pub pipeline: i64,
    /// The deployment (GitLab's id) it was read under, 0 where there is none.
    pub deployment: i64,
    /// The issue (GitLab's id) it was read under, 0 where there is none.
    pub issue: i64,
    /// Whether texts of notes and issues are to be kept.
    pub keep_bodies: bool,
    /// Whether the approval rules of a merge request are to be read after it.
    pub approval_rules: bool,
    /// Whether the merge requests of a deployment are to be read after it.
    pub deployment_merge_requests: bool,
}

impl Origin {
    /// The instance itself.
    pub fn instance(instance: Instance) -> Origin {
        Origin {
            instance,
            project: 0,
            group: 0,
            merge_request: 0,
            pipeline: 0,
            deployment: 0,
            issue: 0,
            keep_bodies: false,
            approval_rules: false,
            deployment_merge_requests: false,
        }
    }

    /// Below a group.
    pub fn group(self, group: i64) -> Origin {
        Origin { group, ..self }
    }

    /// Below a project.
    pub fn project(self, project: i64) -> Origin {
        Origin { project, ..self }
    }

    /// Below a merge request.
    pub fn merge_request(self, merge_request: i64) -> Origin {
        Origin { merge_request, ..self }
    }

    /// Below a pipeline.
    pub fn pipeline(self, pipeline: i64) -> Origin {
        Origin { pipeline, ..self }
    }

    /// Below a deployment.
    pub fn deployment(self, deployment: i64) -> Origin {
        Origin { deployment, ..self }
    }

    pub(crate) fn deployment_id(&self) -> i64 {
        self.instance.id(self.deployment)
    }

    /// Below an issue.
    pub fn issue(self, issue: i64) -> Origin {
        Origin { issue, ..self }
    }

    pub(crate) fn issue_id(&self) -> i64 {
        self.instance.id(self.issue)
    }

    pub(crate) fn pipeline_id(&self) -> i64 {
        self.instance.id(self.pipeline)
    }

    pub(crate) fn id(&self, source_id: i64) -> i64 {
        self.instance.id(source_id)
    }

    pub(crate) fn project_id(&self) -> i64 {
        self.instance.id(self.project)
    }

    pub(crate) fn group_id(&self) -> i64 {
        self.instance.id(self.group)
    }

    pub(crate) fn merge_request_id(&self) -> i64 {
        self.instance.id(self.merge_request)
    }
}
