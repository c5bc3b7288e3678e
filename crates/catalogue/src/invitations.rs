//! Groups that were invited into projects:
//! <https://docs.gitlab.com/user/project/members/sharing_projects_groups/>.
//!
//! A project tells them in the listing of projects, which is read anyway. Groups invited into groups are not read: GitLab
//! tells them only where a group is asked for alone, which would be a request for each group in every sync.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::members::day;
use crate::row::row;
use crate::{Origin, Rows, Table};

/// Where groups invited into projects are stored.
pub static TABLE: Table = Table {
    name: "gitlab_project_invited_groups",
    key: &["project_id", "group_id"],
    version: None,
    fill: &[],
};

row! {
    InvitedGroupRow in TABLE { project_id: i64, group_id: i64, access_level: i64, expires_at: Option<NaiveDate> }
}

/// An invitation, as it stands in a project. GitLab may hide the group from those who do not see it.
#[derive(Debug, Deserialize)]
pub(crate) struct Invitation<'a> {
    #[serde(default)]
    group_id: Option<i64>,
    #[serde(default)]
    group_access_level: Option<i64>,
    #[serde(borrow, default)]
    expires_at: Option<Cow<'a, str>>,
}

/// Stores all the groups that were invited into a project.
pub(crate) fn store(project: &Origin, all: &[Invitation], out: &mut Rows) -> serde_json::Result<()> {
    let project_id = project.project_id();
    for it in all {
        let (Some(group), Some(access_level)) = (it.group_id, it.group_access_level) else { continue };
        let expires_at = it.expires_at.as_deref().map(day).transpose()?;
        out.push(&InvitedGroupRow { project_id, group_id: project.id(group), access_level, expires_at });
    }
    out.complete(&TABLE, &["project_id"], &[project_id]);
    Ok(())
}
