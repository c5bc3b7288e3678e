//! Members of groups and projects. No merge request moves for them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::world::event::{Change, Happening, MemberMoved};
use crate::world::model::{Id, Member, Owner, User, UserType, World};

impl World {
    /// Creates a user.
    pub fn create_user(&mut self, username: &str, name: &str, user_type: UserType) -> Id {
        let now = self.tick();
        self.ids.user += 1;
        let id = self.ids.user;
        let user = User {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            state: "active".to_owned(),
            user_type,
            created_at: now,
        };
        self.users.insert(id, user);
        self.raise(|world| Happening::User(world.users[&id].clone()));
        id
    }

    /// Bans a user: from all but administrators his issues are hidden.
    pub fn ban_user(&mut self, user_id: Id) {
        self.users.get_mut(&user_id).expect("the user exists").state = "banned".to_owned();
    }

    /// Adds a direct member to a group, or changes the level of one.
    pub fn set_group_member(
        &mut self,
        group_id: Id,
        user_id: Id,
        access_level: i32,
        expires_at: Option<NaiveDate>,
    ) {
        let created_at = self.tick();
        let members = &mut self.groups.get_mut(&group_id).expect("the group exists").members;
        let change = put(members, Member { user_id, access_level, created_at, expires_at });
        self.raise_member(change, Owner::Group(group_id), user_id);
    }

    /// Adds a direct member to a project, or changes the level of one.
    pub fn set_project_member(
        &mut self,
        project_id: Id,
        user_id: Id,
        access_level: i32,
        expires_at: Option<NaiveDate>,
    ) {
        let created_at = self.tick();
        let members = &mut self.projects.get_mut(&project_id).expect("the project exists").members;
        let change = put(members, Member { user_id, access_level, created_at, expires_at });
        self.raise_member(change, Owner::Project(project_id), user_id);
    }

    /// Creates a service account that is a member wherever another user is, with the same rights.
    pub fn create_twin(&mut self, of: Id, username: &str) -> Id {
        let twin = self.create_user(username, username, UserType::ServiceAccount);
        let level =
            |members: &BTreeMap<Id, Member>| members.get(&of).map(|it| (it.access_level, it.expires_at));
        let groups: Vec<_> =
            self.groups.values().filter_map(|it| level(&it.members).map(|level| (it.id, level))).collect();
        let projects: Vec<_> =
            self.projects.values().filter_map(|it| level(&it.members).map(|level| (it.id, level))).collect();
        for (group, (access_level, expires_at)) in groups {
            self.set_group_member(group, twin, access_level, expires_at);
        }
        for (project, (access_level, expires_at)) in projects {
            self.set_project_member(project, twin, access_level, expires_at);
        }
        twin
    }

    /// Removes a direct member of a group.
    pub fn remove_group_member(&mut self, group_id: Id, user_id: Id) {
        let Some(group) = self.groups.get_mut(&group_id) else { return };
        if let Some(member) = group.members.remove(&user_id) {
            let place = Owner::Group(group_id);
            self.raise(|_| Happening::Member(MemberMoved { change: Change::Removed, place, member }));
        }
    }

    /// Removes a direct member of a project.
    pub fn remove_project_member(&mut self, project_id: Id, user_id: Id) {
        let Some(project) = self.projects.get_mut(&project_id) else { return };
        if let Some(member) = project.members.remove(&user_id) {
            let place = Owner::Project(project_id);
            self.raise(|_| Happening::Member(MemberMoved { change: Change::Removed, place, member }));
        }
    }

    fn raise_member(&mut self, change: Change, place: Owner, user_id: Id) {
        self.raise(|world| {
            let members = match place {
                Owner::Group(id) => &world.groups[&id].members,
                Owner::Project(id) => &world.projects[&id].members,
            };
            Happening::Member(MemberMoved { change, place, member: members[&user_id].clone() })
        });
    }
}

/// Adds a membership, or changes level and end of the one there is.
fn put(members: &mut BTreeMap<Id, Member>, new: Member) -> Change {
    match members.get_mut(&new.user_id) {
        Some(member) => {
            (member.access_level, member.expires_at) = (new.access_level, new.expires_at);
            Change::Updated
        }
        None => {
            members.insert(new.user_id, new);
            Change::Created
        }
    }
}
