//! Issues: a first import, what changes, what does not fit, and what their texts name.

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::change::{Kinds, Subject, random_change_among};
use fake_gitlab::world::generate::Scale;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sync::Outcome;

use crate::equality::assert_equal;
use crate::harness::Bench;

async fn bench(seed: u64) -> Bench {
    Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await
}

async fn import(bench: &Bench, graphql: bool) -> Outcome {
    let outcome = bench.sync_with(|it| it.rest_only = !graphql).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

fn reading(graphql: bool) -> Reading {
    Reading::new(graphql, false)
}

async fn count(bench: &Bench, sql: &str) -> i64 {
    let answer = bench.store.query(sql).await.expect("the query is good");
    answer.rows[0][0].as_i64().expect("a number")
}

async fn texts(bench: &Bench, sql: &str) -> Vec<String> {
    let answer = bench.store.query(sql).await.expect("the query is good");
    answer.rows.iter().map(|row| row[0].as_str().unwrap_or_default().to_owned()).collect()
}

/// An issue of a project with issues on, in which nobody else moves.
fn any_issue(bench: &Bench) -> i64 {
    let world = bench.fake.world();
    let viewer = bench.fake.viewer();
    let mut projects = world.projects.values().filter(|it| world.project_access_level(&viewer, it).is_some());
    let mut found = projects.find_map(|it| world.visible_issues(&viewer, it).next().map(|it| it.id));
    found.take().expect("the world has an issue")
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_equal_the_truth_after_a_first_import() {
    let bench = bench(1).await;
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
    assert!(count(&bench, "select count(*) from gitlab_issues").await > 100);
    assert!(count(&bench, "select count(*) from gitlab_issue_links").await > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_equal_the_truth_after_a_first_import_by_rest_alone() {
    let bench = bench(2).await;
    import(&bench, false).await;
    assert_equal(&bench, reading(false)).await;
    assert!(count(&bench, "select count(closed_by_user_id) from gitlab_issues").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_issues_writes_nothing_and_asks_for_none() {
    for (seed, graphql) in [(3, true), (4, false)] {
        let bench = bench(seed).await;
        let first = import(&bench, graphql).await;
        let second = import(&bench, graphql).await;
        let written: Vec<_> = second.resources.iter().filter(|(_, it)| it.written > 0).collect();
        assert!(written.is_empty(), "{written:?}");
        let read = second.resources.get("gitlab_issues").map_or(0, |it| it.read);
        assert!(!graphql || read == 0, "{read} issues were read again");
        eprintln!("requests {} and {}", first.requests, second.requests);
    }
}

async fn changes_are_found(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    import(&bench, graphql).await;
    {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut world = bench.fake.world_mut();
        for _ in 0..400 {
            random_change_among(&mut world, &mut random, &[Subject::Issues]);
        }
    }
    import(&bench, graphql).await;
    assert_equal(&bench, reading(graphql)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_changes_of_issues_are_found() {
    changes_are_found(21, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_other_changes_of_issues_are_found() {
    changes_are_found(22, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_changes_of_issues_are_found_by_rest_alone() {
    changes_are_found(23, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_assignees_that_do_not_fit_are_read_on_their_own() {
    let bench = bench(5).await;
    import(&bench, true).await;
    let most = |table: &str| {
        format!(
            "select max(n) from (select count(*) as n from {table} where deleted_at is null group by issue_id) t"
        )
    };
    for table in ["gitlab_issue_labels", "gitlab_issue_assignees"] {
        assert!(count(&bench, &most(table)).await > 20, "{table} has no long list");
    }
    assert_eq!(count(&bench, "select count(*) from weir.pending").await, 0);
    assert_equal(&bench, reading(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_deleted_or_renamed_is_followed_though_no_issue_moves() {
    let bench = bench(6).await;
    import(&bench, true).await;
    {
        let mut world = bench.fake.world_mut();
        let viewer = bench.fake.viewer();
        let labels: Vec<i64> = world
            .projects
            .values()
            .flat_map(|it| world.visible_issues(&viewer, it))
            .flat_map(|it| it.label_ids.clone())
            .collect();
        let (first, last) = (labels[0], labels[labels.len() - 1]);
        assert_ne!(first, last);
        world.delete_label(first);
        world.rename_label(last, "another name");
    }
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
    let ended = "select count(*) from gitlab_issue_labels where deleted_reason = 'parent_deleted'";
    assert!(count(&bench, ended).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn confidential_issues_are_read_where_the_role_allows() {
    let bench = bench(7).await;
    import(&bench, true).await;
    assert!(count(&bench, "select count(*) from gitlab_issues where confidential").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_issues_switched_off_is_a_skip_and_keeps_its_rows() {
    let bench = bench(8).await;
    import(&bench, true).await;
    let issue = any_issue(&bench);
    let project = bench.fake.world().issues[&issue].project_id;
    bench.fake.world_mut().set_issues_access(project, "disabled");
    let off = import(&bench, true).await;
    let skip = off.skips.iter().find(|it| it.resource == "issues" && it.parent_id == project);
    assert_eq!(skip.map(|it| it.reason.as_str()), Some("feature_disabled"));
    let live =
        format!("select count(*) from gitlab_issues where project_id = {project} and deleted_at is null");
    assert!(count(&bench, &live).await > 0);
    {
        let mut world = bench.fake.world_mut();
        world.set_issues_access(project, "enabled");
        world.advance(chrono::TimeDelta::minutes(5));
        world.retitle_issue(issue, "On again");
    }
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_issues_nothing_is_asked_and_later_they_are_read() {
    let bench = bench(9).await;
    let without = bench.sync_with(|it| it.issues = false).await;
    assert!(without.ok && !without.resources.contains_key("gitlab_issues"), "{without:?}");
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_kept_only_where_asked_for_and_links_always() {
    let bench = bench(10).await;
    let issue = any_issue(&bench);
    let (text, path) = {
        let mut world = bench.fake.world_mut();
        let project = &world.projects[&world.issues[&issue].project_id];
        let path = world.project_full_path(project);
        let page = format!("{}/{path}/-/issues/3", bench.fake.url());
        let text = format!("{page} ABC-12 !4 `!5` https://example.com/x?secret=1");
        world.describe_issue(issue, &text);
        (text, path)
    };
    import(&bench, true).await;
    let links = format!(
        "select kind || ' ' || target from gitlab_issue_links where issue_id = {issue} and deleted_at is null order by 1"
    );
    let page = format!("issue {path}#3");
    let named = [&page, "issue_key ABC-12", "merge_request !4", "url https://example.com/x"];
    assert_eq!(texts(&bench, &links).await, named);
    assert_eq!(count(&bench, "select count(description) from gitlab_issues").await, 0);
    for graphql in [true, false] {
        let kept = bench
            .sync_with(|it| {
                it.keep_bodies = true;
                it.rest_only = !graphql;
                it.scope.full = true;
            })
            .await;
        assert!(kept.ok, "{kept:?}");
        let description = format!("select description from gitlab_issues where id = {issue}");
        assert_eq!(texts(&bench, &description).await, std::slice::from_ref(&text));
        assert_eq!(texts(&bench, &links).await, named);
    }
    bench.fake.world_mut().describe_issue(issue, "nothing");
    import(&bench, true).await;
    assert!(texts(&bench, &links).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_issues_that_share_one_moment_are_all_read() {
    for graphql in [true, false] {
        let bench = bench(11).await;
        let issue = any_issue(&bench);
        {
            let mut world = bench.fake.world_mut();
            let (project, at) = (world.issues[&issue].project_id, world.issues[&issue].updated_at);
            let author_id = world.issues[&issue].author_id;
            for number in 0..250 {
                let id = world.open_issue(fake_gitlab::world::change::NewIssue {
                    project_id: project,
                    author_id,
                    title: format!("One of many, {number}"),
                    description: None,
                    issue_type: fake_gitlab::world::issue::IssueType::Issue,
                });
                if let Some(issue) = world.issues.get_mut(&id) {
                    (issue.created_at, issue.updated_at) = (at, at);
                }
            }
        }
        import(&bench, graphql).await;
        assert_equal(&bench, reading(graphql)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_issues_lives_through_other_changes() {
    let bench = bench(12).await;
    import(&bench, true).await;
    let mut random = ChaCha8Rng::seed_from_u64(12);
    for _ in 0..3 {
        {
            let mut world = bench.fake.world_mut();
            for _ in 0..150 {
                random_change_among(&mut world, &mut random, &[Subject::Issues]);
                fake_gitlab::world::change::random_change(&mut world, &mut random, Kinds::Visible);
            }
        }
        import(&bench, true).await;
        assert_equal(&bench, reading(true)).await;
    }
}

/// Gives the viewer this role wherever they are a member.
fn set_role(bench: &Bench, level: i32) {
    let viewer = bench.fake.viewer().user_id;
    let mut world = bench.fake.world_mut();
    for group in world.groups.values_mut() {
        group.members.get_mut(&viewer).into_iter().for_each(|it| it.access_level = level);
    }
    for project in world.projects.values_mut() {
        project.members.get_mut(&viewer).into_iter().for_each(|it| it.access_level = level);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_role_shows_confidential_issues_that_did_not_move() {
    let bench = bench(13).await;
    let levels = |level| set_role(&bench, level);
    let confidential = "select count(*) from gitlab_issues where confidential";
    levels(10);
    import(&bench, true).await;
    let before = count(&bench, confidential).await;
    levels(30);
    import(&bench, true).await;
    assert!(count(&bench, confidential).await > before);
    assert_equal(&bench, reading(true)).await;
    let again = import(&bench, true).await;
    assert_eq!(again.resources.get("gitlab_issues").map_or(0, |it| it.read), 0);
}

/// A project with confidential issues of which the viewer sees other issues: two of these, and one of each of three other
/// projects.
fn partly_hidden(bench: &Bench) -> (i64, Vec<i64>, Vec<i64>) {
    let (world, viewer) = (bench.fake.world(), bench.fake.viewer());
    let shown = |id: i64| -> Vec<i64> {
        world
            .visible_issues(&viewer, &world.projects[&id])
            .filter(|it| !it.confidential)
            .map(|it| it.id)
            .collect()
    };
    let hides = |id: i64| {
        let of_project = world.issues.values().filter(|it| it.project_id == id).count();
        of_project > world.visible_issues(&viewer, &world.projects[&id]).count()
    };
    let in_sight = |id: &i64| world.project_access_level(&viewer, &world.projects[id]).is_some();
    let projects: Vec<i64> = world.projects.keys().copied().filter(in_sight).collect();
    let project = projects.iter().copied().find(|it| hides(*it) && shown(*it).len() > 1).expect("a project");
    let others = projects.iter().filter(|it| **it != project).filter_map(|it| shown(*it).first().copied());
    (project, shown(project)[..2].to_vec(), others.take(3).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_role_counts_though_what_moved_is_read_together_with_older_projects() {
    let bench = bench(13).await;
    set_role(&bench, 10);
    import(&bench, true).await;
    let (project, shown, others) = partly_hidden(&bench);
    let retitle = |issues: &[i64]| {
        let mut world = bench.fake.world_mut();
        world.advance(chrono::TimeDelta::days(5));
        issues.iter().for_each(|it| world.retitle_issue(*it, "moved"));
        world.advance(chrono::TimeDelta::hours(1));
    };
    // Read later than the others, it is within their window though nothing moved in it since.
    retitle(&shown);
    let one = bench.sync_with(|it| it.scope.projects = vec![project.to_string()]).await;
    assert!(one.ok, "{one:?}");
    set_role(&bench, 30);
    retitle(&others);
    import(&bench, true).await;
    let stored =
        count(&bench, &format!("select count(*) from gitlab_issues where project_id = {project}")).await;
    let of_project = bench.fake.world().issues.values().filter(|it| it.project_id == project).count();
    assert_eq!(stored, of_project as i64);
    // In a project that moved too nobody can tell what is new from what was hidden: that takes a sync more.
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
}

/// Three requests for a hundred projects, one for each top-level group, one for fifty open merge requests, and ten.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_sync_with_issues_stays_within_its_requests() {
    let scale = Scale { projects: 60, ..Scale::tiny() };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(14)).await;
    import(&bench, true).await;
    let idle = import(&bench, true).await;
    let open =
        count(&bench, "select count(*) from gitlab_merge_requests where state = 'opened'").await as u64;
    let world = bench.fake.world();
    let top = world.groups.values().filter(|it| it.parent_id.is_none()).count() as u64;
    let most = 3 * world.projects.len() as u64 / 100 + top + open / 50 + 10;
    eprintln!("{} requests of {most}, {open} open, {top} top", idle.requests);
    assert!(idle.requests <= most, "{} and {most}", idle.requests);
}
