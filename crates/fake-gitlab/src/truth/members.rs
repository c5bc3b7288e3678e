//! Members in effect.

use serde_json::json;

use super::{Reading, Row, Sight, row};
use crate::world::access::Viewer;
use crate::world::model::{Project, World};

/// The members of every visible project in effect, each with the highest level of direct, inherited and invited
/// memberships.
pub fn effective_members(world: &World, viewer: &Viewer) -> Vec<Row> {
    let sight = Sight::new(world, viewer, Reading::default());
    let of = |project: &&Project| {
        let project_id = project.id;
        let members = world.effective_members(project).into_iter();
        let rows = members.map(move |(user_id, it)| {
            row(json!({ "project_id": project_id, "user_id": user_id, "access_level": it.access_level }))
        });
        rows.collect::<Vec<_>>()
    };
    sight.projects.iter().flat_map(of).collect()
}
