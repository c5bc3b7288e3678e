//! What the asking user may see. The server implements it for its users; tests use [`EverythingVisible`].

use crate::world::model::Id;

/// The rights of whoever asks.
pub trait Sight {
    /// Whether the project exists for this user at all.
    fn sees_project(&self, project_id: Id) -> bool;
    /// Whether the group exists for this user at all.
    fn sees_group(&self, group_id: Id) -> bool;
    /// Whether this user may read the project's merge requests: feature switched on, and role high enough.
    fn sees_merge_requests(&self, project_id: Id) -> bool;
    /// Whether this user may read issues that are not confidential.
    fn sees_issues(&self, project_id: Id) -> bool;
    /// Whether this user may read the project's pipelines and jobs; where a test does not say, whoever sees the project.
    fn sees_ci(&self, project_id: Id) -> bool {
        self.sees_project(project_id)
    }
    /// Whether this user may read code, and so learns the default branch.
    fn sees_code(&self, project_id: Id) -> bool;
    /// Whether this user may read internal notes: Reporter and above.
    fn sees_internal_notes(&self, project_id: Id) -> bool;
    /// None without a token.
    fn user_id(&self) -> Option<Id>;
    /// The user's role in the project; 0 for none.
    fn access_level(&self, project_id: Id) -> i32 {
        if self.is_member(project_id) { 40 } else { 0 }
    }
    /// Whether this user is a member of the project, directly or through a group.
    fn is_member(&self, project_id: Id) -> bool;
}

/// A user who sees and may read everything.
#[derive(Debug, Clone, Copy)]
pub struct EverythingVisible {
    pub user_id: Option<Id>,
}

impl Sight for EverythingVisible {
    fn sees_project(&self, _: Id) -> bool {
        true
    }
    fn sees_group(&self, _: Id) -> bool {
        true
    }
    fn sees_merge_requests(&self, _: Id) -> bool {
        true
    }
    fn sees_issues(&self, _: Id) -> bool {
        true
    }
    fn sees_code(&self, _: Id) -> bool {
        true
    }
    fn sees_internal_notes(&self, _: Id) -> bool {
        true
    }
    fn user_id(&self) -> Option<Id> {
        self.user_id
    }
    fn is_member(&self, _: Id) -> bool {
        true
    }
}
