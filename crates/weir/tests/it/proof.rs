//! `weir proof`: 0 only when everything is proved.

use crate::bench::Bench;

#[tokio::test]
async fn what_was_just_synced_is_proved_at_little_cost() {
    let bench = Bench::new().await;
    bench.run("sync --json").await.ended_with(0);
    let object = bench.run("proof --json").await.ended_with(0).json();
    let proofs = object["proofs"].as_array().unwrap();
    assert!(!proofs.is_empty());
    assert!(proofs.iter().all(|it| it["state"] == "proved" && it["theirs"] == it["ours"]), "{proofs:?}");
    let (projects, merge_requests) = {
        let world = bench.fake.world();
        (world.projects.len() as u64, world.merge_requests.len() as u64)
    };
    // And one for the version.
    let most = projects.div_ceil(10) + merge_requests.div_ceil(100) + 1;
    assert!(object["requests"].as_u64().unwrap() <= most, "{} of {most}", object["requests"]);
}

#[tokio::test]
async fn a_deleted_merge_request_is_not_proved_until_a_sweep_has_found_it() {
    let bench = Bench::new().await;
    bench.run("sync --json").await.ended_with(0);
    let id = *bench.fake.world().merge_requests.keys().next().unwrap();
    bench.fake.world_mut().delete_merge_request(id);
    let run = bench.run("proof").await.ended_with(1);
    assert!(run.stdout.contains("merge requests") && run.stdout.contains("differs"), "{}", run.stdout);
    assert!(run.stderr.contains("--sweep"), "{}", run.stderr);
    bench.run("sync --sweep --json").await.ended_with(0);
    let run = bench.run("proof --all").await.ended_with(0);
    assert!(run.stdout.contains("proved"), "{}", run.stdout);
}

#[tokio::test]
async fn what_gitlab_refuses_to_list_is_not_proved() {
    let bench = Bench::new().await;
    let reader = bench.fake.viewer().user_id;
    {
        let mut world = bench.fake.world_mut();
        for group in world.groups.values_mut() {
            group.members.entry(reader).and_modify(|it| it.access_level = 10);
        }
        for project in world.projects.values_mut() {
            project.members.entry(reader).and_modify(|it| it.access_level = 10);
            project.public_jobs = false;
        }
    }
    bench.run("sync --json").await.ended_with(0);
    let object = bench.run("proof --json").await.ended_with(1).json();
    let proofs = object["proofs"].as_array().unwrap();
    for resource in ["merge_requests", "pipelines"] {
        let refused = |it: &&serde_json::Value| it["resource"] == resource && it["state"] == "unproved";
        let refused = proofs.iter().find(refused).unwrap_or_else(|| panic!("no {resource} in {proofs:?}"));
        assert!(!refused["detail"].as_str().unwrap().is_empty(), "{refused}");
    }
}

#[tokio::test]
async fn issues_that_were_never_asked_for_need_no_proof() {
    let bench = Bench::new().await;
    bench.run("sync --no-issues --json").await.ended_with(0);
    let object = bench.run("proof --json").await.ended_with(0).json();
    let proofs = object["proofs"].as_array().unwrap();
    assert!(!proofs.is_empty() && proofs.iter().all(|it| it["resource"] != "issues"), "{proofs:?}");
}

#[tokio::test]
async fn nothing_is_proved_before_anything_was_read() {
    let bench = Bench::new().await;
    let object = bench.run("proof --json").await.ended_with(1).json();
    assert_eq!(object["error"]["reason"], "nothing_read");
}
