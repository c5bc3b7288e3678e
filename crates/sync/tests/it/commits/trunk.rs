//! The default branch: rewritten, merged into, empty, out of reach, and read in pieces.

use chrono::{DateTime, TimeDelta, Utc};
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::git::{Commit, Signature};
use fake_gitlab::world::model::{Id, World};
use fake_gitlab::{FakeGitlab, Settings};

use super::{TRUNK, assert_commits, assert_equal_to, bench, import};
use crate::harness::Bench;

const ENDPOINT: &str = "/projects/{id}/repository/commits";

/// A project in sight with commits, and somebody.
fn project(bench: &Bench) -> (Id, Id) {
    let world = bench.fake.world();
    let readable = |id: &Id| {
        let project = &world.projects[id];
        world.check_repository(&bench.fake.viewer(), project).is_ok()
            && world.project_access_level(&bench.fake.viewer(), project).is_some()
            && project.default_branch.is_some()
    };
    let id = world.repositories.keys().copied().find(readable).expect("a project has commits");
    (id, *world.users.keys().next().expect("somebody"))
}

/// Pages of commits asked for since the last time.
fn asked(bench: &Bench) -> u64 {
    let asked = bench.fake.counters().of(ENDPOINT);
    bench.fake.counters().reset();
    asked
}

/// A line of commits, oldest first, on top of `parent`; gives the newest.
fn line(
    world: &mut World,
    project: Id,
    name: &str,
    parent: Option<String>,
    count: usize,
    at: DateTime<Utc>,
) -> String {
    let mut parent = parent;
    for number in 0..count {
        let author = Signature::new("Ann", "ann@example.com", at + TimeDelta::minutes(number as i64), 60);
        let sha = format!("{name}{number:039x}");
        let commit = Commit {
            sha: sha.clone(),
            parents: parent.into_iter().collect(),
            committer: author.clone(),
            author,
            message: format!("Commit {number} of {name}"),
            additions: 1,
            deletions: 0,
        };
        world.repositories.get_mut(&project).expect("it has commits").add(commit);
        parent = Some(sha);
    }
    parent.expect("at least one")
}

