//! Groups.

use serde_json::{Value, json};

use super::Millis;
use crate::world::model::{Group, World};

/// A group as lists show it.
pub fn group(world: &World, group: &Group) -> Value {
    let full_path = world.group_full_path(group.id);
    json!({
        "id": group.id,
        "web_url": format!("{}/groups/{full_path}", world.url),
        "name": group.name,
        "path": group.path,
        "description": "",
        "visibility": group.visibility,
        "share_with_group_lock": false,
        "require_two_factor_authentication": false,
        "two_factor_grace_period": 48,
        "project_creation_level": "developer",
        "auto_devops_enabled": null,
        "subgroup_creation_level": "maintainer",
        "emails_disabled": false,
        "emails_enabled": true,
        "mentions_disabled": null,
        "lfs_enabled": true,
        "archived": false,
        "default_branch": null,
        "default_branch_protection": 2,
        "avatar_url": null,
        "request_access_enabled": true,
        "full_name": world.group_full_name(group.id),
        "full_path": full_path,
        "created_at": Millis(group.created_at),
        "parent_id": group.parent_id,
        "organization_id": 1,
        "shared_runners_setting": "enabled",
        "ldap_cn": null,
        "ldap_access": null,
        "marked_for_deletion_on": null,
        "wiki_access_level": "enabled",
    })
}
