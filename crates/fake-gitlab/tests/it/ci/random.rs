//! Random changes of CI/CD.

use fake_gitlab::truth::truth;
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::change::{Kinds, random_ci_change};
use fake_gitlab::world::generate::{READER, Scale, generate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::reading;
use crate::client::{post, tiny};

#[test]
fn random_changes_are_repeatable_and_never_break() {
    for kinds in [Kinds::Visible, Kinds::All] {
        let lived = |seed: u64| {
            let mut world = generate(1, &Scale::tiny());
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let done: Vec<String> = (0..400).map(|_| random_ci_change(&mut world, &mut rng, kinds)).collect();
            let reader = world.users.values().find(|user| user.username == READER).unwrap().id;
            (done, truth(&world, &Viewer::of(reader), reading(false)))
        };
        let (done, tables) = lived(3);
        assert_eq!((done.clone(), tables), lived(3));
        assert_ne!(done, lived(4).0);
        let idle = done.iter().filter(|it| *it == "nothing").count();
        assert!(idle < 150, "{idle} of 400 did nothing");
    }
}

#[tokio::test]
async fn they_are_asked_for_from_outside_too() {
    let fake = tiny().await;
    let answer = post(&fake, "/fake/change?count=5&seed=2&ci=true", "").await.json();
    assert_eq!(answer["changes"].as_array().unwrap().len(), 5);
}
