//! Bodies have the fields that gitlab.com's have, where recordings are at hand.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use super::find;
use crate::client::{first_project, get, tiny};

fn recorded(file: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/gitlab");
    let folder = std::env::var_os("WEIR_FIXTURES").map_or(beside, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("rest").join(file)).ok();
    if text.is_none() {
        println!("skipped: recorded data not found: {file}");
    }
    text
}

/// Fields that came or went with a version.
const OF_SOME_VERSIONS: &[&str] = &["public_email", "locked", "skype", "extended_trailers", "archived"];

fn keys(value: &Value) -> BTreeSet<&str> {
    let keys = value.as_object().unwrap().keys().map(String::as_str);
    keys.filter(|key| !OF_SOME_VERSIONS.contains(key)).collect()
}

/// Whether both have the same fields, and so have the objects in them.
fn alike(ours: &Value, theirs: &Value, at: &str) {
    assert_eq!(keys(ours), keys(theirs), "{at}");
    for (name, theirs) in theirs.as_object().unwrap() {
        let both = theirs.is_object() && ours[name].is_object() && name != "trailers";
        if both {
            alike(&ours[name], theirs, &format!("{at}.{name}"));
        }
    }
}

const EXPORTER: &str = "gitlab-exporter/projects/50817395/pipelines";

#[tokio::test]
async fn pipelines_and_jobs_have_the_recorded_fields() {
    let Some(text) = recorded(&format!("{EXPORTER}.json")) else { return };
    let fake = tiny().await;
    let project = first_project(&fake);
    let listed = get(&fake, &format!("/projects/{project}/pipelines")).await.list()[0].clone();
    let theirs: Value = serde_json::from_str(&text).unwrap();
    alike(&listed, &theirs[0], "pipeline in a list");
    let warned =
        find(&fake.world(), |it| it.jobs.iter().any(|job| job.allow_failure && job.failure_reason.is_some()));
    let path = format!("/projects/{project}/pipelines/{}", warned.id);
    let single = get(&fake, &path).await.json();
    let theirs: Value =
        serde_json::from_str(&recorded(&format!("{EXPORTER}/1204562891.json")).unwrap()).unwrap();
    alike(&single, &theirs, "pipeline");
    assert_eq!(single["detailed_status"]["label"], theirs["detailed_status"]["label"]);
    let theirs: Value =
        serde_json::from_str(&recorded(&format!("{EXPORTER}/1204562891/jobs.json")).unwrap()).unwrap();
    for ours in get(&fake, &format!("{path}/jobs")).await.list() {
        let failed = ours["status"] == "failed";
        let theirs =
            theirs.as_array().unwrap().iter().find(|it| (it["status"] == "failed") == failed).unwrap();
        alike(&ours, theirs, "job");
        assert_eq!(keys(&ours["artifacts"][0]), keys(&theirs["artifacts"][0]));
    }
}

#[tokio::test]
async fn deployments_have_the_recorded_fields() {
    let Some(text) = recorded("devlake/_raw_gitlab_api_deployments.csv") else { return };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let theirs: Value = serde_json::from_str(&reader.records().next().unwrap().unwrap()[2]).unwrap();
    let fake = tiny().await;
    let project = first_project(&fake);
    let path = format!("/projects/{project}/deployments?per_page=100&environment=staging");
    let ours = get(&fake, &path).await.list();
    let failed = |it: &&Value| it["deployable"]["status"] == "failed";
    let ours = ours.iter().find(failed).or(ours.first()).unwrap();
    let mut theirs = theirs;
    if ours["deployable"]["status"] != "failed" {
        theirs["deployable"].as_object_mut().unwrap().remove("failure_reason");
    }
    alike(ours, &theirs, "deployment");
}
