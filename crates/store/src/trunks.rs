//! How far the default branches of projects are read, and which commits they lead to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::{Store, StoreError};

/// What GitLab tells of a project that has to do with its default branch.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct TrunkSigns {
    /// The project (Weir's id).
    pub project_id: i64,
    /// The name of the branch.
    pub default_branch: Option<String>,
    /// How many commits it has; none where GitLab does not tell.
    pub commit_count: Option<i64>,
    /// When something last happened in the project; none where GitLab does not tell.
    pub last_activity_at: Option<DateTime<Utc>>,
}

/// How far a default branch is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct Trunk {
    /// What GitLab told when the branch was last to be read.
    #[sqlx(flatten)]
    pub signs: TrunkSigns,
    /// Whether it is still to be read.
    pub due: bool,
    /// Where it ended when it was last read to the end.
    pub head: Option<String>,
    /// When that reading began; none before the first.
    pub read_at: Option<DateTime<Utc>>,
    /// How far back it reached; none for the beginning.
    pub read_from: Option<DateTime<Utc>>,
    /// Whether every commit was read with its size.
    pub statistics: bool,
    /// A reading that was cut short.
    pub walk: Option<Value>,
}

/// What becomes of a default branch with a page.
#[derive(Debug, Serialize)]
pub struct TrunkStep<'a> {
    /// How far it is read once the page is stored.
    pub trunk: &'a Trunk,
    /// Whether commits that its head does not lead to are gone.
    pub prune: Option<Prune>,
}

/// How far what is not met is known to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prune {
    /// Commits from this time on were listed, whatever is missing of older ones; none where nothing is left out.
    pub listed_from: Option<DateTime<Utc>>,
}

const SELECT: &str =
    "select project_id, default_branch, commit_count, last_activity_at, due, head, read_at, read_from
     , statistics, walk
  from weir.trunks";

impl Store {
    /// How far the default branches of an instance are read.
    pub async fn trunks(&self, instance: i64) -> Result<Vec<Trunk>, StoreError> {
        let sql = format!(
            "{SELECT} where project_id >= $1 * 17592186044416 and project_id < ($1 + 1) * 17592186044416"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(instance).fetch_all(&self.pool).await?)
    }

