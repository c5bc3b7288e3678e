//! The same seed gives the same world.

use fake_gitlab::world::generate::{Scale, generate};
use fake_gitlab::world::model::{NoteType, UserType, World};

fn tiny(seed: u64) -> World {
    generate(seed, &Scale::tiny())
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(format!("{:?}", tiny(5)), format!("{:?}", tiny(5)));
    assert_ne!(format!("{:?}", tiny(5)), format!("{:?}", tiny(6)));
}

#[test]
fn nothing_is_newer_than_ten_minutes() {
    for seed in 0..5 {
        let world = tiny(seed);
        let bound = world.now - chrono::TimeDelta::minutes(10);
        assert!(world.merge_requests.values().all(|mr| mr.updated_at <= bound));
        assert!(world.notes.values().all(|note| note.updated_at <= bound));
        assert!(world.projects.values().all(|project| project.last_activity_at <= bound));
    }
}

#[test]
fn the_scales_hold_what_they_promise() {
    let world = generate(1, &Scale::small());
    assert_eq!(world.groups.len(), 6 + 1, "and the public group of strangers");
    assert_eq!(world.projects.len(), 20 + 2);
    assert_eq!(world.merge_requests.len(), 19 * 50, "one project is empty");
    let notes = world.notes.len() as f64 / world.merge_requests.len() as f64;
    assert!((3.0..9.0).contains(&notes), "{notes}");
}

#[test]
fn notes_are_of_every_kind() {
    let world = generate(1, &Scale::small());
    let any = |wanted: &dyn Fn(&fake_gitlab::world::model::Note) -> bool| world.notes.values().any(wanted);
    let author = |note: &fake_gitlab::world::model::Note| world.users[&note.author_id].user_type;
    assert!(any(&|note| note.note_type == NoteType::DiffNote && note.resolved));
    assert!(any(&|note| note.note_type == NoteType::DiscussionNote));
    assert!(any(&|note| note.internal));
    assert!(any(&|note| author(note) == UserType::DuoCodeReviewBot));
    assert!(any(&|note| world.users[&note.author_id].username == "renovate"));
    assert!(any(&|note| note.body.contains('\u{202e}')));
    assert!(!any(&|note| note.body.contains('\0')));
    assert!(world.notes.keys().all(|id| *id > i64::from(i32::MAX)));
    for action in
        ["approved", "unapproved", "reviewer", "label", "title", "commit", "merged", "closed", "milestone"]
    {
        assert!(any(&|note| note.action.as_deref() == Some(action)), "{action}");
    }
}

#[test]
fn notes_of_a_merge_request_are_in_order() {
    let world = tiny(3);
    for mr in world.merge_requests.values() {
        assert!(mr.note_ids.is_sorted_by_key(|id| (world.notes[id].created_at, *id)));
        assert!(mr.note_ids.iter().all(|id| world.notes[id].created_at >= mr.created_at));
    }
}
