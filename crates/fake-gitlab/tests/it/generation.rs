//! The same seed gives the same world.

use fake_gitlab::truth::{Reading, truth};
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::change::{Kinds, random_change};
use fake_gitlab::world::generate::{READER, Scale, generate};
use fake_gitlab::world::hash::mix;
use fake_gitlab::world::model::{NoteType, UserType, World};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

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

/// Samples and tests name rows by their ids: what a seed made before commits and issues came, it still makes.
#[test]
fn a_seed_makes_what_it_always_made() {
    let mut world = tiny(1);
    assert_eq!(digest(&world), 0x489f6ab93a27e4f2);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for kinds in [[Kinds::Visible; 200].as_slice(), &[Kinds::All; 100]].concat() {
        random_change(&mut world, &mut rng, kinds);
    }
    assert_eq!(digest(&world), 0xc3fc39ec64146ce0, "also when it changes");
}

fn digest(world: &World) -> u64 {
    let reader = world.users.values().find(|user| user.username == READER).unwrap().id;
    let mut tables = truth(world, &Viewer::of(reader), Reading::default());
    // Columns that came later.
    for row in tables.values_mut().flatten() {
        row.retain(|column, _| !["issues_access_level", "type_rule"].contains(&column.as_str()));
    }
    serde_json::to_string(&tables).unwrap().bytes().fold(7, |sum, byte| mix(sum ^ u64::from(byte)))
}

#[test]
fn code_and_issues_are_of_every_kind() {
    let world = tiny(1);
    let trunks: Vec<_> = world.repositories.values().flat_map(|it| it.trunk()).collect();
    assert_eq!(world.repositories.len(), 4, "one of five projects is empty");
    assert!(world.repositories.values().all(|it| it.commit_count() >= 20));
    assert!(world.repositories.values().any(|it| it.commit_count() > 100));
    assert!(trunks.iter().any(|it| it.is_merge()));
    assert!(trunks.iter().any(|it| it.author.email.ends_with("contractor.example")));
    assert!(trunks.iter().any(|it| it.author.at.offset().local_minus_utc() == 3_600));
    assert!(
        trunks.windows(2).any(|pair| pair[0].committer.at < pair[1].committer.at),
        "an old commit came late"
    );
    assert!(trunks.iter().any(|it| it.title().chars().count() > 100));
    let mrs = || world.merge_requests.values();
    assert!(mrs().any(|mr| mr.commits.is_empty()) && mrs().any(|mr| mr.commits.len() == 250));
    let mut shas: Vec<&String> = mrs().flat_map(|mr| &mr.commits).collect();
    let all = shas.len();
    shas.sort_unstable();
    shas.dedup();
    assert!(shas.len() < all, "some are in two merge requests");
    assert!(shas.iter().any(|sha| trunks.iter().any(|it| it.sha == **sha)), "and in the trunk");
    let issue =
        |wanted: &dyn Fn(&fake_gitlab::world::issue::Issue) -> bool| world.issues.values().any(wanted);
    assert!(
        issue(&|it| it.confidential)
            && issue(&|it| it.closed_at.is_some())
            && issue(&|it| it.due_date.is_some())
    );
    assert!(issue(&|it| it.description.as_ref().is_some_and(|text| text.contains('!'))));
}

#[test]
fn small_has_two_hundred_commits_in_a_project() {
    let world = generate(1, &Scale::small());
    let count = |id: &i64| world.repositories[id].commit_count();
    let mean = world.repositories.keys().map(count).sum::<usize>() / world.repositories.len();
    assert!((150..260).contains(&mean), "{mean}");
}
