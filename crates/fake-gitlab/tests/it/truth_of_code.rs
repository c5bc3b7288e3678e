//! The truth about commits and issues: there when asked for, and what REST lists.

use std::collections::BTreeSet;

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::{Reading, Row, Tables, differences, truth};
use serde_json::{Value, json};

use crate::client::{all, tiny};

fn tables(fake: &FakeGitlab) -> Tables {
    let reading = Reading::default().with("gitlab_commits").with("gitlab_commits_trunk").with_issues();
    truth(&fake.world(), &fake.viewer(), reading)
}

fn of<'t>(tables: &'t Tables, table: &str, project: &Value) -> Vec<&'t Row> {
    tables[table].iter().filter(|row| row["project_id"] == *project).collect()
}

/// A column of both sides, times to the second in UTC.
fn compared(rows: &[&Row], ours: &str, listed: &[Value], theirs: &str) {
    let normal =
        |value: &Value| match value.as_str().and_then(|it| chrono::DateTime::parse_from_rfc3339(it).ok()) {
            Some(time) => json!(time.timestamp()),
            None => value.clone(),
        };
    let ours: Vec<String> = rows.iter().map(|row| normal(&row[ours]).to_string()).collect();
    let theirs: Vec<String> = listed.iter().map(|row| normal(&row[theirs]).to_string()).collect();
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn new_tables_come_only_when_asked_for() {
    let fake = tiny().await;
    let known: BTreeSet<&str> =
        truth(&fake.world(), &fake.viewer(), Reading::default()).into_keys().collect();
    assert!(!known.contains("gitlab_commits") && known.contains("gitlab_merge_requests"));
    let all: BTreeSet<&str> = tables(&fake).into_keys().collect();
    let new: Vec<&str> = all.difference(&known).copied().collect();
    let wanted = [
        "gitlab_commits",
        "gitlab_issue_assignees",
        "gitlab_issue_labels",
        "gitlab_issue_links",
        "gitlab_issues",
        "gitlab_merge_request_commits",
    ];
    assert_eq!(new, wanted);
}

#[tokio::test]
async fn commits_are_what_rest_lists() {
    let fake = tiny().await;
    let tables = tables(&fake);
    let projects: Vec<Value> = tables["gitlab_projects"].iter().map(|row| row["id"].clone()).collect();
    let mut seen = 0;
    for project in projects {
        let rows = of(&tables, "gitlab_commits", &project);
        if rows.is_empty() {
            continue;
        }
        let listed = all(&fake, &format!("/projects/{project}/repository/commits?per_page=100")).await;
        for (ours, theirs) in [
            ("sha", "id"),
            ("title", "title"),
            ("author_name", "author_name"),
            ("author_email", "author_email"),
            ("authored_at", "authored_date"),
            ("committer_email", "committer_email"),
            ("committed_at", "committed_date"),
            ("parent_shas", "parent_ids"),
        ] {
            compared(&rows, ours, &listed, theirs);
        }
        assert!(rows.iter().all(|row| row["additions"].is_null()));
        seen += 1;
    }
    assert_eq!(seen, 4, "one of five projects is empty");
}

#[tokio::test]
async fn sizes_of_commits_are_there_when_asked_for() {
    let fake = tiny().await;
    let reading = Reading { commit_statistics: true, ..Reading::default().with("gitlab_commits_trunk") };
    let rows = &truth(&fake.world(), &fake.viewer(), reading)["gitlab_commits"];
    assert!(rows.iter().all(|row| row["additions"].is_i64() && row["deletions"].is_i64()));
}

#[tokio::test]
async fn commits_of_merge_requests_are_what_rest_lists() {
    let fake = tiny().await;
    let tables = tables(&fake);
    for mr in tables["gitlab_merge_requests"].iter().step_by(9) {
        let rows: Vec<&Row> = tables["gitlab_merge_request_commits"]
            .iter()
            .filter(|row| row["merge_request_id"] == mr["id"])
            .collect();
        let path =
            format!("/projects/{}/merge_requests/{}/commits?per_page=100", mr["project_id"], mr["iid"]);
        let listed = all(&fake, &path).await;
        compared(&rows, "sha", &listed, "id");
        compared(&rows, "title", &listed, "title");
        compared(&rows, "authored_at", &listed, "authored_date");
    }
}

#[tokio::test]
async fn issues_are_what_rest_lists() {
    let fake = tiny().await;
    let tables = truth(&fake.world(), &fake.viewer(), Reading::REST.with_issues());
    let project = &tables["gitlab_issues"][0]["project_id"];
    let mut rows = of(&tables, "gitlab_issues", project);
    rows.sort_by_key(|row| row["iid"].as_i64());
    let mut listed = all(&fake, &format!("/projects/{project}/issues?per_page=100")).await;
    listed.sort_by_key(|row| row["iid"].as_i64());
    for column in
        ["id", "title", "state", "confidential", "due_date", "created_at", "updated_at", "closed_at"]
    {
        compared(&rows, column, &listed, column);
    }
    compared(&rows, "type", &listed, "issue_type");
    for (row, listed) in rows.iter().zip(&listed) {
        assert_eq!(row["user_id"], listed["author"]["id"]);
        assert_eq!(row["closed_by_user_id"], listed["closed_by"]["id"]);
        assert_eq!(row["milestone_id"], listed["milestone"]["id"]);
        assert_eq!(row["severity"].is_string(), listed["type"] == "INCIDENT");
    }
    let labels = of(&tables, "gitlab_issue_labels", project).len();
    let carried: usize = listed.iter().map(|row| row["labels"].as_array().unwrap().len()).sum();
    assert_eq!(labels, carried);
}

#[tokio::test]
async fn everyone_in_issues_is_a_user() {
    let fake = tiny().await;
    let tables = tables(&fake);
    let users: BTreeSet<i64> = tables["gitlab_users"].iter().map(|row| row["id"].as_i64().unwrap()).collect();
    for table in ["gitlab_issues", "gitlab_issue_assignees"] {
        assert!(tables[table].iter().all(|row| users.contains(&row["user_id"].as_i64().unwrap())));
    }
}

#[tokio::test]
async fn graphql_does_not_tell_who_closed_an_issue() {
    let fake = tiny().await;
    let by = |reading: Reading| {
        let tables = truth(&fake.world(), &fake.viewer(), reading.with_issues());
        tables["gitlab_issues"].iter().filter(|row| !row["closed_by_user_id"].is_null()).count()
    };
    assert!(by(Reading::REST) > 0);
    assert_eq!(by(Reading::GRAPHQL), 0);
}

#[tokio::test]
async fn rows_are_compared_by_their_keys() {
    let fake = tiny().await;
    for (table, rows) in tables(&fake) {
        assert!(differences(table, &rows, &rows).is_empty());
        assert!(rows.len() < 2 || differences(table, &rows, &rows[1..]).len() == 1, "{table}");
    }
}
