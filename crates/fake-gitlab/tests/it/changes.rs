//! What moves `updated_at`, and what does not.

use chrono::TimeDelta;
use fake_gitlab::world::change::{Kinds, MergeStyle, random_change};
use fake_gitlab::world::generate::{Scale, generate};
use fake_gitlab::world::model::{Id, Time, World};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A world with one merge request of interest, and a person.
fn world() -> (World, Id, Id) {
    let world = generate(1, &Scale::tiny());
    let mr = world.merge_requests.values().find(|mr| mr.iid == 3).unwrap().id;
    let person = world.users.values().find(|user| user.username.ends_with("10")).unwrap().id;
    (world, mr, person)
}

fn updated(world: &World, mr: Id) -> Time {
    world.merge_requests[&mr].updated_at
}

#[test]
fn a_second_note_within_a_minute_does_not_move_it() {
    let (mut world, mr, person) = world();
    world.comment(mr, person, "first");
    let first = updated(&world, mr);
    world.advance(TimeDelta::seconds(59));
    world.comment(mr, person, "second");
    assert_eq!(updated(&world, mr), first);
    world.advance(TimeDelta::seconds(2));
    world.comment(mr, person, "third");
    assert!(updated(&world, mr) > first);
}

#[test]
fn a_change_of_its_own_columns_always_moves_it() {
    let (mut world, mr, person) = world();
    world.comment(mr, person, "first");
    let first = updated(&world, mr);
    world.retitle(mr, person, "Another");
    assert!(updated(&world, mr) > first);
}

#[test]
fn deleting_a_note_leaves_no_trace() {
    let (mut world, mr, person) = world();
    let note = world.comment(mr, person, "first");
    let first = updated(&world, mr);
    world.advance(TimeDelta::hours(1));
    world.delete_note(note);
    assert_eq!(updated(&world, mr), first);
    assert!(!world.merge_requests[&mr].note_ids.contains(&note));
}

#[test]
fn an_edit_moves_the_note_and_the_merge_request() {
    let (mut world, mr, person) = world();
    let note = world.comment(mr, person, "first");
    world.advance(TimeDelta::hours(1));
    world.edit_note(note, "better");
    assert_eq!(world.notes[&note].updated_at, updated(&world, mr));
    assert!(world.notes[&note].created_at < world.notes[&note].updated_at);
}

#[test]
fn a_push_may_take_approvals_away_without_a_note_of_its_own() {
    let (mut world, mr, person) = world();
    world.approve(mr, person);
    let before = world.merge_requests[&mr].clone();
    world.push(mr, person, 1, true);
    let after = &world.merge_requests[&mr];
    assert!(!before.approvals.is_empty() && after.approvals.is_empty());
    assert_ne!(before.sha, after.sha);
    assert_eq!(after.note_ids.len(), before.note_ids.len() + 1);
    let note = &world.notes[after.note_ids.last().unwrap()];
    assert!(note.body.starts_with("added 1 commit\n\n<ul>"), "{}", note.body);
}

#[test]
fn the_note_of_an_approval_is_a_little_later_than_the_approval() {
    let (mut world, mr, person) = world();
    world.approve(mr, person);
    let row = &world.merge_requests[&mr];
    let approval = row.approvals.iter().find(|approval| approval.user_id == person).unwrap();
    let note = &world.notes[row.note_ids.last().unwrap()];
    let gap = note.created_at - approval.created_at;
    assert!(gap > TimeDelta::zero() && gap < TimeDelta::milliseconds(20));
    assert_eq!(
        (note.body.as_str(), note.action.as_deref()),
        ("approved this merge request", Some("approved"))
    );
}

#[test]
fn a_deleted_label_goes_silently() {
    let (mut world, mr, person) = world();
    let label = world.labels_of_project(world.merge_requests[&mr].project_id)[0].id;
    world.add_labels(mr, person, &[label]);
    world.advance(TimeDelta::hours(1));
    let before = updated(&world, mr);
    world.delete_label(label);
    assert_eq!(updated(&world, mr), before);
    assert!(!world.merge_requests[&mr].label_ids.contains(&label));
}

#[test]
fn names_are_joined_as_in_a_sentence() {
    let (mut world, mr, person) = world();
    let others: Vec<Id> = world.users.keys().copied().skip(20).take(3).collect();
    world.request_review(mr, person, &others);
    let body = &world.notes[world.merge_requests[&mr].note_ids.last().unwrap()].body;
    assert!(body.starts_with("requested review from @") && body.contains(" and @"), "{body}");
    assert_eq!(body.matches(", @").count(), 1);
}

#[test]
fn merging_is_later_than_the_update_it_makes() {
    let (mut world, mr, person) = world();
    world.advance(TimeDelta::hours(1));
    world.merge(mr, person, MergeStyle::FastForward);
    let row = &world.merge_requests[&mr];
    let gap = row.merged_at.unwrap() - row.updated_at;
    assert!(gap > TimeDelta::zero() && gap < TimeDelta::seconds(1));
    assert_eq!((&row.merge_commit_sha, &row.squash_commit_sha), (&None, &None));
}

#[test]
fn a_moved_project_takes_its_labels_along() {
    let (mut world, mr, person) = world();
    let project = world.merge_requests[&mr].project_id;
    let owned = |world: &World| -> bool {
        let owners = world.owners_above(project);
        let mrs = world.merge_requests.values().filter(|it| it.project_id == project);
        mrs.flat_map(|it| &it.label_ids).all(|id| owners.contains(&world.labels[id].owner))
    };
    let group_label =
        world.labels.values().find(|it| matches!(it.owner, fake_gitlab::world::model::Owner::Group(_)));
    let group_label = group_label.unwrap().id;
    world.add_labels(mr, person, &[group_label]);
    let elsewhere = *world.groups.keys().nth(1).unwrap();
    world.transfer_project(project, elsewhere);
    assert!(owned(&world));
    assert_eq!(world.projects[&project].old_paths.len(), 1);
}

#[test]
fn random_changes_are_repeatable_and_never_break() {
    for kinds in [Kinds::Visible, Kinds::All] {
        let run = || {
            let mut world = generate(2, &Scale::tiny());
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            let done: Vec<String> = (0..600).map(|_| random_change(&mut world, &mut rng, kinds)).collect();
            (done, format!("{world:?}"))
        };
        let (first, second) = (run(), run());
        assert_eq!(first.0, second.0);
        assert_eq!(first.1, second.1);
        let kinds: std::collections::BTreeSet<&str> =
            first.0.iter().map(|it| it.rsplit(": ").next().unwrap_or(it)).collect();
        assert!(kinds.len() > 20, "{kinds:?}");
    }
}

/// Every merge request whose own rows changed moved its `updated_at`, unless a complete listing shows the change.
#[test]
fn visible_changes_of_merge_requests_move_updated_at() {
    let mut world = generate(3, &Scale::tiny());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for _ in 0..400 {
        let before = world.clone();
        let change = random_change(&mut world, &mut rng, Kinds::Visible);
        for (id, mr) in &world.merge_requests {
            let Some(old) = before.merge_requests.get(id) else { continue };
            let notes = |world: &World| {
                format!("{:?}", mr.note_ids.iter().map(|id| world.notes.get(id)).collect::<Vec<_>>())
            };
            let moved = old.updated_at != mr.updated_at;
            let changed = old.title != mr.title || old.state != mr.state || old.draft != mr.draft;
            assert!(moved || !(changed || notes(&before) != notes(&world)), "{change}");
        }
    }
}
