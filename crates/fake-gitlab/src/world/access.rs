//! Who may see what: GitLab's rules, as far as the fake needs them.

mod ci;

use super::issue::Issue;
use super::model::{Group, Id, MergeRequest, Namespace, Note, Project, World};

/// Access level of a guest.
pub const GUEST: i32 = 10;
/// Access level of a reporter: the least that reads merge requests of a private project.
pub const REPORTER: i32 = 20;
/// Access level of a developer.
pub const DEVELOPER: i32 = 30;
/// Access level of a maintainer: the least that may see webhooks of a project.
pub const MAINTAINER: i32 = 40;
/// Access level of an owner: the least that may see webhooks of a group.
pub const OWNER: i32 = 50;

/// The user a token acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The person or bot behind the token.
    pub user_id: Id,
    /// For a job token the project it was made in, which is all it sees.
    pub job_project_id: Option<Id>,
}

impl Viewer {
    /// A viewer who sees all that the user sees.
    pub fn of(user_id: Id) -> Self {
        Self { user_id, job_project_id: None }
    }
}

/// Why merge requests of a project cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The project itself is out of sight: GitLab says it does not exist.
    Invisible,
    /// The project is seen, but not its merge requests.
    Forbidden,
}

impl World {
    /// Access level in a group, inherited from the groups above; none for strangers.
    pub fn group_access_level(&self, viewer: &Viewer, group_id: Id) -> Option<i32> {
        let today = self.now.date_naive();
        self.group_and_ancestors(group_id)
            .into_iter()
            .filter_map(|id| self.groups[&id].members.get(&viewer.user_id))
            .filter(|member| member.expires_at.is_none_or(|day| day > today))
            .map(|member| member.access_level)
            .max()
    }

    /// Access level by membership of the project or of a group above it. Shares with other groups are not counted.
    pub fn project_access_level(&self, viewer: &Viewer, project: &Project) -> Option<i32> {
        if viewer.job_project_id.is_some_and(|id| id != project.id) {
            return None;
        }
        let direct = project.members.get(&viewer.user_id).map(|member| member.access_level);
        let owner = (project.namespace == Namespace::User(viewer.user_id)).then_some(50);
        let inherited = match project.namespace {
            Namespace::Group(id) => self.group_access_level(viewer, id),
            Namespace::User(_) => None,
        };
        direct.max(owner).max(inherited)
    }

    /// Whether the group is listed and readable: by membership, by visibility, or for something inside it.
    pub fn can_read_group(&self, viewer: &Viewer, group: &Group) -> bool {
        group.visibility != "private"
            || self.group_access_level(viewer, group.id).is_some()
            || self.belongs_below(viewer, group.id)
    }

    /// GitLab shows a group to members of what lies inside it.
    fn belongs_below(&self, viewer: &Viewer, group_id: Id) -> bool {
        let member_of_group = |group: &Group| {
            group.members.contains_key(&viewer.user_id)
                && self.group_and_ancestors(group.id).contains(&group_id)
        };
        let member_of_project = |project: &Project| {
            project.members.contains_key(&viewer.user_id) && self.project_groups(project).contains(&group_id)
        };
        self.groups.values().any(member_of_group) || self.projects.values().any(member_of_project)
    }

    /// Whether the project can be seen at all. A project shared into a group is seen by that group's members.
    pub fn can_read_project(&self, viewer: &Viewer, project: &Project) -> bool {
        if viewer.job_project_id.is_some() {
            return viewer.job_project_id == Some(project.id);
        }
        let member = self.project_access_level(viewer, project);
        if project.marked_for_deletion_on.is_some() {
            return member.is_some_and(|level| level >= 50);
        }
        project.visibility != "private" || member.is_some() || self.sees_by_share(viewer, project.id)
    }

    fn sees_by_share(&self, viewer: &Viewer, project_id: Id) -> bool {
        let shared = |group: &&Group| group.shared_projects.contains(&project_id);
        self.groups.values().filter(shared).any(|group| self.group_access_level(viewer, group.id).is_some())
    }

    /// Whether merge requests of the project can be read. A Guest reads them only where anyone can.
    pub fn check_merge_requests(&self, viewer: &Viewer, project: &Project) -> Result<(), Denied> {
        if !self.can_read_project(viewer, project) {
            return Err(Denied::Invisible);
        }
        let open_to_all = project.visibility != "private" && project.merge_requests_access_level == "enabled";
        let allowed = match project.merge_requests_access_level.as_str() {
            "disabled" => false,
            _ => open_to_all || self.reads_code(viewer, project),
        };
        if allowed { Ok(()) } else { Err(Denied::Forbidden) }
    }

