//! What the executor would otherwise have to search the whole world for. Built once; kept right by
//! [`Index::merge_request_changed`], or built again when anything else changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::world::index::{CiIndex, ProjectCi};
use crate::world::model::{Id, MergeRequest, MergeRequestState, Namespace, Owner, Time, World};

/// Merge requests of one project in one order, as (time, id) with the sign that makes the order ascending; see
/// [`Order::key`].
pub type Ordered = BTreeSet<(i64, Id)>;

/// The orders merge requests can be listed in. Among equal times the highest id comes first, whatever the direction:
/// GitLab breaks ties so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By `updated_at`, otherwise by `created_at`.
    pub updated: bool,
    /// Oldest first.
    pub ascending: bool,
}

impl Order {
    /// Where something stands: keys of later elements are greater.
    pub fn key(self, micros: i64, id: Id) -> (i64, Id) {
        (if self.ascending { micros } else { -micros }, -id)
    }

    /// The column's value of a merge request, in microseconds.
    pub fn value(self, merge_request: &MergeRequest) -> i64 {
        micros(if self.updated { merge_request.updated_at } else { merge_request.created_at })
    }
}

const ORDERS: [Order; 4] = [
    Order { updated: true, ascending: true },
    Order { updated: true, ascending: false },
    Order { updated: false, ascending: true },
    Order { updated: false, ascending: false },
];

/// Look-up tables over a [`World`].
#[derive(Debug, Clone, Default)]
pub struct Index {
    merge_requests: HashMap<Id, ProjectIndex>,
    places: HashMap<Id, Place>,
    project_paths: HashMap<Id, String>,
    group_paths: HashMap<Id, String>,
    projects_by_path: HashMap<String, Id>,
    groups_by_path: HashMap<String, Id>,
    labels: HashMap<OwnerKey, Vec<Id>>,
    milestones: HashMap<OwnerKey, Vec<Id>>,
    subgroups: BTreeMap<Id, Vec<Id>>,
    projects_of_group: HashMap<Id, Vec<Id>>,
    ci: CiIndex,
}

#[derive(Debug, Clone, Default)]
struct ProjectIndex {
    /// One for each of [`ORDERS`].
    ordered: [Ordered; 4],
    by_iid: HashMap<i64, Id>,
    opened: usize,
}

/// Where a merge request was put, so that it can be taken out again.
#[derive(Debug, Clone, Copy)]
struct Place {
    project_id: Id,
    iid: i64,
    updated: i64,
    created: i64,
    opened: bool,
}

impl ProjectIndex {
    /// All at once, which is much faster than one by one.
    fn of(places: &[(Id, Place)]) -> Self {
        let ordered = |order: Order| places.iter().map(|(id, place)| place.key(order, *id)).collect();
        Self {
            ordered: ORDERS.map(ordered),
            by_iid: places.iter().map(|(id, place)| (place.iid, *id)).collect(),
            opened: places.iter().filter(|(_, place)| place.opened).count(),
        }
    }
}

impl Place {
    fn of(merge_request: &MergeRequest) -> Self {
        Self {
            project_id: merge_request.project_id,
            iid: merge_request.iid,
            updated: micros(merge_request.updated_at),
            created: micros(merge_request.created_at),
            opened: merge_request.state == MergeRequestState::Opened,
        }
    }

    fn key(self, order: Order, id: Id) -> (i64, Id) {
        order.key(if order.updated { self.updated } else { self.created }, id)
    }
}

type OwnerKey = (bool, Id);

fn owner_key(owner: Owner) -> OwnerKey {
    match owner {
        Owner::Group(id) => (true, id),
        Owner::Project(id) => (false, id),
    }
}

/// Microseconds since 1970, the precision of GitLab's database.
pub fn micros(time: Time) -> i64 {
    time.timestamp_micros()
}

impl Index {
    /// Reads the whole world.
    pub fn build(world: &World) -> Self {
        let mut index = Self::default();
        index.add_surroundings(world);
        let mut by_project = HashMap::<Id, Vec<(Id, Place)>>::new();
        for it in world.merge_requests.values() {
            by_project.entry(it.project_id).or_default().push((it.id, Place::of(it)));
        }
        for (project_id, places) in by_project {
            index.merge_requests.insert(project_id, ProjectIndex::of(&places));
            index.places.extend(places);
        }
        index
    }

    fn add_surroundings(&mut self, world: &World) {
        self.ci = CiIndex::of(world);
        self.add_groups(world);
        self.add_projects(world);
        for label in world.labels.values() {
            self.labels.entry(owner_key(label.owner)).or_default().push(label.id);
        }
        for milestone in world.milestones.values() {
            self.milestones.entry(owner_key(milestone.owner)).or_default().push(milestone.id);
        }
    }

    /// To be called after anything but merge requests and notes changed: groups, projects, labels, milestones.
    pub fn surroundings_changed(&mut self, world: &World) {
        let merge_requests = std::mem::take(&mut self.merge_requests);
        let places = std::mem::take(&mut self.places);
        *self = Self { merge_requests, places, ..Self::default() };
        self.add_surroundings(world);
    }

