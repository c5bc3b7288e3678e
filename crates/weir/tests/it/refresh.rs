//! `weir refresh`: one thing read again, with what that changed.

use fake_gitlab::world::change::JobOutcome;

use crate::bench::Bench;

async fn synced() -> Bench {
    let bench = Bench::new().await;
    bench.run("sync --json").await.ended_with(0);
    bench
}

/// The path of a project, its merge request's number and id, and its author.
fn open_merge_request(bench: &Bench) -> (String, i64, i64) {
    let world = bench.fake.world();
    let reader = bench.fake.viewer();
    let open = world.merge_requests.values().find(|it| {
        let project = &world.projects[&it.project_id];
        it.merged_at.is_none()
            && it.closed_at.is_none()
            && world.project_access_level(&reader, project).is_some()
            && world.check_merge_requests(&reader, project).is_ok()
    });
    let open = open.unwrap();
    (world.project_full_path(&world.projects[&open.project_id]), open.iid, open.id)
}

#[tokio::test]
async fn a_merge_request_is_read_again_and_the_fields_that_changed_are_told() {
    let bench = synced().await;
    let (path, iid, id) = open_merge_request(&bench);
    let person = bench.fake.world().merge_requests[&id].author_id;
    bench.fake.world_mut().comment(id, person, "looks good");
    let address = format!("{}/{path}/-/merge_requests/{iid}", bench.fake.url());
    let run = bench.run(&format!("refresh {address}")).await.ended_with(0);
    assert!(run.stdout.contains("gitlab_merge_request_notes"), "{}", run.stdout);
    assert!(run.stdout.contains(": new"), "{}", run.stdout);
    assert!(run.stdout.contains("user_notes_count: "), "{}", run.stdout);
    let again = bench.run(&format!("refresh {address} --json")).await.ended_with(0).json();
    assert_eq!(again["changes"], serde_json::json!([]));
    assert!(again["requests"].as_u64().unwrap() <= 5, "{again}");
}

#[tokio::test]
async fn a_pipeline_is_read_again_by_the_address_of_one_of_its_jobs() {
    let bench = synced().await;
    let (path, pipeline, job) = {
        let world = bench.fake.world();
        let reader = bench.fake.viewer();
        let seen = |project: i64| {
            let project = &world.projects[&project];
            world.project_access_level(&reader, project).is_some() && world.check_ci(&reader, project).is_ok()
        };
        let running = world.ci.pipelines.values().filter(|it| seen(it.project_id)).find_map(|it| {
            let job = it.jobs.iter().find(|job| job.status.word() == "running")?;
            Some((world.project_full_path(&world.projects[&it.project_id]), it.id, job.id))
        });
        running.unwrap()
    };
    bench.fake.world_mut().finish_job(job, JobOutcome::Success);
    let address = format!("{}/{path}/-/jobs/{job}", bench.fake.url());
    let run = bench.run(&format!("refresh {address}")).await.ended_with(0);
    assert!(run.stdout.contains(&format!("gitlab_jobs {job} status: running -> success")), "{}", run.stdout);
    let address = format!("{}/{path}/-/pipelines/{pipeline}", bench.fake.url());
    let run = bench.run(&format!("refresh {address}")).await.ended_with(0);
    assert_eq!(run.stdout, "", "nothing changed since");
}

#[tokio::test]
async fn a_project_is_read_again_with_its_labels() {
    let bench = synced().await;
    let (path, _, id) = open_merge_request(&bench);
    let project = bench.fake.world().merge_requests[&id].project_id;
    bench.fake.world_mut().projects.get_mut(&project).unwrap().description = Some("another".to_owned());
    let run = bench.run(&format!("refresh {}/{path}", bench.fake.url())).await.ended_with(0);
    assert!(run.stdout.contains("description: ") && run.stdout.contains("-> another"), "{}", run.stdout);
}

#[tokio::test]
async fn an_address_that_names_nothing_is_explained() {
    let bench = Bench::new().await;
    for address in ["https://elsewhere.example.com/a/b", "nonsense"] {
        let run = bench.run(&format!("refresh {address} --json")).await.ended_with(2);
        assert!(run.stderr.contains("as the browser shows it"), "{}", run.stderr);
    }
    let missing = format!("refresh {}/no/such/-/merge_requests/1 --json", bench.fake.url());
    let object = bench.run(&missing).await.ended_with(1).json();
    assert_eq!(object["error"]["reason"], "not_found_or_no_access");
}
