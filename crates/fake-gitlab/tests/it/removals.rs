//! What is deleted is gone, and what hung on it is gone or lets go.

use fake_gitlab::truth::{Reading, truth};
use fake_gitlab::world::change::{Subject, random_change_among};
use fake_gitlab::world::generate::{Scale, generate};
use fake_gitlab::world::issue::{IssueType, Severity};
use fake_gitlab::world::model::{Owner, World};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::client::{get, post, tiny};

#[tokio::test]
async fn a_deleted_issue_leaves_a_gap() {
    let fake = tiny().await;
    let (project, issue, iid) = {
        let world = fake.world();
        let issue = world.issues.values().nth(4).unwrap();
        (issue.project_id, issue.id, issue.iid)
    };
    fake.world_mut().delete_issue(issue);
    assert_eq!(get(&fake, &format!("/projects/{project}/issues/{iid}")).await.status, 404);
    let new = fake.world_mut().open_issue(fake_gitlab::world::change::NewIssue {
        project_id: project,
        author_id: 1,
        title: "New".to_owned(),
        description: None,
        issue_type: IssueType::Issue,
    });
    assert_ne!(fake.world().issues[&new].iid, iid);
}

#[tokio::test]
async fn a_deleted_group_takes_all_below_it() {
    let fake = tiny().await;
    let group = *fake.world().groups.keys().next().unwrap();
    let (below, projects): (Vec<i64>, Vec<i64>) = {
        let world = fake.world();
        let inside = |id: &i64| world.project_groups(&world.projects[id]).contains(&group);
        (
            world
                .groups
                .keys()
                .copied()
                .filter(|id| world.group_and_ancestors(*id).contains(&group))
                .collect(),
            world.projects.keys().copied().filter(inside).collect(),
        )
    };
    assert!(below.len() > 1 && projects.len() > 1);
    fake.world_mut().delete_group(group);
    for id in below {
        assert_eq!(get(&fake, &format!("/groups/{id}")).await.status, 404);
    }
    for id in projects {
        assert_eq!(get(&fake, &format!("/projects/{id}")).await.status, 404);
        assert!(!fake.world().repositories.contains_key(&id));
    }
    sound(&fake.world());
}

#[tokio::test]
async fn a_project_marked_for_deletion_can_be_restored() {
    let fake = tiny().await;
    let (id, path) = {
        let world = fake.world();
        let project = world.projects.values().next().unwrap();
        (project.id, project.path.clone())
    };
    fake.world_mut().schedule_deletion(id);
    assert_eq!(get(&fake, &format!("/projects/{id}")).await.status, 404);
    fake.world_mut().restore_project(id);
    assert_eq!(get(&fake, &format!("/projects/{id}")).await.json()["path"], path.as_str());
}

#[test]
fn issues_let_go_of_labels_and_milestones() {
    let mut world = generate(1, &Scale::tiny());
    let issue = world
        .issues
        .values()
        .find(|it| !it.label_ids.is_empty() && it.milestone_id.is_some())
        .unwrap()
        .clone();
    world.delete_label(issue.label_ids[0]);
    world.delete_milestone(issue.milestone_id.unwrap());
    let now = &world.issues[&issue.id];
    assert_eq!((now.label_ids.len(), now.milestone_id), (issue.label_ids.len() - 1, None));
    assert_eq!(now.updated_at, issue.updated_at, "it does not move");
}

#[test]
fn what_lies_beside_an_issue_moves_it_once_a_minute() {
    let mut world = generate(1, &Scale::tiny());
    let id = *world.issues.keys().next().unwrap();
    world.set_issue_type(id, IssueType::Incident);
    let before = world.issues[&id].updated_at;
    world.set_issue_severity(id, Severity::High);
    world.comment_on_issue(id);
    assert_eq!(world.issues[&id].updated_at, before);
    world.retitle_issue(id, "Own columns always move it");
    assert!(world.issues[&id].updated_at > before);
    world.close_issue(id, 1);
    assert!(world.issues[&id].closed_at.is_some());
    world.reopen_issue(id);
    assert_eq!((world.issues[&id].closed_at, world.issues[&id].closed_by_id), (None, None));
}

#[test]
fn a_moved_project_takes_labels_and_milestones_of_its_issues_along() {
    let mut world = generate(1, &Scale::tiny());
    let project = *world.projects.keys().next().unwrap();
    let top = *world.group_and_ancestors(world.project_groups(&world.projects[&project])[0]).last().unwrap();
    let label = world.labels.values().find(|it| it.owner == Owner::Group(top)).unwrap().id;
    let issue = world.projects[&project].issue_ids[0];
    world.label_issue(issue, &[label]);
    let other = world.groups.values().find(|it| it.parent_id.is_none() && it.id != top).unwrap().id;
    world.transfer_project(project, other);
    sound(&world);
    assert!(!world.issues[&issue].label_ids.contains(&label));
}

/// Nothing names what is gone.
fn sound(world: &World) {
    for issue in world.issues.values() {
        let owners = world.owners_above(issue.project_id);
        assert!(issue.label_ids.iter().all(|id| owners.contains(&world.labels[id].owner)));
        assert!(issue.milestone_id.is_none_or(|id| owners.contains(&world.milestones[&id].owner)));
        assert!(world.projects[&issue.project_id].issue_ids.contains(&issue.id));
    }
    for mr in world.merge_requests.values() {
        assert_eq!(mr.commits.first(), mr.sha.as_ref(), "{mr:?}");
        assert_eq!(world.commits_of(mr).len(), mr.commits.len());
    }
    for (id, repository) in &world.repositories {
        assert!(world.projects.contains_key(id));
        assert!(
            repository.trunk().iter().all(|it| it.parents.iter().all(|sha| repository.get(sha).is_some()))
        );
        assert_eq!(repository.trunk().len(), repository.commit_count());
    }
}

const ALL: [Subject; 7] = [
    Subject::Trunk,
    Subject::Branches,
    Subject::Issues,
    Subject::Features,
    Subject::Sharing,
    Subject::Deletions,
    Subject::Removals,
];

#[test]
fn a_world_that_changes_at_random_stays_sound() {
    for seed in 0..3 {
        let mut world = generate(seed, &Scale::tiny());
        sound(&world);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut done: Vec<String> =
            (0..400).map(|_| random_change_among(&mut world, &mut rng, &ALL[..6])).collect();
        sound(&world);
        done.extend((0..40).map(|_| random_change_among(&mut world, &mut rng, &ALL)));
        sound(&world);
        assert!(done.iter().filter(|it| *it == "nothing").count() < done.len() / 4, "{done:?}");
        let viewer = fake_gitlab::world::access::Viewer::of(1_002);
        let reading = Reading::default().with("gitlab_commits").with("gitlab_commits_trunk").with_issues();
        assert!(truth(&world, &viewer, reading).len() > 10);
    }
}

#[tokio::test]
async fn subjects_can_be_asked_for_from_outside() {
    let fake = tiny().await;
    let answer = post(&fake, "/fake/change?count=20&seed=2&among=trunk", "").await;
    let done = answer.json()["changes"].as_array().unwrap().clone();
    assert_eq!(done.len(), 20);
    assert!(done.iter().all(|it| it.as_str().unwrap().starts_with("project ")), "{done:?}");
}
