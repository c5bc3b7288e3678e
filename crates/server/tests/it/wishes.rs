//! What is asked for while something runs: it is neither lost nor late.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use fake_gitlab::faults::{Fault, FaultPlan};
use store::{TaskEnd, TaskRow};
use sync::{Clock, SystemClock};

use crate::harness::Bench;

async fn task(bench: &Bench, activity: &str) -> TaskRow {
    let tasks = bench.store.tasks(None).await.expect("they can be read");
    tasks.into_iter().find(|it| it.activity == activity).expect("the task is there")
}

fn complete(due_at: DateTime<Utc>) -> TaskEnd {
    TaskEnd { outcome: "complete", error: None, due_at }
}

#[tokio::test]
async fn a_wish_made_while_the_task_runs_is_met_whatever_the_clocks_say() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let (now, hour) = (SystemClock.now(), TimeDelta::hours(1));
    for skew in [-hour, TimeDelta::zero(), hour] {
        let running = bench.store.claim_task("one", now).await.unwrap().expect("it is due");
        // As a process whose clock is behind, or ahead, would ask for it.
        bench.store.hurry_task(id, "sync", now + skew).await.unwrap();
        bench.store.end_task(&running, &complete(now + hour), now).await.unwrap();
        assert!(task(&bench, "sync").await.due_at <= now, "a wish with a clock {skew} off was lost");
    }
    let running = bench.store.claim_task("one", now).await.unwrap().expect("it is due");
    bench.store.end_task(&running, &complete(now + hour), now).await.unwrap();
    let due = task(&bench, "sync").await.due_at;
    assert!((due - now - hour).abs() < TimeDelta::seconds(1), "a wish is met once: {due}");
}

#[tokio::test]
async fn a_sync_wished_for_during_a_sweep_is_not_put_off_by_it() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let (now, hour) = (SystemClock.now(), TimeDelta::hours(1));
    let sync = bench.store.claim_task("one", now).await.unwrap().expect("it is due");
    bench.store.end_task(&sync, &complete(now + hour), now).await.unwrap();
    bench.store.hurry_task(id, "sweep", now).await.unwrap();
    let sweep = bench.store.claim_task("one", now).await.unwrap().expect("it is due");
    assert_eq!(sweep.activity, "sweep");
    bench.store.hurry_task(id, "sync", now).await.unwrap();
    bench.store.put_off_task(id, "sync", now + hour).await.unwrap();
    assert!(task(&bench, "sync").await.due_at <= now);
}

#[tokio::test]
async fn what_cannot_be_claimed_yet_does_not_keep_workers_awake() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let now = SystemClock.now();
    bench.store.hurry_task(id, "sweep", now).await.unwrap();
    bench.store.claim_task("one", now).await.unwrap().expect("one of them is due");
    assert!(bench.store.claim_task("two", now).await.unwrap().is_none());
    assert_eq!(bench.store.next_task_due().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_or_a_deletion_by_another_process_ends_what_runs_within_seconds() {
    for delete in [false, true] {
        let bench = Bench::new().await;
        let id = bench.working("gitlab").await;
        let plan = FaultPlan { hang_seconds: 600.0, ..FaultPlan::new(1.0, &[Fault::Hang], 1) };
        bench.gitlab.faults().set_plan(Some(plan));
        let mut worker = bench.worker("one");
        worker.pace.heartbeat = Duration::from_secs(30);
        let here = worker.here.clone();
        let working = bench.run(worker);
        while here.running().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let asked = Instant::now();
        match delete {
            true => drop(bench.store.delete_connection(id, SystemClock.now()).await.unwrap()),
            false => drop(bench.store.pause_connection(id, true, SystemClock.now()).await.unwrap()),
        }
        while !here.running().is_empty() {
            assert!(asked.elapsed() < Duration::from_secs(20), "it still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bench.gitlab.faults().set_plan(None);
        working.stop().await;
    }
}
