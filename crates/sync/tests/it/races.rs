//! Two processes at one database: what the one does between two steps of the other.

use catalogue::{List, Pending, Rows};
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use store::{Page, PendingRow};

use crate::equality::assert_equal;
use crate::harness::Bench;

/// Has another process forget how far a project is read, as `--full` does: once, after this run has loaded the cursors.
async fn forgotten_meanwhile(bench: &Bench, project: i64) {
    let meanwhile = format!(
        "create function public.meanwhile() returns trigger language plpgsql as $$ begin
           delete from public.once;
           if found then
             delete from weir.partitions where resource = 'merge_requests' and parent_id = {project};
           end if;
           return null;
         end $$"
    );
    bench.execute("create table public.once as select 1").await;
    bench.execute(&meanwhile).await;
    bench
        .execute(
            "create trigger meanwhile after update on weir.partitions
               for each statement execute function public.meanwhile()",
        )
        .await;
}

/// A server learns late that a network is cut: until then it holds the lock of the session that is lost.
#[tokio::test]
async fn a_process_does_not_help_the_run_that_it_lost_itself() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(62)).await;
    let instance = bench.store.instance(bench.fake.url()).await.expect("it is known").number;
    let connectors = ["gitlab".to_owned()];
    let join = async |owner: &str| {
        let run = store::Run { instance, connectors: &connectors, scope: "", connection: None, owner };
        bench.store.join_sync(&run, chrono::DateTime::UNIX_EPOCH).await.expect("it joins")
    };
    let lost = join("one").await;
    let other = join("two").await;
    assert_eq!((other.id, other.leadership.is_some()), (lost.id, false));
    let again = join("one").await;
    assert!(again.id != lost.id && again.leadership.is_some());
    assert_eq!(bench.store.running_phase(lost.id).await.expect("it is asked"), None);
    let other = join("two").await;
    assert_eq!((other.id, other.leadership.is_some()), (again.id, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_another_process_has_forgotten_is_read_from_the_beginning() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(61)).await;
    assert!(bench.sync().await.ok);
    let (project, moved) = {
        let mut world = bench.fake.world_mut();
        world.advance(chrono::TimeDelta::hours(1));
        let viewer = bench.fake.viewer();
        let open = |project: i64| {
            world
                .merge_requests
                .values()
                .find(move |it| it.project_id == project)
                .map(|it| (it.id, it.author_id))
        };
        let in_sight = world.projects.values().filter(|it| world.project_access_level(&viewer, it).is_some());
        let moved: Vec<(i64, i64)> = in_sight.filter_map(|it| open(it.id)).take(3).collect();
        for (merge_request, author) in &moved {
            world.retitle(*merge_request, *author, "moved");
        }
        (world.merge_requests[&moved[0].0].project_id, moved[0].0)
    };
    forgotten_meanwhile(&bench, project).await;
    // What did not move is met only by who reads from the beginning.
    let sql = format!(
        "update gitlab_merge_requests set title = 'forgotten' where project_id = {project} and id <> {moved}"
    );
    bench.execute(&sql).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{outcome:?}");
    assert_equal(&bench, Reading::new(true, false)).await;
}

/// What was asked of GitLab before the second wish may be older than what the second one knows.
#[tokio::test]
async fn a_list_that_is_asked_for_again_while_it_is_read_is_read_once_more() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(63)).await;
    let (store, list) = (&bench.store, Pending { list: List::Pipeline, project: 1, parent: 2, iid: 3 });
    let wish = Rows { pending: vec![list.clone()], ..Rows::default() };
    let write = async |rows: &Rows, done: &[PendingRow]| {
        store
            .write_page(&Page { done, ..Page::new(0, rows, chrono::DateTime::UNIX_EPOCH) })
            .await
            .expect("it is written");
    };
    let claim = async |owner: &str| {
        store.claim_pending(0, owner, 10, &[List::Pipeline], None).await.expect("it is claimed")
    };
    write(&wish, &[]).await;
    write(&wish, &[]).await;
    let first = claim("one").await;
    assert_eq!(first.iter().map(|it| &it.pending).collect::<Vec<_>>(), [&list]);
    write(&wish, &[]).await;
    write(&Rows::default(), &first).await;
    let second = claim("two").await;
    assert_eq!(second.len(), 1, "the wish that came meanwhile is kept, and nobody waits for it");
    write(&Rows::default(), &second).await;
    let left = async || store.pending_left(0, &[List::Pipeline], None).await.expect("it is counted");
    assert_eq!(left().await, 0);
    // Said again, as by one whose first word got no answer, it fulfils no wish that came later.
    write(&wish, &[]).await;
    write(&Rows::default(), &second).await;
    assert_eq!(left().await, 1);
}
