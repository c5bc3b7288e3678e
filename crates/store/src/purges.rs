//! What a deleted connection brought is removed: in small pieces, so that nobody waits for a lock, and so that a worker that
//! is killed leaves the rest to another.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow};

use crate::syncs::IS_LED;
use crate::{Store, StoreError};

/// Rows that are removed in one transaction.
const PIECE: i64 = 5_000;
/// How long a worker may be silent before its purge is given to another, in seconds.
const LEASE_SECONDS: f64 = 60.0;
/// What was in flight when a connection was deleted is written within this: a delivery is read for two minutes at most.
const IN_FLIGHT_SECONDS: f64 = 180.0;
/// Ids of one instance are below this: its number tells where they begin.
pub(crate) const SPAN: i64 = 1 << 44;

/// What each connector brings, by table and by the column that tells the instance. `gitlab` goes last, and takes all there is.
pub const BROUGHT: [(&str, &[(&str, &str)]); 5] = [
    ("gitlab_pipelines", &[("gitlab_jobs", "project_id"), ("gitlab_pipelines", "project_id")]),
    ("gitlab_commits", &[("gitlab_merge_request_commits", "project_id")]),
    ("gitlab_commits_trunk", &[("gitlab_commits", "project_id"), ("weir.trunks", "project_id")]),
    (
        "gitlab_deployments",
        &[
            ("gitlab_deployment_merge_requests", "project_id"),
            ("gitlab_deployments", "project_id"),
            ("gitlab_environments", "project_id"),
            ("weir.deployment_merge_requests", "project_id"),
        ],
    ),
    (
        "gitlab",
        &[
            ("gitlab_reviews", "project_id"),
            ("gitlab_merge_request_approval_rule_approvals", "project_id"),
            ("gitlab_merge_request_approval_rules", "project_id"),
            ("gitlab_merge_request_approvals", "project_id"),
            ("gitlab_merge_request_assignees", "project_id"),
            ("gitlab_merge_request_labels", "project_id"),
            ("gitlab_merge_request_notes", "project_id"),
            ("gitlab_merge_request_reviewers", "project_id"),
            ("gitlab_merge_requests", "project_id"),
            ("gitlab_issue_assignees", "project_id"),
            ("gitlab_issue_labels", "project_id"),
            ("gitlab_issue_links", "project_id"),
            ("gitlab_issues", "project_id"),
            ("gitlab_labels", "project_id"),
            ("gitlab_milestones", "project_id"),
            ("gitlab_project_invited_groups", "project_id"),
            ("gitlab_project_members", "project_id"),
            ("gitlab_group_members", "group_id"),
            ("gitlab_projects", "id"),
            ("gitlab_groups", "id"),
            ("gitlab_users", "id"),
            ("weir.approval_rules", "project_id"),
            ("weir.merge_request_heads", "project_id"),
            ("weir.group_labels", "group_id"),
            ("weir.people_due", "user_id"),
            ("weir.project_namespaces", "project_id"),
            ("weir.project_paths", "project_id"),
            ("weir.webhook_hints", "project_id"),
        ],
    ),
];

/// A purge that was asked for.
#[derive(Debug, FromRow)]
pub struct PurgeRow {
    /// The connection.
    pub id: i64,
    /// Its connector.
    #[sqlx(rename = "type")]
    pub connector: String,
    /// Number of the GitLab.
    pub instance: i64,
    /// When all of it was removed.
    pub purged_at: Option<DateTime<Utc>>,
    /// How many rows were removed so far.
    pub purged_rows: i64,
    /// How far the worker is that claimed it.
    #[sqlx(skip)]
    reached: Mutex<Reached>,
}

/// Where the next piece begins: what is before was looked through.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// The number of the table.
    table: usize,
    /// The least project, group or user there whose rows are not all removed.
    from: Option<i64>,
    /// Whether this round removed anything.
    removed: bool,
}

/// A piece of a table that was removed: how many rows, and the project, group or user at its end.
type Piece = (i64, Option<i64>);

impl Store {
    /// A connection that was deleted, as a purge sees it.
    pub async fn deleted_connection(&self, id: i64) -> Result<Option<PurgeRow>, StoreError> {
        let row = sqlx::query_as(
            "select id, type, instance, purged_at, purged_rows from weir.connections where id = $1 and deleted_at is not null",
        );
        Ok(row.bind(id).fetch_optional(&self.pool).await?)
    }

    /// Asks for the removal of what a deleted connection brought. None where there is no such deleted connection.
    pub async fn ask_purge(&self, id: i64, at: DateTime<Utc>) -> Result<Option<PurgeRow>, StoreError> {
        let row = sqlx::query_as(
            "update weir.connections set purge_asked_at = coalesce(purge_asked_at, $2)
              where id = $1 and deleted_at is not null
             returning id, type, instance, purged_at, purged_rows",
        );
        Ok(row.bind(id).bind(at).fetch_optional(&self.pool).await?)
    }

