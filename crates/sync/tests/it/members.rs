//! Members in effect, against the fake's own account of them.

use std::collections::BTreeSet;

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::{differences, effective_members};
use fake_gitlab::world::change::{Subject, random_change_among};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::{Id, World};
use gitlab_client::{EndpointRule, Request};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use crate::harness::Bench;

async fn bench(seed: u64) -> Bench {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    leave_out(&bench);
    bench
}

/// Takes back what Weir does not read: groups invited into groups, and invitations of groups out of sight.
fn leave_out(bench: &Bench) {
    let viewer = bench.fake.viewer();
    let mut world = bench.fake.world_mut();
    let seen = |world: &World, id: Id| world.group_access_level(&viewer, id).is_some();
    let (mut groups, mut projects) = (Vec::new(), Vec::new());
    for group in world.groups.values() {
        groups.extend(group.invited_groups.keys().map(|it| (group.id, *it)));
        let hidden = !seen(&world, group.id);
        projects.extend(group.shared_projects.iter().filter(|_| hidden).map(|it| (*it, group.id)));
    }
    groups.into_iter().for_each(|(group, invited)| world.uninvite_group_from_group(group, invited));
    projects.into_iter().for_each(|(project, group)| world.uninvite_group_from_project(project, group));
}

async fn rows(bench: &Bench, sql: &str) -> Vec<Map<String, Value>> {
    let answer =
        bench.store.query(&format!("select to_jsonb(t) from ({sql}) t")).await.expect("a good query");
    answer.rows.iter().filter_map(|row| row[0].as_object().cloned()).collect()
}

async fn assert_effective(bench: &Bench) {
    let wanted = effective_members(&bench.fake.world(), &bench.fake.viewer());
    let stored = rows(bench, "select project_id, user_id, access_level from gitlab_effective_members").await;
    let wrong = differences("gitlab_effective_members", &wanted, &stored);
    assert!(wrong.is_empty(), "{} differences: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

/// What GitLab's own listing says of a project.
async fn listed(bench: &Bench, project: Id) -> BTreeSet<(i64, i64)> {
    let mut config = bench.config(&[bench.fake.token()]);
    config.allowed.push(EndpointRule::get("projects/{project}/members/all"));
    let client = gitlab_client::Client::new(config).expect("the client is made");
    let request = Request::new("projects/{project}/members/all").value(project).query("per_page", 100);
    let answer = client.get(&request).await.expect("the fake answers");
    let members: Vec<Value> = serde_json::from_slice(&answer.body).expect("a list");
    let pair = |it: &Value| Some((it["id"].as_i64()?, it["access_level"].as_i64()?));
    members.iter().filter_map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_in_effect_equal_the_truth_and_gitlabs_own_listing() {
    let bench = bench(1).await;
    assert!(bench.sync().await.ok);
    assert_effective(&bench).await;
    let sources = rows(&bench, "select distinct source from gitlab_effective_members order by 1").await;
    let sources: Vec<&str> = sources.iter().filter_map(|it| it["source"].as_str()).collect();
    assert_eq!(sources, ["direct", "inherited", "invited"]);
    let projects = rows(&bench, "select id from gitlab_projects").await;
    for project in projects.iter().filter_map(|it| it["id"].as_i64()) {
        let sql = format!(
            "select user_id, access_level from gitlab_effective_members where project_id = {project}"
        );
        let stored = rows(&bench, &sql).await;
        let pair = |it: &Map<String, Value>| Some((it["user_id"].as_i64()?, it["access_level"].as_i64()?));
        assert_eq!(stored.iter().filter_map(pair).collect::<BTreeSet<_>>(), listed(&bench, project).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_in_effect_of_groups_equal_the_truth() {
    let bench = bench(2).await;
    assert!(bench.sync().await.ok);
    let stored =
        rows(&bench, "select group_id, user_id, access_level from gitlab_effective_group_members").await;
    let triple = |it: &Map<String, Value>| {
        Some((it["group_id"].as_i64()?, it["user_id"].as_i64()?, it["access_level"].as_i64()?))
    };
    let stored: BTreeSet<_> = stored.iter().filter_map(triple).collect();
    let (world, viewer) = (bench.fake.world(), bench.fake.viewer());
    let seen = world.groups.values().filter(|it| world.group_access_level(&viewer, it.id).is_some());
    let of =
        |group| world.effective_group_members(group).into_iter().map(|(user, it)| (user, it.access_level));
    let wanted: BTreeSet<_> = seen
        .flat_map(|it| of(it).map(|(user, level)| (it.id, user, i64::from(level))).collect::<Vec<_>>())
        .collect();
    assert_eq!(stored, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_in_effect_follow_hundreds_of_changes() {
    for (seed, rest_only) in [(3, false), (4, true)] {
        let bench = bench(seed).await;
        assert!(bench.sync_with(|it| it.rest_only = rest_only).await.ok);
        {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut world = bench.fake.world_mut();
            for _ in 0..300 {
                random_change_among(&mut world, &mut random, &[Subject::Sharing]);
            }
        }
        leave_out(&bench);
        assert!(bench.sync_with(|it| it.rest_only = rest_only).await.ok);
        assert_effective(&bench).await;
    }
}
