//! `GET /projects/:id/pipelines` and one of them.

use std::collections::BTreeSet;

use fake_gitlab::world::model::{CiStatus, PipelineSource};
use serde_json::json;

use super::{find, ids, rows, second};
use crate::client::{all, first_project, get, tiny};

#[tokio::test]
async fn what_is_listed_is_what_is_true() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let mut listed = all(&fake, &format!("/projects/{id}/pipelines?per_page=100")).await;
    listed.extend(all(&fake, &format!("/projects/{id}/pipelines?per_page=100&source=parent_pipeline")).await);
    listed.sort_by_key(|row| row["id"].as_i64());
    let told = rows(&fake, false, "gitlab_pipelines", id);
    assert_eq!(told.len(), listed.len());
    for (told, listed) in told.iter().zip(&listed) {
        for column in ["id", "iid", "project_id", "name", "status", "source", "ref", "sha"] {
            assert_eq!(told[column], listed[column], "{column}");
        }
        for column in ["created_at", "updated_at"] {
            assert_eq!(second(&told[column]), second(&listed[column]), "{column}");
        }
    }
}

#[tokio::test]
async fn one_pipeline_tells_all_there_is() {
    let fake = tiny().await;
    let id = first_project(&fake);
    for told in rows(&fake, false, "gitlab_pipelines", id).iter().step_by(7) {
        let shown = get(&fake, &format!("/projects/{id}/pipelines/{}", told["id"])).await.json();
        for column in ["tag", "yaml_errors"] {
            assert_eq!(told[column], shown[column], "{column}");
        }
        for column in ["started_at", "finished_at", "committed_at"] {
            assert_eq!(second(&told[column]), second(&shown[column]), "{column}");
        }
        assert_eq!(told["duration_seconds"], shown["duration"]);
        assert_eq!(told["queued_duration_seconds"], shown["queued_duration"]);
        assert_eq!(told["user_id"], shown["user"]["id"]);
        let coverage = shown["coverage"].as_str().map(|text| text.parse::<f64>().unwrap());
        assert_eq!(told["coverage"].as_f64(), coverage);
    }
}

#[tokio::test]
async fn child_pipelines_are_hidden_unless_their_source_is_asked_for() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let children =
        fake.world().ci.pipelines.values().filter(|it| it.project_id == id && it.is_child()).count();
    let listed = all(&fake, &format!("/projects/{id}/pipelines?per_page=100")).await;
    assert!(listed.iter().all(|row| row["source"] != "parent_pipeline"));
    let asked = all(&fake, &format!("/projects/{id}/pipelines?source=parent_pipeline")).await;
    assert_eq!((children, asked.len()), (2, 2));
}

#[tokio::test]
async fn filters_leave_what_they_say() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let odd = find(&fake.world(), |it| it.project_id == id && it.yaml_errors.is_some());
    let user = fake.world().users[&odd.user_id.unwrap()].username.clone();
    let listed = async |filter: &str| {
        ids(&all(&fake, &format!("/projects/{id}/pipelines?per_page=100&{filter}")).await)
    };
    for filter in ["yaml_errors=true", "ref=broken-config", &format!("sha={}", odd.sha)] {
        assert_eq!(listed(filter).await, [odd.id], "{filter}");
    }
    assert!(listed(&format!("username={user}")).await.contains(&odd.id));
    assert!(listed("username=nobody").await.is_empty());
    let true_ids = |wanted: &dyn Fn(CiStatus, PipelineSource) -> bool| {
        let world = fake.world();
        let of_project = world.ci.pipelines.values().filter(|it| it.project_id == id && !it.is_child());
        of_project.filter(|it| wanted(it.status, it.source)).map(|it| it.id).collect::<BTreeSet<_>>()
    };
    let set = |ids: Vec<i64>| ids.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(listed("status=failed").await), true_ids(&|status, _| status == CiStatus::Failed));
    assert_eq!(set(listed("scope=running").await), true_ids(&|status, _| status == CiStatus::Running));
    assert_eq!(
        set(listed("source=schedule").await),
        true_ids(&|_, source| source == PipelineSource::Schedule)
    );
    let finished = [CiStatus::Success, CiStatus::Failed, CiStatus::Canceled];
    assert_eq!(set(listed("scope=finished").await), true_ids(&|status, _| finished.contains(&status)));
    let tags = all(&fake, &format!("/projects/{id}/pipelines?scope=tags")).await;
    let refs: BTreeSet<String> = tags.iter().map(|row| row["ref"].to_string()).collect();
    assert!(!tags.is_empty() && refs.len() == tags.len(), "one pipeline of each tag");
}

#[tokio::test]
async fn bounds_are_inclusive() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let odd = find(&fake.world(), |it| it.project_id == id && it.jobs.len() == 150);
    let time = |time: fake_gitlab::world::model::Time| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    for (name, at) in [("updated", odd.updated_at), ("created", odd.created_at)] {
        let path = format!("/projects/{id}/pipelines?{name}_after={0}&{name}_before={0}", time(at));
        assert_eq!(ids(&all(&fake, &path).await), [odd.id], "{name}");
    }
}

#[tokio::test]
async fn the_order_is_by_one_column_alone() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let path = format!("/projects/{id}/pipelines?per_page=100");
    let newest_first = ids(&all(&fake, &path).await);
    assert!(newest_first.is_sorted_by(|a, b| a > b));
    let by_time = all(&fake, &format!("{path}&order_by=updated_at&sort=asc")).await;
    assert!(by_time.is_sorted_by_key(|row| row["updated_at"].to_string()));
    let equal: Vec<i64> = by_time
        .iter()
        .filter(|row| row["updated_at"] == by_time[60]["updated_at"])
        .map(|row| row["id"].as_i64().unwrap())
        .collect();
    assert!(equal.len() > 100 && !equal.is_sorted() && !equal.is_sorted_by(|a, b| a > b), "as if shuffled");
}

#[tokio::test]
async fn values_that_are_not_understood_are_refused() {
    let fake = tiny().await;
    let id = first_project(&fake);
    for name in ["status", "source", "scope", "order_by", "sort"] {
        let answer = get(&fake, &format!("/projects/{id}/pipelines?{name}=nonsense")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), json!({ "error": format!("{name} does not have a valid value") }));
    }
}

#[tokio::test]
async fn pages_have_totals_and_links_repeat_what_was_declared() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let answer = get(&fake, &format!("/projects/{id}/pipelines?per_page=2&status=success")).await;
    assert_eq!(answer.list().len(), 2);
    assert!(answer.header("x-total").is_some());
    let next = answer.link("next").unwrap();
    assert!(
        next.ends_with(&format!("?id={id}&order_by=id&page=2&per_page=2&sort=desc&status=success")),
        "{next}"
    );
}
