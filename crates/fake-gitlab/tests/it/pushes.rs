//! What pushes and merges do to commits.

use chrono::TimeDelta;
use fake_gitlab::world::change::{MergeStyle, NewMergeRequest};
use fake_gitlab::world::git::Repository;
use fake_gitlab::world::model::{Id, Namespace, UserType, World};

/// A world with one project, one merge request, and its author.
struct Shop {
    world: World,
    project: Id,
    mr: Id,
    ann: Id,
}

impl Shop {
    fn new() -> Self {
        let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
        let ann = world.create_user("ann", "Ann", UserType::Human);
        let group = world.create_group(None, "Acme", "acme", "private");
        let project = world.create_project(Namespace::Group(group), "shop", "shop", "private");
        let mr = open(&mut world, project, ann);
        Self { world, project, mr, ann }
    }

    fn repository(&self) -> &Repository {
        &self.world.repositories[&self.project]
    }

    fn trunk(&self) -> Vec<String> {
        self.repository().trunk().iter().map(|it| it.sha.clone()).collect()
    }

    fn commits(&self) -> Vec<String> {
        self.world.merge_requests[&self.mr].commits.clone()
    }
}

fn open(world: &mut World, project_id: Id, author_id: Id) -> Id {
    let title = "Add".to_owned();
    world.open_merge_request(NewMergeRequest {
        project_id,
        author_id,
        title,
        draft: false,
        source_project_id: None,
    })
}

#[test]
fn a_push_adds_commits_on_top() {
    let mut shop = Shop::new();
    let before = shop.commits();
    assert!(!before.is_empty());
    shop.world.advance(TimeDelta::seconds(90));
    let moved = shop.world.merge_requests[&shop.mr].updated_at;
    shop.world.push_commits(shop.mr, shop.ann, 2);
    let after = shop.commits();
    let mr = &shop.world.merge_requests[&shop.mr];
    assert_eq!((after.len(), &after[2..]), (before.len() + 2, &before[..]));
    assert_eq!(mr.sha.as_ref(), after.first());
    assert!(mr.updated_at > moved);
    assert_eq!(shop.repository().get(&after[0]).unwrap().parents, [after[1].clone()]);
}

#[test]
fn a_forced_push_replaces_the_commits_but_not_their_authors() {
    let mut shop = Shop::new();
    shop.world.push_commits(shop.mr, shop.ann, 3);
    let before = shop.commits();
    shop.world.push_to_trunk(shop.project, shop.ann, 2);
    shop.world.advance(TimeDelta::hours(1));
    shop.world.force_push(shop.mr, shop.ann);
    let after = shop.commits();
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|sha| !before.contains(sha)));
    let repository = shop.repository();
    for (new, old) in after.iter().zip(&before) {
        let (new, old) = (repository.get(new).unwrap(), repository.get(old).unwrap());
        assert_eq!((&new.author, &new.message), (&old.author, &old.message));
        assert!(new.committer.at > old.committer.at);
    }
    assert_eq!(repository.get(after.last().unwrap()).unwrap().parents.first(), repository.head.as_ref());
}

#[test]
fn approvals_go_without_a_note_where_the_project_says_so() {
    for resets in [true, false] {
        let mut shop = Shop::new();
        shop.world.projects.get_mut(&shop.project).unwrap().resets_approvals_on_push = resets;
        shop.world.approve(shop.mr, shop.ann);
        shop.world.push_commits(shop.mr, shop.ann, 1);
        shop.world.force_push(shop.mr, shop.ann);
        let mr = &shop.world.merge_requests[&shop.mr];
        assert_eq!(mr.approvals.is_empty(), resets);
        let said = |action: &str| {
            mr.note_ids.iter().filter(|id| shop.world.notes[id].action.as_deref() == Some(action)).count()
        };
        assert_eq!((said("unapproved"), said("commit")), (0, 2));
    }
}

#[test]
fn a_merge_commit_brings_the_commits_to_the_trunk() {
    let mut shop = Shop::new();
    shop.world.push_to_trunk(shop.project, shop.ann, 2);
    shop.world.merge(shop.mr, shop.ann, MergeStyle::MergeCommit);
    let trunk = shop.trunk();
    let mr = &shop.world.merge_requests[&shop.mr];
    assert_eq!(shop.repository().head, mr.merge_commit_sha);
    assert!(mr.commits.iter().all(|sha| trunk.contains(sha)));
    assert!(shop.repository().trunk()[0].is_merge());
}

#[test]
fn a_squash_leaves_the_commits_out() {
    let mut shop = Shop::new();
    shop.world.merge(shop.mr, shop.ann, MergeStyle::Squash);
    let trunk = shop.trunk();
    let mr = &shop.world.merge_requests[&shop.mr];
    assert!(trunk.contains(mr.squash_commit_sha.as_ref().unwrap()));
    assert!(mr.commits.iter().all(|sha| !trunk.contains(sha)));
}

#[test]
fn a_fast_forward_loses_nothing_of_a_trunk_that_moved() {
    let mut shop = Shop::new();
    let pushed = shop.world.push_to_trunk(shop.project, shop.ann, 2);
    shop.world.merge(shop.mr, shop.ann, MergeStyle::FastForward);
    let trunk = shop.trunk();
    assert!(pushed.iter().chain(&shop.commits()).all(|sha| trunk.contains(sha)));
    assert_eq!(shop.repository().head, shop.world.merge_requests[&shop.mr].sha);
}

#[test]
fn a_merge_into_another_branch_leaves_the_trunk_alone() {
    let mut shop = Shop::new();
    shop.world.change_target_branch(shop.mr, shop.ann, "release");
    let before = shop.trunk();
    shop.world.merge(shop.mr, shop.ann, MergeStyle::MergeCommit);
    assert_eq!(shop.trunk(), before);
}

#[test]
fn a_forced_push_of_the_trunk_drops_commits() {
    let mut shop = Shop::new();
    let pushed = shop.world.push_to_trunk(shop.project, shop.ann, 3);
    let new = shop.world.force_push_trunk(shop.project, shop.ann, 2);
    let trunk = shop.trunk();
    assert!(trunk.contains(&new) && trunk.contains(&pushed[0]));
    assert!(!trunk.contains(&pushed[1]) && !trunk.contains(&pushed[2]));
    assert!(shop.repository().get(&pushed[2]).is_some(), "it can still be read by its sha");
    shop.world.force_push_trunk(shop.project, shop.ann, 100);
    assert_eq!(shop.trunk().len(), 2, "the first commit stays");
}

#[test]
fn titles_are_gitlabs() {
    let mut shop = Shop::new();
    let mut commit = shop.repository().trunk()[0].clone();
    let mut titles = |message: &str| {
        commit.message = message.to_owned();
        (commit.title().to_owned(), commit.short_title())
    };
    let same = |text: &str| (text.to_owned(), text.to_owned());
    assert_eq!(titles("One\r\nTwo"), same("One"));
    assert_eq!(titles(" \n"), same("No commit message"));
    assert_eq!(titles(&"é".repeat(99)), same(&"é".repeat(99)));
    assert_eq!(titles(&"é".repeat(100)).1, format!("{}...", "é".repeat(78)));
    let words = "word ".repeat(25);
    assert_eq!(titles(&words).1, format!("{}...", ["word"; 15].join(" ")));
    shop.world.advance(TimeDelta::seconds(1));
}