    /// Whether commits of the project can be read.
    pub fn check_repository(&self, viewer: &Viewer, project: &Project) -> Result<(), Denied> {
        self.check_feature(
            viewer,
            project,
            &project.repository_access_level,
            self.reads_code(viewer, project),
        )
    }

    /// Whether issues of the project can be read. Guests read them too.
    pub fn check_issues(&self, viewer: &Viewer, project: &Project) -> Result<(), Denied> {
        let member = self.project_access_level(viewer, project).is_some_and(|level| level >= GUEST);
        let allowed = member || self.reads_code(viewer, project);
        self.check_feature(viewer, project, &project.issues_access_level, allowed)
    }

    fn check_feature(
        &self,
        viewer: &Viewer,
        project: &Project,
        level: &str,
        allowed: bool,
    ) -> Result<(), Denied> {
        if !self.can_read_project(viewer, project) {
            return Err(Denied::Invisible);
        }
        let open_to_all = project.visibility != "private" && level == "enabled";
        if level != "disabled" && (open_to_all || allowed) { Ok(()) } else { Err(Denied::Forbidden) }
    }

    /// The issues of a project the viewer sees, in the order they were opened. Confidential ones need a Reporter, or
    /// a part in them; where issues cannot be read there are none.
    pub fn visible_issues<'a>(
        &'a self,
        viewer: &Viewer,
        project: &'a Project,
    ) -> impl Iterator<Item = &'a Issue> + use<'a> {
        let readable = self.check_issues(viewer, project).is_ok();
        let level = self.project_access_level(viewer, project);
        let (all, user) = (level.is_some_and(|level| level >= REPORTER), viewer.user_id);
        let issues = project.issue_ids.iter().filter(move |_| readable).filter_map(|id| self.issues.get(id));
        issues.filter(move |it| {
            let open = all || !it.confidential || it.author_id == user || it.assignee_ids.contains(&user);
            open && !self.is_hidden(user, it.author_id)
        })
    }

    /// Whether what somebody wrote is hidden from a user: that of banned users is, from all but administrators.
    pub fn is_hidden(&self, user: Id, author: Id) -> bool {
        let banned = self.users.get(&author).is_some_and(|it| it.state == "banned");
        banned && !self.admins.contains(&user)
    }

    /// Whether the viewer is a member at Reporter or above, by membership or by share.
    pub fn reads_code(&self, viewer: &Viewer, project: &Project) -> bool {
        let member = self.project_access_level(viewer, project).is_some_and(|level| level >= REPORTER);
        member || viewer.job_project_id == Some(project.id) || self.sees_by_share(viewer, project.id)
    }

    /// The default branch, which GitLab hides from those who cannot read the code.
    pub fn default_branch<'a>(&self, viewer: &Viewer, project: &'a Project) -> Option<&'a str> {
        let visible = project.visibility != "private" || self.reads_code(viewer, project);
        let visible = visible && project.repository_access_level != "disabled";
        project.default_branch.as_deref().filter(|_| visible)
    }

    /// The project this one was forked from, where the viewer sees that one.
    pub fn visible_fork_parent(&self, viewer: &Viewer, project: &Project) -> Option<&Project> {
        let parent = self.projects.get(&project.forked_from?)?;
        self.can_read_project(viewer, parent).then_some(parent)
    }

    /// The notes of a merge request the viewer sees, oldest first: internal ones need a Reporter.
    pub fn visible_notes<'a>(
        &'a self,
        viewer: &Viewer,
        merge_request: &'a MergeRequest,
    ) -> impl Iterator<Item = &'a Note> + use<'a> {
        let project = &self.projects[&merge_request.project_id];
        let internal = self.project_access_level(viewer, project).is_some_and(|level| level >= REPORTER);
        let notes = merge_request.note_ids.iter().filter_map(|id| self.notes.get(id));
        notes.filter(move |note| internal || !note.internal)
    }

    /// GitLab's `user_notes_count`: people's notes, internal ones included.
    pub fn user_notes_count(&self, merge_request: &MergeRequest) -> usize {
        merge_request.note_ids.iter().filter_map(|id| self.notes.get(id)).filter(|note| !note.system).count()
    }
}
