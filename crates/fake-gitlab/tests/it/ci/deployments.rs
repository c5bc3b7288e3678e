//! Environments, deployments, and the merge requests they brought.

use serde_json::json;

use super::{ids, rows, second};
use crate::client::{all, first_project, get, tiny};

#[tokio::test]
async fn environments_that_are_listed_are_true() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let told = rows(&fake, true, "gitlab_environments", id);
    let listed = all(&fake, &format!("/projects/{id}/environments?per_page=2")).await;
    assert_eq!(told.len(), listed.len());
    for (told, listed) in told.iter().zip(&listed) {
        for column in ["id", "name", "slug", "external_url", "state", "tier"] {
            assert_eq!(told[column], listed[column], "{column}");
        }
        assert_eq!(second(&told["updated_at"]), second(&listed["updated_at"]));
        assert_eq!(listed["project"]["id"], id);
        let shown = get(&fake, &format!("/projects/{id}/environments/{}", told["id"])).await.json();
        assert!(shown.get("project").is_none() && shown.get("last_deployment").is_some());
    }
    let stopped = all(&fake, &format!("/projects/{id}/environments?states=stopped")).await;
    assert!(!stopped.is_empty() && stopped.iter().all(|it| it["state"] == "stopped"));
    let named = all(&fake, &format!("/projects/{id}/environments?name=staging")).await;
    assert_eq!(named.len(), 1);
    assert_eq!(get(&fake, &format!("/projects/{id}/environments?search=st")).await.status, 400);
    assert_eq!(
        get(&fake, &format!("/projects/{id}/environments?search=stag&name=staging")).await.status,
        400
    );
}

#[tokio::test]
async fn deployments_that_are_listed_are_true() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let told = rows(&fake, true, "gitlab_deployments", id);
    let listed = all(&fake, &format!("/projects/{id}/deployments?per_page=5")).await;
    assert_eq!(told.len(), listed.len());
    for (told, listed) in told.iter().zip(&listed) {
        for column in ["id", "iid", "status", "ref", "sha"] {
            assert_eq!(told[column], listed[column], "{column}");
        }
        for column in ["created_at", "updated_at"] {
            assert_eq!(second(&told[column]), second(&listed[column]), "{column}");
        }
        assert_eq!(told["environment"], listed["environment"]["name"]);
        assert_eq!(told["environment_id"], listed["environment"]["id"]);
        assert_eq!(told["user_id"], listed["user"]["id"]);
        assert_eq!(told["job_id"], listed["deployable"]["id"]);
        assert_eq!(second(&told["finished_at"]), second(&listed["deployable"]["finished_at"]));
    }
}

#[tokio::test]
async fn the_links_are_those_the_deployment_lists() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let links = rows(&fake, true, "gitlab_deployment_merge_requests", id);
    assert!(!links.is_empty());
    let mut listed = Vec::new();
    for deployment in rows(&fake, true, "gitlab_deployments", id) {
        let path = format!("/projects/{id}/deployments/{}/merge_requests?per_page=100", deployment["id"]);
        for row in all(&fake, &path).await {
            listed.push(
                json!({"project_id": id, "deployment_id": deployment["id"], "merge_request_id": row["id"]}),
            );
        }
    }
    let key = |row: &serde_json::Value| (row["deployment_id"].as_i64(), row["merge_request_id"].as_i64());
    let mut links: Vec<serde_json::Value> = links.into_iter().map(serde_json::Value::Object).collect();
    links.sort_by_key(key);
    listed.sort_by_key(key);
    assert_eq!(links, listed);
}

#[tokio::test]
async fn filters_that_do_not_go_together_are_refused() {
    let fake = tiny().await;
    let path = format!("/projects/{}/deployments", first_project(&fake));
    let day = "2026-01-01T00:00:00Z";
    let refused = [
        (
            format!("updated_after={day}&finished_before={day}"),
            "Both `updated_at` filter and `finished_at` filter can not be specified",
        ),
        (
            format!("finished_after={day}&status=success"),
            "`finished_at` filter and `finished_at` sorting must be paired",
        ),
        ("order_by=finished_at".to_owned(), "`finished_at` filter and `finished_at` sorting must be paired"),
        (
            format!("finished_after={day}&order_by=finished_at"),
            "`finished_at` filter must be combined with `success` status filter.",
        ),
    ];
    for (filter, reason) in refused {
        let answer = get(&fake, &format!("{path}?{filter}")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), json!({ "message": format!("400 Bad request - {reason}") }));
    }
    let answer = get(&fake, &format!("{path}?status=nonsense")).await;
    assert_eq!(answer.json(), json!({ "error": "status does not have a valid value" }));
}

#[tokio::test]
async fn a_filter_by_time_forces_the_order() {
    let fake = tiny().await;
    let path = format!("/projects/{}/deployments?per_page=100", first_project(&fake));
    let by_id = all(&fake, &path).await;
    assert!(ids(&by_id).is_sorted());
    let forced = all(&fake, &format!("{path}&updated_after=2020-01-01T00:00:00Z")).await;
    assert_eq!(forced.len(), by_id.len());
    assert!(forced.is_sorted_by_key(|row| row["updated_at"].to_string()));
    let newest = forced.last().unwrap()["updated_at"].as_str().unwrap().to_owned();
    let after = all(&fake, &format!("{path}&order_by=updated_at&updated_after={newest}")).await;
    assert_eq!(after.len(), 1, "the bound is inclusive");
    let ended = all(
        &fake,
        &format!("{path}&order_by=finished_at&status=success&finished_after=2020-01-01T00:00:00Z&sort=desc"),
    )
    .await;
    assert!(!ended.is_empty() && ended.iter().all(|row| row["status"] == "success"));
    let staging = all(&fake, &format!("{path}&environment=staging")).await;
    assert!(!staging.is_empty() && staging.iter().all(|row| row["environment"]["name"] == "staging"));
    let down = ids(&all(&fake, &format!("{path}&order_by=iid&sort=desc")).await);
    assert!(down.is_sorted_by(|a, b| a > b));
}

#[tokio::test]
async fn merge_requests_are_found_by_where_and_when_they_were_deployed() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let path = format!("/projects/{id}/merge_requests?per_page=100&environment=production");
    let deployed = all(&fake, &path).await;
    let links = rows(&fake, true, "gitlab_deployment_merge_requests", id);
    let production = rows(&fake, true, "gitlab_deployments", id);
    let production: Vec<_> =
        production.iter().filter(|row| row["environment"] == "production").map(|row| &row["id"]).collect();
    let wanted = links.iter().filter(|link| production.contains(&&link["deployment_id"])).count();
    assert_eq!((deployed.len(), wanted > 0), (wanted, true));
    assert!(all(&fake, &format!("{path}&deployed_before=2020-01-01T00:00:00Z")).await.is_empty());
    assert_eq!(all(&fake, &format!("{path}&deployed_after=2020-01-01T00:00:00Z")).await.len(), wanted);
    assert!(all(&fake, &format!("/projects/{id}/merge_requests?environment=nowhere")).await.is_empty());
}
