//! Several tokens under a limit that GitLab counts by user.

use std::time::Duration;

use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{FakeGitlab, TokenSpec};
use sync::Outcome;

use crate::equality::assert_equal;
use crate::harness::{Bench, options};

/// Requests of one user in a window, and how long it is: enough time to send three times as many on a busy machine.
const LIMIT: u64 = 16;
const WINDOW: Duration = Duration::from_secs(2);

const TOKENS: [&str; 3] = ["glpat-first-of-three", "glpat-second-of-three", "glpat-third-of-three"];

/// Whose the three tokens are.
#[derive(Clone, Copy)]
enum Users {
    One,
    Three,
}

struct Imported {
    outcome: Outcome,
    by_window: Vec<u64>,
    by_token: Vec<u64>,
}

impl Imported {
    /// Requests in a window; the last does not count, because the import ended in it.
    fn pace(&self) -> f64 {
        let whole = &self.by_window[..self.by_window.len() - 1];
        whole.iter().sum::<u64>() as f64 / whole.len() as f64
    }
}

/// Imports a small world by REST with some of the tokens.
async fn import(users: Users, tokens: usize) -> Imported {
    let scale = Scale {
        projects: 4,
        merge_requests_per_project: 9,
        oddities: false,
        shared_timestamp: 0,
        ..Scale::tiny()
    };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(81)).await;
    let reader = bench.fake.viewer().user_id;
    for (at, token) in TOKENS.into_iter().enumerate() {
        let user = match users {
            Users::Three if at > 0 => bench.fake.world_mut().create_twin(reader, &format!("reader-{at}")),
            _ => reader,
        };
        bench.fake.state().add_token(TokenSpec::personal(token, user));
    }
    let per_user = Some(Throttle { limit: LIMIT, period: WINDOW });
    bench.fake.limits().set(LimitSettings { per_user, ..LimitSettings::default() });
    let client = bench.client_with(&TOKENS[..tokens]);
    client.recognise_users().await;
    let mut options = options();
    options.rest_only = true;
    let outcome =
        sync::run(client, bench.store.clone(), options, Default::default(), Default::default()).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, Reading::new(false, false)).await;
    let counts = bench.fake.counters().counts();
    let by_token = TOKENS.iter().map(|it| counts.by_token.get(*it).copied().unwrap_or_default()).collect();
    Imported { outcome, by_window: bench.fake.limits().requests_by_window(), by_token }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_tokens_of_three_users_import_two_and_a_half_times_as_fast_as_one_and_three_of_one_user_do_not()
{
    let (one, three, same) =
        tokio::join!(import(Users::One, 1), import(Users::Three, 3), import(Users::One, 3));
    let told = format!("{:?}, {:?} and {:?}", one.by_window, three.by_window, same.by_window);
    assert!(three.pace() >= 2.5 * one.pace(), "{told}");
    assert!(same.pace() <= 1.1 * one.pace(), "{told}");
    assert!(three.by_token.iter().all(|it| *it >= LIMIT), "all of them work: {:?}", three.by_token);
    assert!(one.outcome.waited_seconds > three.outcome.waited_seconds, "{told}");
    // Nobody runs into the limit: what is left is known from the answers, and tokens of one user are known as such.
    for imported in [&one, &three, &same] {
        assert!(imported.by_window.iter().all(|it| *it <= 3 * LIMIT), "{told}");
    }
    assert!(same.by_window.iter().all(|it| *it <= LIMIT), "{told}");
}