    /// To be called after a merge request was made, changed or removed.
    pub fn merge_request_changed(&mut self, world: &World, id: Id) {
        self.take(id);
        if let Some(merge_request) = world.merge_requests.get(&id) {
            self.put(id, Place::of(merge_request));
        }
    }

    fn add_groups(&mut self, world: &World) {
        for group in world.groups.values() {
            let path = group_path(world, group.id);
            self.groups_by_path.insert(path.to_lowercase(), group.id);
            self.group_paths.insert(group.id, path);
            if let Some(parent) = group.parent_id {
                self.subgroups.entry(parent).or_default().push(group.id);
            }
        }
    }

    fn add_projects(&mut self, world: &World) {
        for project in world.projects.values() {
            let namespace = match project.namespace {
                Namespace::Group(id) => {
                    self.projects_of_group.entry(id).or_default().push(project.id);
                    self.group_path(id).to_owned()
                }
                Namespace::User(id) => {
                    world.users.get(&id).map(|user| user.username.clone()).unwrap_or_default()
                }
            };
            let path = format!("{namespace}/{}", project.path);
            self.projects_by_path.insert(path.to_lowercase(), project.id);
            self.project_paths.insert(project.id, path);
        }
    }

    fn put(&mut self, id: Id, place: Place) {
        let project = self.merge_requests.entry(place.project_id).or_default();
        for (order, ordered) in ORDERS.iter().zip(&mut project.ordered) {
            ordered.insert(place.key(*order, id));
        }
        project.by_iid.insert(place.iid, id);
        project.opened += usize::from(place.opened);
        self.places.insert(id, place);
    }

    fn take(&mut self, id: Id) {
        let Some(place) = self.places.remove(&id) else { return };
        let Some(project) = self.merge_requests.get_mut(&place.project_id) else { return };
        for (order, ordered) in ORDERS.iter().zip(&mut project.ordered) {
            ordered.remove(&place.key(*order, id));
        }
        project.by_iid.remove(&place.iid);
        project.opened -= usize::from(place.opened);
    }

    /// A project's merge requests in some order; None where it has none.
    pub fn ordered(&self, project_id: Id, order: Order) -> Option<&Ordered> {
        let at = ORDERS.iter().position(|it| *it == order)?;
        self.merge_requests.get(&project_id).map(|it| &it.ordered[at])
    }

    /// A project's pipelines and jobs.
    pub fn ci(&self, project_id: Id) -> &ProjectCi {
        self.ci.project(project_id)
    }

    /// The merge request with this number within the project.
    pub fn merge_request(&self, project_id: Id, iid: i64) -> Option<Id> {
        self.merge_requests.get(&project_id)?.by_iid.get(&iid).copied()
    }

    /// How many merge requests of the project are open.
    pub fn opened(&self, project_id: Id) -> usize {
        self.merge_requests.get(&project_id).map_or(0, |it| it.opened)
    }

    /// The project's path with its namespace.
    pub fn project_path(&self, id: Id) -> &str {
        self.project_paths.get(&id).map_or("", String::as_str)
    }

    /// The group's path with its ancestors.
    pub fn group_path(&self, id: Id) -> &str {
        self.group_paths.get(&id).map_or("", String::as_str)
    }

    /// The project at a full path, in any case.
    pub fn project_at(&self, path: &str) -> Option<Id> {
        self.projects_by_path.get(&path.to_lowercase()).copied()
    }

    /// The group at a full path, in any case.
    pub fn group_at(&self, path: &str) -> Option<Id> {
        self.groups_by_path.get(&path.to_lowercase()).copied()
    }

    /// Labels that belong to exactly this group or project.
    pub fn labels(&self, owner: Owner) -> &[Id] {
        self.labels.get(&owner_key(owner)).map_or(&[], Vec::as_slice)
    }

    /// Milestones that belong to exactly this group or project.
    pub fn milestones(&self, owner: Owner) -> &[Id] {
        self.milestones.get(&owner_key(owner)).map_or(&[], Vec::as_slice)
    }

    /// Projects directly in the group.
    pub fn projects_of(&self, group_id: Id) -> &[Id] {
        self.projects_of_group.get(&group_id).map_or(&[], Vec::as_slice)
    }

    /// The group and everything below it.
    pub fn self_and_descendants(&self, group_id: Id) -> Vec<Id> {
        let mut found = vec![group_id];
        let mut at = 0;
        while at < found.len() {
            found.extend(self.subgroups.get(&found[at]).into_iter().flatten());
            at += 1;
        }
        found
    }
}

/// The group and everything above it, nearest first.
pub fn self_and_ancestors(world: &World, group_id: Id) -> Vec<Id> {
    let parent = |id: &Id| world.groups.get(id).and_then(|group| group.parent_id);
    std::iter::successors(Some(group_id), parent).collect()
}

fn group_path(world: &World, id: Id) -> String {
    let mut parts: Vec<&str> = self_and_ancestors(world, id)
        .iter()
        .filter_map(|id| world.groups.get(id))
        .map(|it| it.path.as_str())
        .collect();
    parts.reverse();
    parts.join("/")
}
