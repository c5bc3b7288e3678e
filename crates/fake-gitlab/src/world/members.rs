//! Who is a member of a project in effect: directly, through the groups above it, and through invited groups.

use std::collections::BTreeMap;

use super::access::DEVELOPER;
use super::model::{Group, Id, Member, Project, World};

/// Levels up to this one give a group's members nothing in its projects.
const MINIMAL: i32 = 5;

/// A member in effect.
#[derive(Debug, Clone, Copy)]
pub struct Effective<'a> {
    /// The membership that is shown: the project's own, or the highest of the others.
    pub shown: &'a Member,
    /// The highest level of all.
    pub access_level: i32,
    /// The level `shown` counts for here.
    counts: i32,
    direct: bool,
}

/// A membership and the level it counts for here.
type Counted<'a> = (&'a Member, i32);

impl World {
    /// The members of a project in effect, by user.
    pub fn effective_members(&self, project: &Project) -> BTreeMap<Id, Effective<'_>> {
        let mut found = BTreeMap::new();
        // Direct memberships are looked up again, so that the borrow is the world's and not the caller's.
        let own = self.projects.get(&project.id).into_iter().flat_map(|it| it.members.values());
        self.take(&mut found, own.map(|it| (it, it.access_level)), true);
        self.take(&mut found, self.of_groups(&self.project_groups(project)), false);
        for (group_id, most) in self.groups_invited_to(project) {
            let invited = self.of_groups(&self.group_and_ancestors(group_id));
            self.take(&mut found, invited.map(|(it, level)| (it, level.min(most))), false);
        }
        found
    }

    /// The members of a group in effect, by user.
    pub fn effective_group_members(&self, group: &Group) -> BTreeMap<Id, Effective<'_>> {
        let mut found = BTreeMap::new();
        self.take(&mut found, self.of_groups(&self.group_and_ancestors(group.id)), false);
        found
    }

    /// Members of these groups and of the groups invited into them. Of those only direct members count.
    fn of_groups<'a>(&'a self, groups: &[Id]) -> impl Iterator<Item = Counted<'a>> + use<'a> {
        let groups: Vec<&Group> = groups.iter().filter_map(|id| self.groups.get(id)).collect();
        let own = groups.clone().into_iter().flat_map(|it| it.members.values());
        let own = own.map(|it| (it, it.access_level)).filter(|(_, level)| *level > MINIMAL);
        own.chain(groups.into_iter().flat_map(|it| self.invited_into(it)))
    }

    fn invited_into<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = Counted<'a>> {
        let invited =
            group.invited_groups.iter().filter_map(|(id, most)| Some((self.groups.get(id)?, *most)));
        invited.flat_map(|(it, most)| it.members.values().map(move |it| (it, it.access_level.min(most))))
    }

    /// Groups a project is shared with, and the highest level their members get in it.
    pub fn groups_invited_to(&self, project: &Project) -> Vec<(Id, i32)> {
        let invited = self.groups.values().filter(|it| it.shared_projects.contains(&project.id));
        invited.map(|it| (it.id, project.invited_groups.get(&it.id).copied().unwrap_or(DEVELOPER))).collect()
    }

    /// Adds memberships that have not ended.
    fn take<'a>(
        &'a self,
        found: &mut BTreeMap<Id, Effective<'a>>,
        members: impl Iterator<Item = Counted<'a>>,
        direct: bool,
    ) {
        let today = self.now.date_naive();
        for (shown, counts) in members.filter(|(it, _)| it.expires_at.is_none_or(|day| day > today)) {
            let new = Effective { shown, access_level: counts, counts, direct };
            let known = found.entry(shown.user_id).or_insert(new);
            let access_level = known.access_level.max(counts);
            if !known.direct && counts > known.counts {
                *known = new;
            }
            known.access_level = access_level;
        }
    }
}
