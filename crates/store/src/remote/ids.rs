//! The ids of Weir in what an operation was given.

use catalogue::{Batch, Instance, Pending, Rows};

use super::owned::OwnedPage;
use crate::{Lease, Partition, PartitionKey, Proof, Skip, Trunk, TrunkSigns, Unit};

/// What has ids of Weir in it.
pub(super) trait Ids {
    /// All of them. None where they cannot be told.
    fn ids(&self) -> Option<Vec<i64>>;
}

impl Ids for i64 {
    fn ids(&self) -> Option<Vec<i64>> {
        Some(vec![*self])
    }
}

/// Pairs of an id and a count, or of two ids: a count is small enough to pass for an id of the first instance alone, so only
/// the first is an id here.
impl Ids for (i64, i64) {
    fn ids(&self) -> Option<Vec<i64>> {
        Some(vec![self.0])
    }
}

impl<T: Ids> Ids for Vec<T> {
    fn ids(&self) -> Option<Vec<i64>> {
        let mut all = Vec::with_capacity(self.len());
        for one in self {
            all.extend(one.ids()?);
        }
        Some(all)
    }
}

impl<T: Ids> Ids for Option<T> {
    fn ids(&self) -> Option<Vec<i64>> {
        self.as_ref().map_or_else(|| Some(Vec::new()), T::ids)
    }
}

/// A type and the field of it that is an id.
macro_rules! by_field {
    ($($type:ty: $($field:ident).+),* $(,)?) => {
        $(impl Ids for $type {
            fn ids(&self) -> Option<Vec<i64>> {
                Some(vec![self.$($field).+])
            }
        })*
    };
}

by_field! {
    Unit: parent_id,
    Lease: unit.parent_id,
    PartitionKey: parent_id,
    Partition: key.parent_id,
    Proof: project_id,
    Skip: parent_id,
    TrunkSigns: project_id,
    Trunk: signs.project_id,
    crate::Reject: parent_id,
    crate::WebhookHint: project_id,
}

impl Ids for Batch {
    fn ids(&self) -> Option<Vec<i64>> {
        self.ids_of_weir()
    }
}

impl Ids for Rows {
    fn ids(&self) -> Option<Vec<i64>> {
        let mut all = self.batches.ids()?;
        all.extend(self.complete.iter().flat_map(|it| it.values.iter().copied()));
        let named = self.named_labels.iter().chain(&self.named_issue_labels);
        all.extend(named.flat_map(|it| [it.0, it.1]));
        all.extend(self.touched.iter().chain(&self.touched_pipelines).flat_map(|it| [it.0, it.1]));
        Some(all)
    }
}

/// Lists are named by GitLab's ids, which have to fit into those of one instance.
pub(super) fn of_lists<'a>(instance: i64, lists: impl IntoIterator<Item = &'a Pending>) -> Option<Vec<i64>> {
    let fits = |id: &i64| (0..Instance::SPAN).contains(id);
    let all = lists.into_iter().flat_map(|it| [it.project, it.parent]);
    all.map(|id| fits(&id).then(|| Instance(instance).id(id))).collect()
}

impl Ids for OwnedPage {
    fn ids(&self) -> Option<Vec<i64>> {
        let mut all = self.rows.ids()?;
        all.extend(of_lists(self.instance, &self.rows.pending)?);
        all.extend(of_lists(self.instance, self.done.iter().map(|it| &it.pending))?);
        all.extend(self.progress.ids()?);
        all.extend(self.stood.ids()?);
        all.extend(self.lease.ids()?);
        all.extend(self.rejects.ids()?);
        all.extend(self.label_projects.ids()?);
        all.extend(self.milestone_projects.ids()?);
        all.extend(self.trunk.iter().map(|it| it.trunk.signs.project_id));
        all.extend(self.listed.iter().map(|it| it.parent_id));
        Some(all)
    }
}

/// Whether an id is of this instance. 0 stands for the instance itself.
pub(super) fn is_within(instance: i64, id: i64) -> bool {
    id == 0 || Instance(instance).holds(id)
}