    /// Whether what a connector read of a GitLab is being removed.
    pub async fn is_purging(&self, connector: &str, instance: i64) -> Result<bool, StoreError> {
        // What goes with gitlab is all there is of the instance.
        let is = sqlx::query_scalar(
            "select exists (
               select from weir.connections
                where instance = $2 and (type = $1 or type = 'gitlab') and purge_asked_at is not null and purged_at is null
             )",
        );
        Ok(is.bind(connector).bind(instance).fetch_one(&self.pool).await?)
    }

    /// Takes a purge that nobody is at, of a connection that runs nothing any more: no task, no sync that somebody began by
    /// hand, and nothing that was in flight when it was deleted.
    pub async fn claim_purge(&self, owner: &str) -> Result<Option<PurgeRow>, StoreError> {
        let sql = format!(
            "with next as materialized (
               select c.id from weir.connections c
                where c.purge_asked_at is not null and c.purged_at is null
                  and c.deleted_at < clock_timestamp() - make_interval(secs => $3)
                  and (c.purge_until is null or c.purge_until < clock_timestamp())
                  and not exists (select from weir.tasks t where t.connection_id = c.id and t.until > clock_timestamp())
                  and not exists (
                    select from weir.syncs s
                     where s.instance = c.instance and s.state = 'running'
                       and (c.type = 'gitlab' or c.type = any(s.connectors))
                       and {IS_LED}
                  )
                order by c.id limit 1 for update skip locked
             )
             update weir.connections c
                set purge_owner = $1, purge_until = clock_timestamp() + make_interval(secs => $2)
               from next where c.id = next.id
             returning c.id, c.type, c.instance, c.purged_at, c.purged_rows",
        );
        let row = sqlx::query_as(AssertSqlSafe(sql));
        let row = row.bind(owner).bind(LEASE_SECONDS).bind(IN_FLIGHT_SECONDS);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// Removes a piece of it. Gives how many rows; none where nothing is left, or another worker has the purge.
    pub async fn purge_piece(&self, purge: &PurgeRow, owner: &str) -> Result<u64, StoreError> {
        let tables: Vec<_> = tables(&purge.connector).collect();
        let mut at = *purge.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = loop {
            let Some((table, column)) = tables.get(at.table) else {
                // What was written behind is found in another round; the last one finds nothing.
                if !at.removed {
                    break 0;
                }
                at = Reached::default();
                continue;
            };
            match self.remove(purge, owner, (table, column), at.from).await? {
                None => return Ok(0),
                Some((0, _)) => at = Reached { table: at.table + 1, from: None, ..at },
                Some((removed, last)) => {
                    at = Reached { from: last, removed: true, ..at };
                    break removed;
                }
            }
        };
        *purge.reached.lock().unwrap_or_else(PoisonError::into_inner) = at;
        Ok(removed.unsigned_abs())
    }

    /// Removes a piece of a table; none where another worker has the purge.
    async fn remove(
        &self,
        purge: &PurgeRow,
        owner: &str,
        (table, column): (&str, &str),
        from: Option<i64>,
    ) -> Result<Option<Piece>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let held = sqlx::query(
            "update weir.connections set purge_until = clock_timestamp() + make_interval(secs => $3)
              where id = $1 and purge_owner = $2 and purged_at is null",
        );
        let held = held.bind(purge.id).bind(owner).bind(LEASE_SECONDS).execute(&mut *transaction).await?;
        if held.rows_affected() == 0 {
            return Ok(None);
        }
        // Names of tables and columns are those above, never a caller's.
        let sql = format!(
            "with removed as (
               delete from {table} where ctid = any(array(
                 select ctid from {table} where {column} >= $1 and {column} < $2 order by {column} limit {PIECE}
               )) returning {column}
             )
             select count(*), max({column}) from removed"
        );
        let begins = purge.instance * SPAN;
        let piece = sqlx::query_as(AssertSqlSafe(sql)).bind(from.unwrap_or(begins)).bind(begins + SPAN);
        let piece: Piece = piece.fetch_one(&mut *transaction).await?;
        sqlx::query("update weir.connections set purged_rows = purged_rows + $2 where id = $1")
            .bind(purge.id)
            .bind(piece.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(piece))
    }

    /// Forgets how far everything was read, and ends the purge. `resources`: those of the connector. Gives how many rows
    /// were removed in all; none where another worker has the purge by now.
    pub async fn end_purge(
        &self,
        purge: &PurgeRow,
        owner: &str,
        resources: &[&str],
        at: DateTime<Utc>,
    ) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query_scalar(
            "update weir.connections set purged_at = $2, purge_owner = null, purge_until = null
              where id = $1 and purge_owner = $3 and purged_at is null
             returning purged_rows",
        );
        let rows: Option<i64> =
            rows.bind(purge.id).bind(at).bind(owner).fetch_optional(&mut *transaction).await?;
        if rows.is_none() {
            return Ok(None);
        }
        let all = purge.connector == "gitlab";
        for table in ["partitions", "proofs", "sync_rejects", "skips"] {
            let sql = format!("delete from weir.{table} where instance = $1 and ($2 or resource = any($3))");
            let forgotten = sqlx::query(AssertSqlSafe(sql)).bind(purge.instance).bind(all).bind(resources);
            forgotten.execute(&mut *transaction).await?;
        }
        if all {
            sqlx::query("delete from weir.pending where instance = $1")
                .bind(purge.instance)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "delete from weir.inbox i
                  using weir.instances n
                  where n.number = $1 and (i.sender = n.base_url or starts_with(i.sender, n.base_url || '/'))",
            )
            .bind(purge.instance)
            .execute(&mut *transaction)
            .await?;
        }
        // GitLab would be taken at its word that nothing has changed.
        sqlx::query("delete from weir.etags where parent_id >= $1 and parent_id < $2 or parent_id = 0")
            .bind(purge.instance * SPAN)
            .bind((purge.instance + 1) * SPAN)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

/// The tables that go with a connector.
fn tables(connector: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let goes = move |name: &str| name == connector || connector == "gitlab";
    BROUGHT.into_iter().filter(move |it| goes(it.0)).flat_map(|it| it.1.iter().copied())
}