/// Lets the default branch end in a merge of its head and another commit.
fn merge(world: &mut World, project: Id, name: &str, other: &str) {
    let now = world.now;
    let head = world.repositories[&project].head.clone();
    let sha = line(world, project, name, head, 1, now);
    let repository = world.repositories.get_mut(&project).expect("it has commits");
    let mut commit = repository.get(&sha).expect("it was just made").clone();
    commit.parents.push(other.to_owned());
    repository.advance(commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_a_forced_push_took_away_are_marked_and_heal() {
    const GONE: &str = "select count(*) from gitlab_commits where deleted_reason = 'removed'";
    for graphql in [true, false] {
        let bench = bench(911).await;
        import(&bench, &TRUNK, graphql).await;
        let (project, by) = project(&bench);
        let before = bench.fake.world().repositories[&project].head.clone();
        bench.fake.world_mut().advance(TimeDelta::hours(2));
        bench.fake.world_mut().force_push_trunk(project, by, 3);
        import(&bench, &TRUNK, graphql).await;
        assert_commits(&bench, &TRUNK).await;
        let gone = || async { bench.store.query(GONE).await.expect("it counts").rows[0][0].as_i64() };
        assert!(gone().await > Some(0));
        // The old head is back, as by another forced push.
        bench.fake.world_mut().advance(TimeDelta::hours(2));
        bench.fake.world_mut().force_push_trunk(project, by, 1);
        bench.fake.world_mut().repositories.get_mut(&project).expect("it has commits").head = before;
        import(&bench, &TRUNK, graphql).await;
        assert_commits(&bench, &TRUNK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_commits_in_the_place_of_others_soon_after_an_activity_are_met_by_the_next_sync() {
    let bench = bench(914).await;
    import(&bench, &TRUNK, true).await;
    let (project, by) = project(&bench);
    let push = |commits| {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(2));
        world.push_to_trunk(project, by, commits);
        world.advance(TimeDelta::minutes(5));
    };
    push(3);
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    // Neither the count nor the last activity tells.
    bench.fake.world_mut().force_push_trunk(project, by, 1);
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    // Once the hour is over it is certain where the branch ends, and not asked again.
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    import(&bench, &TRUNK, true).await;
    bench.fake.counters().reset();
    import(&bench, &TRUNK, true).await;
    let counts = bench.fake.counters().counts();
    assert_eq!(counts.by_operation.get("trunkHeads"), None);
    assert_eq!(asked(&bench), 0);
}

/// A branch of long ago with more commits than fit on a page lies far behind what is known: it is read from its own end.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_branch_that_is_merged_is_read_without_reading_what_lies_between() {
    let bench = bench(912).await;
    let (project, _) = project(&bench);
    {
        let mut world = bench.fake.world_mut();
        let (head, now) = (world.repositories[&project].head.clone(), world.now);
        let head = line(&mut world, project, "a", head, 1500, now - TimeDelta::days(10));
        world.repositories.get_mut(&project).expect("it has commits").head = Some(head);
    }
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    asked(&bench);
    {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(2));
        let root = world.repositories[&project].trunk().last().expect("a first commit").sha.clone();
        let old = world.now - TimeDelta::days(900);
        let branch = line(&mut world, project, "b", Some(root), 250, old);
        merge(&mut world, project, "c", &branch);
    }
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    let asked = asked(&bench);
    assert!(asked <= 6, "{asked} pages for 251 commits");
    eprintln!("{asked} pages for an old branch of 250 commits");
}

/// A branch that shares nothing with what is known, as after the merge of another repository.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_its_own_is_read_to_its_beginning() {
    let bench = bench(913).await;
    import(&bench, &TRUNK, true).await;
    let (project, _) = project(&bench);
    {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(2));
        let old = world.now - TimeDelta::days(2000);
        let other = line(&mut world, project, "d", None, 130, old);
        merge(&mut world, project, "e", &other);
    }
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_branch_costs_a_page_for_each_hundred_commits() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::small()).seed(914)).await;
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    let asked = asked(&bench);
    let counts = bench.store.query("select count(*), count(distinct project_id) from gitlab_commits").await;
    let counts = counts.expect("it counts").rows;
    let (commits, projects) = (counts[0][0].as_f64().unwrap(), counts[0][1].as_f64().unwrap());
    eprintln!("{asked} requests for {commits} commits in {projects} projects");
    assert!(asked as f64 <= 0.012 * commits + projects, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_read_where_they_are_asked_for_also_of_what_is_stored() {
    let bench = bench(915).await;
    import(&bench, &TRUNK, true).await;
    let measured = Reading { commit_statistics: true, ..Reading::GRAPHQL };
    let with = || async {
        let outcome =
            bench.sync_with(|it| (it.connectors, it.commit_statistics) = (TRUNK.to_vec(), true)).await;
        assert!(outcome.ok, "{outcome:?}");
        assert_equal_to(&bench, &TRUNK, measured.clone()).await;
        asked(&bench)
    };
    asked(&bench);
    let first = with().await;
    assert!(first > 0);
    assert_eq!(with().await, 0, "nothing moved");
    // One without the option leaves a gap, which the next with it fills.
    let (project, by) = project(&bench);
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    bench.fake.world_mut().push_to_trunk(project, by, 2);
    import(&bench, &TRUNK, true).await;
    asked(&bench);
    assert!(with().await > 0);
    // Within the hour after a push where the branch ends is looked at once more, and after it for the last time.
    assert_eq!(with().await, 1);
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    assert_eq!(with().await, 1);
    assert_eq!(with().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn since_leaves_out_what_is_older_until_it_is_wanted() {
    let bench = bench(916).await;
    let since = bench.fake.world().now - TimeDelta::days(30);
    let limited = |since| {
        let bench = &bench;
        async move {
            let outcome =
                bench.sync_with(|it| (it.connectors, it.scope.since) = (TRUNK.to_vec(), since)).await;
            assert!(outcome.ok, "{outcome:?}");
            let rows = bench.store.live_rows("gitlab_commits").await.expect("it can be read");
            let at = |row: &serde_json::Map<_, serde_json::Value>| {
                row["committed_at"].as_str().and_then(|it| it.parse::<DateTime<Utc>>().ok()).expect("a time")
            };
            (rows.len(), rows.iter().map(at).min())
        }
    };
    let (few, oldest) = limited(Some(since)).await;
    assert!(oldest.is_none_or(|it| it >= since), "{oldest:?}");
    asked(&bench);
    assert_eq!(limited(Some(since)).await.0, few);
    assert_eq!(asked(&bench), 0, "nothing moved");
    // What is pushed is found, whatever lies between.
    let (project, by) = project(&bench);
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    bench.fake.world_mut().push_to_trunk(project, by, 2);
    assert_eq!(limited(Some(since + TimeDelta::days(3))).await.0, few + 2);
    let (all, _) = limited(None).await;
    assert!(all > few + 2);
    assert_commits(&bench, &TRUNK).await;
}

/// The first page of each branch is stored, then the sync stops; the next goes on there.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_stops_midway_goes_on_where_it_stopped() {
    let bench = bench(917).await;
    let (project, by) = project(&bench);
    {
        let mut world = bench.fake.world_mut();
        let (head, now) = (world.repositories[&project].head.clone(), world.now);
        let head = line(&mut world, project, "a", head, 2000, now - TimeDelta::days(10));
        world.repositories.get_mut(&project).expect("it has commits").head = Some(head);
    }
    let read = || async {
        let rows = bench.store.query("select count(*) from gitlab_commits").await.expect("it counts").rows;
        rows[0][0].as_u64().unwrap_or(0)
    };
    let stop = sync::Stop::default();
    let asked_to_stop = stop.clone();
    bench.fake.faults().on_request(14, move |_| asked_to_stop.ask());
    let mut options = crate::harness::options();
    options.connectors = TRUNK.to_vec();
    let outcome = sync::run(bench.client(), bench.store.clone(), options, Default::default(), stop).await;
    assert_eq!(outcome.error.map(|it| it.code), Some("stopped"));
    let before = read().await;
    assert!(before > 100 && before < 2000, "{before}");
    asked(&bench);
    // Meanwhile the branch moves.
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    bench.fake.world_mut().push_to_trunk(project, by, 3);
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
    let pages = asked(&bench);
    assert!(pages <= (2200 - before) / 100 + 12, "{pages} pages after {before} commits");
}

/// The branch is replaced while the sync stands still, and GitLab has cleared the old commits away.
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_replaced_midway_is_read_from_its_new_head() {
    let bench = bench(918).await;
    let (project, _) = project(&bench);
    {
        let mut world = bench.fake.world_mut();
        let now = world.now;
        let head = line(&mut world, project, "a", None, 2000, now - TimeDelta::days(10));
        world.repositories.get_mut(&project).expect("it has commits").head = Some(head);
    }
    let stop = sync::Stop::default();
    let asked_to_stop = stop.clone();
    bench.fake.faults().on_request(16, move |_| asked_to_stop.ask());
    let mut options = crate::harness::options();
    options.connectors = TRUNK.to_vec();
    let _ = sync::run(bench.client(), bench.store.clone(), options, Default::default(), stop).await;
    {
        let mut world = bench.fake.world_mut();
        let now = world.now;
        let repository = world.repositories.get_mut(&project).expect("it has commits");
        *repository = Default::default();
        let head = line(&mut world, project, "f", None, 150, now - TimeDelta::days(5));
        world.repositories.get_mut(&project).expect("it has commits").head = Some(head);
    }
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
}

/// A project without commits, or without a default branch, is not an error, nor is it left out.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_nothing_to_speak_of() {
    for commits_of_nothing_are_empty in [false, true] {
        let settings = Settings { commits_of_nothing_are_empty, ..Settings::default() };
        let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(919).settings(settings);
        let bench = Bench::new(builder).await;
        let (project, _) = project(&bench);
        {
            let mut world = bench.fake.world_mut();
            world.repositories.insert(project, Default::default());
            world.projects.get_mut(&project).expect("it is there").default_branch = None;
        }
        for _ in 0..2 {
            let outcome = import(&bench, &TRUNK, true).await;
            assert_commits(&bench, &TRUNK).await;
            let skipped = outcome.skips.iter().any(|it| it.resource == "commits" && it.reason != "forbidden");
            assert!(!skipped, "{:?}", outcome.skips);
        }
    }
}

/// What is switched off stays as it was read, and is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_switched_off_is_a_skip_and_keeps_its_rows() {
    let bench = bench(920).await;
    import(&bench, &TRUNK, true).await;
    let (project, by) = project(&bench);
    let stored = || async { bench.store.live_rows("gitlab_commits").await.expect("it can be read").len() };
    let before = stored().await;
    bench.fake.world_mut().set_repository_access(project, "disabled");
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    let outcome = import(&bench, &TRUNK, true).await;
    let reasons: Vec<&str> = outcome
        .skips
        .iter()
        .filter(|it| it.resource == "commits" && it.parent_id == project)
        .map(|it| it.reason.as_str())
        .collect();
    assert_eq!((reasons, stored().await), (vec!["feature_disabled"], before));
    bench.fake.world_mut().set_repository_access(project, "enabled");
    bench.fake.world_mut().push_to_trunk(project, by, 1);
    import(&bench, &TRUNK, true).await;
    assert_commits(&bench, &TRUNK).await;
}

/// Everything is read again, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_reads_everything_again() {
    let bench = bench(921).await;
    let first = import(&bench, &super::BOTH, true).await;
    let full = |it: &mut sync::Options| {
        it.connectors = super::BOTH.to_vec();
        it.scope.full = true;
    };
    let outcome = bench.sync_with(full).await;
    assert!(outcome.ok, "{outcome:?}");
    for table in super::tables(&super::BOTH) {
        let (one, two) = (&first.resources[table], &outcome.resources[table]);
        assert!(two.read >= one.written && two.written == 0, "{table}: {one:?} {two:?}");
    }
}
