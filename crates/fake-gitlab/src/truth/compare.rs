//! Compares rows that were stored with the truth, field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// What is wrong with the stored rows of a table, a line for each field. Times are compared to the second.
pub fn differences(table: &str, wanted: &[Row], stored: &[Row]) -> Vec<String> {
    let wanted_by: BTreeMap<String, &Row> = wanted.iter().map(|row| (key(table, row), row)).collect();
    let stored_by: BTreeMap<String, &Row> = stored.iter().map(|row| (key(table, row), row)).collect();
    let mut wrong = Vec::new();
    for (key, row) in &wanted_by {
        match stored_by.get(key) {
            None => wrong.push(format!("{table} {key}: missing")),
            Some(found) => wrong.extend(fields(table, key, row, found)),
        }
    }
    let extra = stored_by.keys().filter(|key| !wanted_by.contains_key(*key));
    wrong.extend(extra.map(|key| format!("{table} {key}: not in GitLab")));
    wrong
}

fn fields(table: &str, key: &str, wanted: &Row, found: &Row) -> Vec<String> {
    let differs = |(name, value): (&String, &Value)| {
        let skipped = table == "gitlab_reviews" && name == "id" && value.as_i64().is_none_or(|it| it < 0);
        let (left, right) = (normal(name, value), normal(name, found.get(name).unwrap_or(&Value::Null)));
        (!skipped && left != right).then(|| format!("{table} {key} {name}: GitLab {left}, stored {right}"))
    };
    wanted.iter().filter_map(differs).collect()
}

/// What identifies a row, on both sides.
fn key(table: &str, row: &Row) -> String {
    let columns: &[&str] = match table {
        "gitlab_group_members" => &["group_id", "user_id"],
        "gitlab_project_members" => &["project_id", "user_id"],
        "gitlab_merge_request_labels" => &["merge_request_id", "label_id"],
        "gitlab_merge_request_assignees"
        | "gitlab_merge_request_reviewers"
        | "gitlab_merge_request_approvals" => &["merge_request_id", "user_id"],
        "gitlab_merge_request_approval_rules" => &["merge_request_id", "id"],
        "gitlab_merge_request_approval_rule_approvals" => &["merge_request_id", "rule_id", "user_id"],
        "gitlab_reviews" if row["review_type"] != "commented" => &["merge_request_id", "user_id"],
        "gitlab_deployment_merge_requests" => &["deployment_id", "merge_request_id"],
        "gitlab_labels" | "gitlab_milestones" => &["project_id", "id"],
        "gitlab_commits" => &["project_id", "sha"],
        "gitlab_merge_request_commits" => &["merge_request_id", "sha"],
        "gitlab_issue_labels" => &["issue_id", "label_id"],
        "gitlab_issue_assignees" => &["issue_id", "user_id"],
        "gitlab_issue_links" => &["issue_id", "kind", "target"],
        "gitlab_effective_members" => &["project_id", "user_id"],
        _ => &["id"],
    };
    let verdict = if table == "gitlab_reviews" && columns.len() == 2 { "verdict " } else { "" };
    format!("{verdict}{}", columns.iter().map(|it| row[*it].to_string()).collect::<Vec<_>>().join("/"))
}

/// Times to the second; a number is the same with a fraction of nought and without.
fn normal(name: &str, value: &Value) -> Value {
    let is_time = name.ends_with("_at") || name == "ready_for_review";
    match value.as_str() {
        Some(text) if is_time && text.len() >= 19 => Value::String(text[..19].replace(' ', "T")),
        _ if value.is_f64() => value.as_f64().filter(|it| it.fract() == 0.0).map_or(value.clone(), whole),
        _ => value.clone(),
    }
}

fn whole(number: f64) -> Value {
    Value::from(number as i64)
}