    /// How far the default branch of a project is read.
    pub async fn trunk(&self, project: i64) -> Result<Trunk, StoreError> {
        let sql = format!("{SELECT} where project_id = $1");
        let trunk: Option<Trunk> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project).fetch_optional(&self.pool).await?;
        let signs = TrunkSigns { project_id: project, ..TrunkSigns::default() };
        Ok(trunk.unwrap_or_else(|| Trunk { signs, ..Trunk::default() }))
    }

    /// Says that default branches are to be read, and what GitLab told of them.
    pub async fn trunks_due(&self, signs: &[TrunkSigns]) -> Result<(), StoreError> {
        let projects: Vec<i64> = signs.iter().map(|it| it.project_id).collect();
        let branches: Vec<Option<&str>> = signs.iter().map(|it| it.default_branch.as_deref()).collect();
        let counts: Vec<Option<i64>> = signs.iter().map(|it| it.commit_count).collect();
        let active: Vec<Option<DateTime<Utc>>> = signs.iter().map(|it| it.last_activity_at).collect();
        sqlx::query(
            "insert into weir.trunks as t (project_id, default_branch, commit_count, last_activity_at, due)
             select p, b, c, a, true
               from unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[]) as u(p, b, c, a)
              order by p
                 on conflict (project_id) do update
                set default_branch = excluded.default_branch, commit_count = excluded.commit_count
                  , last_activity_at = excluded.last_activity_at, due = true",
        )
        .bind(projects)
        .bind(branches)
        .bind(counts)
        .bind(active)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Says that default branches were found where they were read to: reading them now would bring the same. Also what
    /// GitLab told of them.
    pub async fn trunks_unmoved(&self, signs: &[TrunkSigns], at: DateTime<Utc>) -> Result<(), StoreError> {
        let projects: Vec<i64> = signs.iter().map(|it| it.project_id).collect();
        let active: Vec<Option<DateTime<Utc>>> = signs.iter().map(|it| it.last_activity_at).collect();
        sqlx::query(
            "update weir.trunks as t
                set last_activity_at = u.a
                  , read_at = case when t.read_at is not null then greatest(t.read_at, $3) end
               from unnest($1::bigint[], $2::timestamptz[]) as u(p, a)
              where t.project_id = u.p",
        )
        .bind(projects)
        .bind(active)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets how far default branches were read, so that they are read again from the beginning.
    pub async fn forget_trunks(&self, projects: &[i64]) -> Result<(), StoreError> {
        sqlx::query("delete from weir.trunks where project_id = any($1)")
            .bind(projects)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Has a default branch read again from its head to its beginning.
    pub async fn read_trunk_again(&self, project: i64) -> Result<(), StoreError> {
        sqlx::query("update weir.trunks set read_at = null, walk = null, due = true where project_id = $1")
            .bind(project)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether commits of a project's default branch are stored, living or not.
    pub async fn has_commits(&self, project: i64) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar("select exists (select from gitlab_commits where project_id = $1)");
        Ok(has.bind(project).fetch_one(&self.pool).await?)
    }

    /// How many commits of a project's default branch are stored and live.
    pub async fn living_commit_count(&self, project: i64) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "select count(*) from gitlab_commits where project_id = $1 and deleted_at is null",
        );
        Ok(count.bind(project).fetch_one(&self.pool).await?)
    }

    /// Those of the commits that are stored and live.
    pub async fn living_commits(&self, project: i64, shas: &[&str]) -> Result<Vec<String>, StoreError> {
        let living = sqlx::query_scalar(
            "select sha from gitlab_commits where project_id = $1 and sha = any($2) and deleted_at is null",
        );
        Ok(living.bind(project).bind(shas).fetch_all(&self.pool).await?)
    }
}

/// Saves how far a default branch is read.
pub(crate) async fn save(connection: &mut PgConnection, trunk: &Trunk) -> Result<(), StoreError> {
    // What GitLab told belongs to the plan, which may have moved on.
    sqlx::query(
        "insert into weir.trunks as t (project_id, due, head, read_at, read_from, statistics, walk)
         values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (project_id) do update
            set due = excluded.due, head = excluded.head, read_at = excluded.read_at
              , read_from = excluded.read_from, statistics = excluded.statistics, walk = excluded.walk",
    )
    .bind(trunk.signs.project_id)
    .bind(trunk.due)
    .bind(&trunk.head)
    .bind(trunk.read_at)
    .bind(trunk.read_from)
    .bind(trunk.statistics)
    .bind(&trunk.walk)
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks the living commits that the head of the branch does not lead to. Nothing is marked unless every commit on the
/// way is stored, but for what lies before the time from which all were listed. Gives how many.
pub(crate) async fn prune(
    connection: &mut PgConnection,
    trunk: &Trunk,
    prune: Prune,
    sent_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let Some(head) = &trunk.head else { return Ok(0) };
    let gone = sqlx::query(
        "with recursive reached (sha) as (
           select $2::text
            union
           select p.sha
             from reached r
             join gitlab_commits c on c.project_id = $1 and c.sha = r.sha and c.deleted_at is null
            cross join lateral unnest(c.parent_shas) as p(sha)
         ), gap as materialized (
           select exists (
             select from reached r
              where not exists (
                select from gitlab_commits c
                 where c.project_id = $1 and c.sha = r.sha and c.deleted_at is null
              )
           ) as is_there
         )
         update gitlab_commits t
            set deleted_at = $4, deleted_reason = 'removed', synced_at = $4
          where t.project_id = $1
            and t.deleted_at is null
            and t.sha not in (select sha from reached)
            and (not (select is_there from gap) or t.committed_at >= $3)",
    )
    .bind(trunk.signs.project_id)
    .bind(head)
    .bind(prune.listed_from)
    .bind(sent_at)
    .execute(connection)
    .await?;
    Ok(gone.rows_affected())
}
