//! A soak: a GitLab that changes and fails while the program that reads it is killed again and again, and the database
//! restarted. It ends in the truth, and `weir proof` says so. CI runs a short one; `WEIR_SOAK_SECONDS=1800` makes it long,
//! `WEIR_SOAK_SEED` another one (with `cargo test -p weir --test it soak`: nextest ends what takes more than four minutes).

use std::time::{Duration, Instant};

use fake_gitlab::FakeGitlab;
use fake_gitlab::faults::{ALL_FAULTS, FaultPlan};
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::change::{
    Kinds, NewIssue, NewMergeRequest, Subject, random_change, random_change_among, random_ci_change,
};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::issue::IssueType;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bench::Bench;

const SHORT: Duration = Duration::from_secs(20);
/// Changes before each run of the program.
const CHANGES: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_soak_of_changes_faults_kills_and_restarts_ends_in_the_truth_and_proof_says_so() {
    let seed = number("WEIR_SOAK_SEED").unwrap_or(77);
    let bench = Bench::with(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let access: Vec<(i64, String)> =
        bench.fake.world().projects.values().map(|it| (it.id, it.builds_access_level.clone())).collect();
    bench.fake.faults().set_plan(Some(FaultPlan::new(0.02, ALL_FAULTS, seed)));
    let (began, mut rounds, mut killed, mut cut) = (Instant::now(), 0, 0, 0);
    while began.elapsed() < length() {
        change(&bench, &mut random);
        if random.random_bool(0.3) {
            bench.fake.faults().too_many_requests_next(1);
        }
        let sweep = if random.random_bool(0.3) { " --sweep" } else { "" };
        let mut running = bench.weir(&format!("sync --json{sweep}")).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(random.random_range(20..2000))).await;
        if random.random_bool(0.3) {
            // What a restart of the database does to those who are at work in it.
            bench.database.cut_off().await;
            cut += 1;
            tokio::time::sleep(Duration::from_millis(random.random_range(20..2000))).await;
        }
        killed += u64::from(running.try_wait().unwrap().is_none());
        running.kill().await.unwrap();
        rounds += 1;
    }
    eprintln!("{rounds} rounds, {killed} kills, {cut} restarts of the database");
    assert!(killed > 0, "none was killed in the middle");
    bench.fake.faults().set_plan(None);
    for (project, level) in access {
        bench.fake.world_mut().set_builds_access(project, &level);
    }
    leave_none_empty(&bench);
    bench.run("sync --sweep --json").await.ended_with(0);
    equals_the_truth(&bench).await;
    bench.run("proof --json").await.ended_with(0);
}

fn length() -> Duration {
    number("WEIR_SOAK_SECONDS").map_or(SHORT, Duration::from_secs)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn change(bench: &Bench, random: &mut ChaCha8Rng) {
    let mut world = bench.fake.world_mut();
    for step in 0..CHANGES {
        let said = match step % 4 {
            0 => random_change_among(&mut world, random, &[Subject::Deletions]),
            1 | 2 => random_ci_change(&mut world, random, Kinds::Visible),
            _ => random_change(&mut world, random, Kinds::Visible),
        };
        if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
            eprintln!("{said}");
        }
    }
}

async fn equals_the_truth(bench: &Bench) {
    let store = bench.database.store().await;
    let reading = Reading::new(true, false).with("gitlab_pipelines").with_issues();
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    // What was read while a feature was on stays when it is switched off, and the truth does not show it.
    let off = without_ci(bench);
    for (table, rows) in wanted {
        let mut stored = store.live_rows(table).await.unwrap();
        let of_ci = ["gitlab_pipelines", "gitlab_jobs"].contains(&table);
        stored.retain(|row| !of_ci || !off.contains(&row["project_id"].as_i64().unwrap_or_default()));
        let wrong = differences(table, &rows, &stored);
        // People who appear nowhere any more stay known; a bridge that was read tells nothing of what came into sight since.
        let apart = |it: &&String| !it.starts_with("gitlab_users") && !it.contains(" downstream_");
        let wrong: Vec<&String> = wrong.iter().filter(apart).take(10).collect();
        assert!(wrong.is_empty(), "{table}: {wrong:?}");
    }
}

/// A listing that is empty where rows are stored proves nothing, so the last merge request or issue of a project is never
/// known to be gone: each gets another.
fn leave_none_empty(bench: &Bench) {
    let mut world = bench.fake.world_mut();
    world.advance(chrono::TimeDelta::hours(1));
    let author_id = *world.users.keys().next().unwrap();
    let has_some = |id: &i64| world.merge_requests.values().any(|it| it.project_id == *id);
    let empty: Vec<i64> = world.projects.keys().copied().filter(|id| !has_some(id)).collect();
    for project_id in empty {
        let title = "Begin".to_owned();
        world.open_merge_request(NewMergeRequest {
            project_id,
            author_id,
            title,
            draft: false,
            source_project_id: None,
        });
    }
    let has_some = |id: &i64| world.issues.values().any(|it| it.project_id == *id);
    let empty: Vec<i64> = world.projects.keys().copied().filter(|id| !has_some(id)).collect();
    for project_id in empty {
        let (title, issue_type) = ("Begin".to_owned(), IssueType::Issue);
        world.open_issue(NewIssue { project_id, author_id, title, description: None, issue_type });
    }
}

fn without_ci(bench: &Bench) -> Vec<i64> {
    let world = bench.fake.world();
    world.projects.values().filter(|it| it.builds_access_level == "disabled").map(|it| it.id).collect()
}
