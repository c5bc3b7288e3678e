//! Labels of projects and groups. They have no timestamps: readers need the whole list.

use serde::Serialize;
use serde_json::{Value, json};

use super::params::{Declared, given, or, path};
use super::{Answer, Ask};
use crate::world::model::{Group, Id, Label, MergeRequestState, Owner};

const OF_PROJECT: &[Declared] =
    &[path("id", "id"), or("include_ancestor_groups", "true"), given("search"), or("with_counts", "false")];

const OF_GROUP: &[Declared] = &[
    path("id", "id"),
    or("include_ancestor_groups", "true"),
    or("include_descendant_groups", "false"),
    or("only_group_labels", "true"),
    given("search"),
    or("with_counts", "false"),
];

/// A label inside a merge request.
#[derive(Debug, Serialize)]
pub struct LabelBasic<'a> {
    id: Id,
    name: &'a str,
    color: &'a str,
    text_color: &'static str,
    description: Option<&'a str>,
    description_html: &'a str,
}

/// A label as `with_labels_details` shows it.
pub fn label_basic(label: &Label) -> LabelBasic<'_> {
    LabelBasic {
        id: label.id,
        name: &label.title,
        color: &label.color,
        text_color: "#FFFFFF",
        description: label.description.as_deref(),
        description_html: label.description.as_deref().unwrap_or_default(),
    }
}

/// `GET /projects/:id/labels`
pub fn of_project(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    let mut owners = vec![Owner::Project(project.id)];
    if ask.query.switch("include_ancestor_groups", true)? {
        owners.extend(ask.world.project_groups(project).into_iter().map(Owner::Group));
    }
    answer(ask, OF_PROJECT, &owners, true)
}

/// `GET /groups/:id/labels`
pub fn of_group(ask: &Ask<'_>) -> Answer {
    let group = ask.group()?;
    let mut owners = group_owners(ask, group)?;
    if !ask.query.switch("only_group_labels", true)? {
        owners.extend(
            ask.index.group_projects.get(&group.id).into_iter().flatten().copied().map(Owner::Project),
        );
    }
    answer(ask, OF_GROUP, &owners, false)
}

fn group_owners(ask: &Ask<'_>, group: &Group) -> Result<Vec<Owner>, super::Problem> {
    let mut groups = vec![group.id];
    if ask.query.switch("include_ancestor_groups", true)? {
        groups = ask.world.group_and_ancestors(group.id);
    }
    if ask.query.switch("include_descendant_groups", false)? {
        groups.extend(ask.index.descendants(group.id));
    }
    Ok(groups.into_iter().map(Owner::Group).collect())
}

fn answer(ask: &Ask<'_>, declared: &[Declared], owners: &[Owner], in_project: bool) -> Answer {
    let search = ask.query.get("search").unwrap_or_default().to_lowercase();
    let counts = ask.query.switch("with_counts", false)?;
    let ids = owners.iter().flat_map(|owner| ask.index.labels.get(owner).into_iter().flatten());
    let mut labels: Vec<&Label> = ids.filter_map(|id| ask.world.labels.get(id)).collect();
    labels.retain(|label| label.title.to_lowercase().contains(&search));
    labels.sort_by_key(|label| (&label.title, label.id));
    let page = ask.page(labels.len())?;
    ask.paged(declared, page, &labels, |label| view(ask, label, counts, in_project))
}

fn view(ask: &Ask<'_>, label: &Label, counts: bool, in_project: bool) -> Value {
    let mut body = json!(label_basic(label));
    body["subscribed"] = json!(false);
    if in_project {
        body["priority"] = Value::Null;
        body["is_project_label"] = json!(matches!(label.owner, Owner::Project(_)));
    }
    if counts {
        let issues = || ask.world.issues.values().filter(|it| it.label_ids.contains(&label.id));
        let open = issues().filter(|it| it.is_open()).count();
        body["open_issues_count"] = json!(open);
        body["closed_issues_count"] = json!(issues().count() - open);
        body["open_merge_requests_count"] = json!(open_merge_requests(ask, label));
    }
    body
}

fn open_merge_requests(ask: &Ask<'_>, label: &Label) -> usize {
    let open = ask.world.merge_requests.values().filter(|mr| mr.state == MergeRequestState::Opened);
    open.filter(|mr| mr.label_ids.contains(&label.id)).count()
}
