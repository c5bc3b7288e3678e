//! Every user of an instance, where that is asked for.

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;

use crate::equality::assert_equal;
use crate::harness::Bench;

async fn bench(seed: u64) -> Bench {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await;
    for number in 0..250 {
        let kind = fake_gitlab::world::model::UserType::Human;
        bench.fake.world_mut().create_user(&format!("silent{number}"), "Silent", kind);
    }
    bench
}

async fn known(bench: &Bench) -> i64 {
    let sql = "select count(*) from gitlab_users where username is not null and bot is not null and type_rule is not null";
    bench.store.query(sql).await.expect("a good query").rows[0][0].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_lists_every_user_where_asked_to() {
    for rest_only in [false, true] {
        let bench = bench(1).await;
        let reader = bench.fake.viewer().user_id;
        bench.fake.world_mut().admins.insert(reader);
        let first = bench
            .sync_with(|it| {
                it.all_users = true;
                it.rest_only = rest_only;
            })
            .await;
        assert!(first.ok, "{first:?}");
        let all = bench.fake.world().users.len() as i64;
        assert_eq!(known(&bench).await, all);
        let second = bench
            .sync_with(|it| {
                it.all_users = true;
                it.rest_only = rest_only;
            })
            .await;
        let written: Vec<_> = second.resources.iter().filter(|(_, it)| it.written > 0).collect();
        assert!(second.ok && written.is_empty(), "{written:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_administrator_is_told_and_lists_nobody() {
    let bench = bench(2).await;
    let outcome = bench.sync_with(|it| it.all_users = true).await;
    assert!(outcome.ok, "{outcome:?}");
    let skips: Vec<_> = outcome.skips.iter().filter(|it| it.resource == "all_users").collect();
    assert_eq!(skips.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>(), ["forbidden"]);
    assert_equal(&bench, Reading::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_option_even_an_administrator_lists_nobody() {
    let bench = bench(3).await;
    let reader = bench.fake.viewer().user_id;
    bench.fake.world_mut().admins.insert(reader);
    assert!(bench.sync().await.ok);
    assert_equal(&bench, Reading::new(true, false)).await;
}
