//! What the texts of issues name, for texts as people write them: words between spaces.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use super::{Row, row};
use crate::world::issue::Issue;
use crate::world::model::{Project, World};

/// The links of an issue.
pub(super) fn links(world: &World, issue: &Issue) -> Vec<Row> {
    let Some(project) = world.projects.get(&issue.project_id) else { return Vec::new() };
    let mut found = BTreeMap::new();
    for text in [Some(&issue.title), issue.description.as_ref()].into_iter().flatten() {
        // A fence opens and closes on lines of its own; every second part is code.
        for prose in text.split("```").step_by(2) {
            for word in prose.split(|it: char| it.is_whitespace() || "[]<>".contains(it)) {
                if let Some(link) = link(world, project, word) {
                    found.insert((link["kind"].to_string(), link["target"].to_string()), link);
                }
            }
        }
    }
    let whole = |mut link: Value| {
        link["project_id"] = json!(issue.project_id);
        link["issue_id"] = json!(issue.id);
        row(link)
    };
    found.into_values().map(whole).collect()
}

fn link(world: &World, project: &Project, word: &str) -> Option<Value> {
    let inner = match word.strip_prefix('(') {
        Some(inner) => inner.trim_end_matches(['.', ',', ';']).strip_suffix(')').unwrap_or(inner),
        None => word.trim_end_matches(['.', ',', ';', '+']),
    };
    if let Some(url) = Url::parse(inner).ok().filter(|it| it.scheme().starts_with("http")) {
        return address(world, project, &url);
    }
    let at = inner.find(['!', '#'])?;
    let (path, sign, iid) = (&inner[..at], &inner[at..=at], inner[at + 1..].parse().ok()?);
    (path.is_empty() || path.contains('/')).then(|| reference(project, path, sign, iid))
}

fn address(world: &World, project: &Project, url: &Url) -> Option<Value> {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    if let Some(page) = plain.as_str().strip_prefix(&format!("{}/", world.url)) {
        let (path, rest) = page.split_once("/-/")?;
        let (kind, iid) = rest.split_once('/')?;
        let sign = if kind == "merge_requests" { "!" } else { "#" };
        return Some(reference(project, path, sign, iid.parse().ok()?));
    }
    let mut link = nothing("url", plain.as_str());
    link["host"] = json!(plain.host_str()?);
    Some(link)
}

fn reference(project: &Project, path: &str, sign: &str, iid: i64) -> Value {
    let kind = if sign == "!" { "merge_request" } else { "issue" };
    let mut link = nothing(kind, &format!("{path}{sign}{iid}"));
    link["target_iid"] = json!(iid);
    match path.is_empty() {
        true => link["target_project_id"] = json!(project.id),
        false => link["target_project_path"] = json!(path),
    }
    link
}

fn nothing(kind: &str, target: &str) -> Value {
    json!({
        "kind": kind,
        "target": target,
        "target_project_id": null,
        "target_project_path": null,
        "target_iid": null,
        "host": null,
    })
}
