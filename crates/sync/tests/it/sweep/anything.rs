//! Whatever happens in GitLab, seen or unseen, one sweep ends in the truth.

use std::collections::BTreeSet;

use fake_gitlab::truth::{differences, truth};
use fake_gitlab::world::change::{Kinds, Subject, random_change, random_change_among, random_ci_change};
use fake_gitlab::world::model::World;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

/// How much happens.
const CHANGES: usize = 2000;
/// What may happen, beside what `random_change` and `random_ci_change` do.
const SUBJECTS: [Subject; 6] = [
    Subject::Trunk,
    Subject::Branches,
    Subject::Issues,
    Subject::Features,
    Subject::Sharing,
    Subject::Deletions,
];

fn live(world: &mut World, random: &mut ChaCha8Rng) {
    for step in 0..CHANGES {
        let said = match step % 4 {
            // Whole projects and groups go seldom, so that much is left to compare.
            _ if step % 200 == 99 => random_change_among(world, random, &[Subject::Removals]),
            0 => random_change(world, random, Kinds::All),
            1 => random_ci_change(world, random, Kinds::All),
            _ => random_change_among(world, random, &SUBJECTS),
        };
        if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
            eprintln!("{said}");
        }
    }
}

/// What is switched off keeps its rows, and GitLab shows none to compare them with: it is all switched on again.
fn switch_everything_on(world: &mut World) {
    for project in world.projects.keys().copied().collect::<Vec<_>>() {
        world.set_builds_access(project, "enabled");
        let project = world.projects.get_mut(&project).expect("it is there");
        project.merge_requests_access_level = "enabled".to_owned();
        project.issues_access_level = "enabled".to_owned();
        project.repository_access_level = "enabled".to_owned();
    }
    world.advance(TimeDelta::hours(2));
}

/// Listings in which GitLab shows nothing any more where something is stored: Weir leaves them, and says so.
async fn emptied(bench: &Bench) -> BTreeSet<(i64, String)> {
    let sql = "select project_id, resource from weir.proofs where state = 'unproved' and theirs = 0";
    let rows = bench.store.query(sql).await.expect("the query runs").rows;
    rows.iter()
        .map(|it| (it[0].as_i64().expect("an id"), it[1].as_str().expect("a name").to_owned()))
        .collect()
}

/// The resource under which a table's rows are proved.
fn resource_of(table: &str) -> &str {
    match table {
        _ if table.starts_with("gitlab_merge_request") || table == "gitlab_reviews" => "merge_requests",
        _ if table.starts_with("gitlab_issue") => "issues",
        _ if table.starts_with("gitlab_deployment") => "deployments",
        "gitlab_jobs" => "pipelines",
        _ => table.trim_start_matches("gitlab_"),
    }
}

async fn anything_may_happen(seed: u64, graphql: bool) {
    let scale = Scale { projects: 30, deployments_per_project: 6, ..Scale::tiny() };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(seed)).await;
    sync(&bench, graphql, false).await;
    {
        let mut world = bench.fake.world_mut();
        live(&mut world, &mut ChaCha8Rng::seed_from_u64(seed));
        switch_everything_on(&mut world);
    }
    let outcome = sync(&bench, graphql, true).await;
    let unproved = outcome.skips.iter().filter(|it| it.reason == "unproved");
    eprintln!(
        "seed {seed}: unproved {:?}",
        unproved.map(|it| (&it.parent, &it.resource, &it.detail)).collect::<Vec<_>>()
    );
    let emptied = emptied(&bench).await;
    let is_left = |table: &str, row: &serde_json::Map<String, serde_json::Value>| {
        let project = row.get("project_id").and_then(|it| it.as_i64()).unwrap_or_default();
        emptied.contains(&(project, resource_of(table).to_owned()))
    };
    // To anybody but an administrator a deleted group is one that may not be seen.
    let hidden = outcome.skips.iter().filter(|it| it.resource == "groups" && it.reason != "unproved");
    let hidden: BTreeSet<i64> = hidden.map(|it| it.parent_id).collect();
    let is_hidden = |table: &str, row: &serde_json::Map<String, serde_json::Value>| {
        let group = if table == "gitlab_groups" { "id" } else { "group_id" };
        table.starts_with("gitlab_group") && row[group].as_i64().is_some_and(|it| hidden.contains(&it))
    };
    let lost = crate::equality::lost(&bench).await;
    let (mut wrong, mut compared) = (Vec::new(), 0);
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading(graphql).with_issues());
    for (table, rows) in wanted {
        // People who appear nowhere any more stay known.
        if table == "gitlab_users" {
            continue;
        }
        let mut stored = bench.store.live_rows(table).await.expect("the table can be read");
        stored.retain(|it| !crate::equality::is_of(table, it, &lost) && !is_left(table, it));
        stored.retain(|it| !is_hidden(table, it));
        compared += rows.len();
        wrong.extend(differences(table, &rows, &stored));
    }
    assert!(compared > 1000, "seed {seed}: only {compared} rows are left to compare");
    // GitLab tells nobody that a fork was deleted, and that a job was erased only when its pipeline is read again.
    wrong.retain(|it| !it.contains("source_project_id") && !it.contains("erased_at"));
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "seed {seed}: {} differences: {first:#?}", wrong.len());
}

/// A test of two seeds, so that none takes long.
macro_rules! two_seeds {
    ($($name:ident: $seed:literal, $graphql:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                anything_may_happen($seed, $graphql).await;
                anything_may_happen($seed + 1, $graphql).await;
            }
        )*
    };
}

two_seeds! {
    after_two_thousand_changes_of_every_kind_a_sweep_ends_in_the_truth_1: 1041, true;
    after_two_thousand_changes_of_every_kind_a_sweep_ends_in_the_truth_2: 1043, true;
    after_two_thousand_changes_of_every_kind_a_sweep_ends_in_the_truth_3: 1045, true;
    after_two_thousand_changes_of_every_kind_a_sweep_ends_in_the_truth_4: 1047, true;
    after_two_thousand_changes_of_every_kind_a_sweep_ends_in_the_truth_5: 1049, true;
    after_two_thousand_changes_of_every_kind_a_sweep_by_rest_alone_ends_in_the_truth_1: 1051, false;
    after_two_thousand_changes_of_every_kind_a_sweep_by_rest_alone_ends_in_the_truth_2: 1053, false;
    after_two_thousand_changes_of_every_kind_a_sweep_by_rest_alone_ends_in_the_truth_3: 1055, false;
    after_two_thousand_changes_of_every_kind_a_sweep_by_rest_alone_ends_in_the_truth_4: 1057, false;
    after_two_thousand_changes_of_every_kind_a_sweep_by_rest_alone_ends_in_the_truth_5: 1059, false;
}
