//! Lists below merge requests, pipelines and deployments that are still to be read: they did not fit into a page, or REST reads
//! them one by one.

use catalogue::{List, Pending};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{Store, StoreError, optional_lists};

/// How long a worker may take over one list, in seconds.
const CLAIM_SECONDS: f64 = 120.0;

/// A list to be read, and how often that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRow {
    /// What to read.
    pub pending: Pending,
    /// Failures so far.
    pub attempts: i32,
    /// The last wish for it when it was taken.
    pub wish: i64,
}

impl Store {
    /// Takes some lists to read, of these kinds, those of one parent together; of one project (GitLab's id), or of all.
    pub async fn claim_pending(
        &self,
        instance: i64,
        owner: &str,
        most: i64,
        lists: &[List],
        project: Option<i64>,
    ) -> Result<Vec<PendingRow>, StoreError> {
        // Materialized: joined as a subquery it may run once per row of the outer table, and take them all.
        let rows = sqlx::query(AssertSqlSafe(format!(
            "with next as materialized (
               select parent, list
                 from weir.pending
                where instance = $1
                  and list = any($5)
                  and {}
                  and (until is null or until < clock_timestamp())
                order by attempts, parent, list
                limit $4
                  for update skip locked
             )
             update weir.pending p
                set owner = $2, until = clock_timestamp() + make_interval(secs => $3)
               from next
              where p.instance = $1
                and p.parent = next.parent
                and p.list = next.list
             returning p.list, p.project, p.parent, p.iid, p.attempts, p.wish",
            of_project(project, 6),
        )))
        .bind(instance)
        .bind(owner)
        .bind(CLAIM_SECONDS)
        .bind(most)
        .bind(names(lists))
        .bind(project)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().filter_map(|row| read(row).transpose()).collect()
    }

    /// Gives back a list that could not be read, to be tried again later.
    pub async fn fail_pending(&self, instance: i64, pending: &Pending) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.pending set attempts = attempts + 1, owner = null, until = null
              where instance = $1 and parent = $2 and list = $3",
        )
        .bind(instance)
        .bind(pending.parent)
        .bind(pending.list.name())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Drops a list that cannot be read at all.
    pub async fn drop_pending(&self, instance: i64, row: &PendingRow) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        optional_lists::forget_deployment(&mut connection, instance, &row.pending).await?;
        remove(&mut connection, instance, row).await
    }

    /// How many lists of these kinds are left to read, of one project (GitLab's id) or of all.
    pub async fn pending_left(
        &self,
        instance: i64,
        lists: &[List],
        project: Option<i64>,
    ) -> Result<i64, StoreError> {
        let left = sqlx::query_scalar(AssertSqlSafe(format!(
            "select count(*) from weir.pending where instance = $1 and list = any($2) and {}",
            of_project(project, 3),
        )));
        Ok(left.bind(instance).bind(names(lists)).bind(project).fetch_one(&self.pool).await?)
    }

    /// Gives back at once what the workers of this process had taken.
    pub async fn release_pending(&self, instance: i64, owner_prefix: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.pending set owner = null, until = null where instance = $1 and starts_with(owner, $2)")
            .bind(instance)
            .bind(owner_prefix)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Two statements, so that each has a plan of its own.
fn of_project(project: Option<i64>, argument: usize) -> String {
    match project {
        Some(_) => format!("project = ${argument}"),
        None => format!("${argument}::bigint is null"),
    }
}

fn names(lists: &[List]) -> Vec<&'static str> {
    lists.iter().map(|it| it.name()).collect()
}

/// A row whose list this version does not know is left for the version that does.
fn read(row: &sqlx::postgres::PgRow) -> Result<Option<PendingRow>, StoreError> {
    let Some(list) = List::named(row.try_get("list")?) else { return Ok(None) };
    let pending = Pending {
        list,
        project: row.try_get("project")?,
        parent: row.try_get("parent")?,
        iid: row.try_get("iid")?,
    };
    Ok(Some(PendingRow { pending, attempts: row.try_get("attempts")?, wish: row.try_get("wish")? }))
}

/// Leaves lists to be read. One that somebody reads just now is read again: what is known by now may be newer than what
/// that reading finds.
pub(crate) async fn add(
    connection: &mut PgConnection,
    instance: i64,
    lists: &[Pending],
) -> Result<(), StoreError> {
    let known = optional_lists::note_deployments(connection, instance, lists).await?;
    let due = |it: &&Pending| it.list != List::DeploymentMergeRequests || !known.contains(&it.parent);
    let lists: Vec<Pending> = lists.iter().filter(due).cloned().collect();
    let names: Vec<&str> = lists.iter().map(|it| it.list.name()).collect();
    let projects: Vec<i64> = lists.iter().map(|it| it.project).collect();
    let parents: Vec<i64> = lists.iter().map(|it| it.parent).collect();
    let iids: Vec<i64> = lists.iter().map(|it| it.iid).collect();
    sqlx::query(
        "insert into weir.pending (instance, list, project, parent, iid)
         select distinct on (m, l) $1::bigint, l, p, m, i
           from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) as u(l, p, m, i)
          order by m, l
             on conflict (instance, parent, list) do update set wish = excluded.wish",
    )
    .bind(instance)
    .bind(names)
    .bind(projects)
    .bind(parents)
    .bind(iids)
    .execute(&mut *connection)
    .await?;
    optional_lists::note_approval_rules(connection, instance, &lists).await
}

/// Takes away a list that was read, or gives it back where it was asked for again meanwhile.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    instance: i64,
    done: &PendingRow,
) -> Result<(), StoreError> {
    const ASKED_ONCE: &str =
        "delete from weir.pending where instance = $1 and parent = $2 and list = $3 and wish = $4";
    const ASKED_AGAIN: &str = "
        update weir.pending set owner = null, until = null
         where instance = $1 and parent = $2 and list = $3 and wish <> $4";
    for statement in [ASKED_ONCE, ASKED_AGAIN] {
        let list = sqlx::query(statement).bind(instance).bind(done.pending.parent);
        let list = list.bind(done.pending.list.name()).bind(done.wish);
        if list.execute(&mut *connection).await?.rows_affected() > 0 {
            break;
        }
    }
    Ok(())
}

/// Gives back every claim on an instance: nobody reads there any more.
pub(crate) async fn release_claims(connection: &mut PgConnection, instance: i64) -> Result<(), StoreError> {
    sqlx::query(
        "update weir.pending set owner = null, until = null where instance = $1 and owner is not null",
    )
    .bind(instance)
    .execute(connection)
    .await?;
    Ok(())
}
