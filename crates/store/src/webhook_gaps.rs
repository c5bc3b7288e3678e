//! What changed in GitLab and was named by no webhook.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// A thing that a delivery named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WebhookHint {
    /// The project (Weir's id).
    pub project_id: i64,
    /// merge_request, issue or pipeline.
    #[serde(deserialize_with = "crate::remote::words::hint")]
    pub kind: crate::remote::words::Word,
    /// Its number within the project; of a pipeline GitLab's id.
    pub number: i64,
}

/// The time that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct GapWindow {
    /// The instance.
    pub instance: i64,
    /// Its ids: from here,
    pub first_id: i64,
    /// and below this.
    pub end_id: i64,
    /// What GitLab moved from here on,
    pub since: DateTime<Utc>,
    /// and before this: what moved a moment ago may still be on its way.
    pub until: DateTime<Utc>,
}

/// What changed in a project, and how much of it was named.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct GapRow {
    /// The project (Weir's id); none in the sum over all projects.
    pub project_id: Option<i64>,
    /// Its path; empty in the sum.
    pub path: String,
    /// merge_request, issue or pipeline.
    pub kind: String,
    /// Whether some hook is known that tells of the project.
    pub covered: bool,
    /// Projects in which something changed.
    pub projects: i64,
    /// How many changed.
    pub changed: i64,
    /// How many of them no delivery named.
    pub unnamed: i64,
    /// How many of those are confidential issues.
    pub confidential: i64,
    /// One that was not named.
    pub example: Option<i64>,
    /// When the last of those not named changed.
    pub last_changed_at: Option<DateTime<Utc>>,
}

/// Clocks of GitLab and Weir may differ by so much.
const SLACK_SECONDS: f64 = 120.0;
/// The pipelines of a project that are looked at: they are read in the order of their numbers.
const PIPELINES: i64 = 30;

impl Store {
    /// Notes what deliveries named, each thing once.
    pub async fn note_webhook_hints(
        &self,
        hints: &[WebhookHint],
        received_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut hints: Vec<&WebhookHint> = hints.iter().collect();
        // In one order, so that two workers cannot wait for each other.
        hints.sort();
        hints.dedup();
        let projects: Vec<i64> = hints.iter().map(|it| it.project_id).collect();
        let kinds: Vec<&str> = hints.iter().map(|it| it.kind).collect();
        let numbers: Vec<i64> = hints.iter().map(|it| it.number).collect();
        sqlx::query(
            "insert into weir.webhook_hints as h (project_id, kind, number, received_at)
             select p, k, n, $4 from unnest($1::bigint[], $2::text[], $3::bigint[]) as t(p, k, n)
                 on conflict (project_id, kind, number) do update
                set received_at = excluded.received_at
              where h.received_at < excluded.received_at",
        )
        .bind(projects)
        .bind(kinds)
        .bind(numbers)
        .bind(received_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets what was named before this, and what was refused.
    pub async fn clean_webhook_hints(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        for sql in [
            "delete from weir.webhook_hints where received_at < $1",
            "delete from weir.webhook_refusals where hour < $1",
        ] {
            sqlx::query(sql).bind(before).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Since when it is noted what deliveries name.
    pub async fn webhook_hints_since(&self) -> Result<DateTime<Utc>, StoreError> {
        let since = sqlx::query_scalar("select installed_on from _sqlx_migrations where version = 15");
        Ok(since.fetch_one(&self.pool).await?)
    }

    /// What changed and was not named, by project and kind, most first; before them the sums over all projects.
    ///
    /// Asks only for what moved since a moment: merge requests and issues by an index of that, pipelines among the newest of
    /// each project.
    pub async fn webhook_gaps(&self, window: GapWindow, limit: i64) -> Result<Vec<GapRow>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("set local statement_timeout = '15s'").execute(&mut *transaction).await?;
        let rows = sqlx::query_as(
            "with changed as (
               select project_id, 'merge_request' as kind, iid as number, updated_at, false as confidential
                 from gitlab_merge_requests
                where updated_at >= $3 and updated_at < $4 and project_id >= $1 and project_id < $2 and deleted_at is null
               union all
               select project_id, 'issue', iid, updated_at, coalesce(confidential, false)
                 from gitlab_issues
                where updated_at >= $3 and updated_at < $4 and project_id >= $1 and project_id < $2 and deleted_at is null
               union all
               select p.id, 'pipeline', n.source_id, n.updated_at, false
                 from gitlab_projects p
                cross join lateral (
                        select source_id, updated_at, deleted_at from gitlab_pipelines
                         where project_id = p.id order by id desc limit $7
                      ) n
                where p.id >= $1 and p.id < $2 and p.deleted_at is null
                  and n.updated_at >= $3 and n.updated_at < $4 and n.deleted_at is null
             ), places as (
               select distinct project_id from changed
             ), covered as materialized (
               -- Since when some hook has told of the project; null where none does.
               select p.id as project_id, p.path_with_namespace as path
                    , least((select min(coalesce(w.created_at, w.checked_at)) from weir.webhooks w
                              where w.instance = $8 and w.place = 'system')
                          , (select min(coalesce(w.created_at, w.checked_at)) from weir.webhooks w
                              where w.instance = $8 and w.place = 'project' and w.place_id = p.id)
                          , (select min(coalesce(w.created_at, w.checked_at)) from weir.webhooks w
                              where w.instance = $8 and w.place = 'group'
                                and starts_with(p.path_with_namespace, w.path || '/'))) as since
                 from places s join gitlab_projects p on p.id = s.project_id
             ), judged as (
               select c.project_id, v.path, c.kind, c.number, c.updated_at, c.confidential, v.since is not null as covered
                    , h.number is null as unnamed
                 from changed c
                 join covered v on v.project_id = c.project_id and (v.since is null or c.updated_at >= v.since)
                 left join weir.webhook_hints h
                   on h.project_id = c.project_id and h.kind = c.kind and h.number = c.number
                  and h.received_at >= c.updated_at - make_interval(secs => $5)
             ), each as (
               select project_id, path, kind, covered, count(*) as changed, count(*) filter (where unnamed) as unnamed
                    , count(*) filter (where unnamed and confidential) as confidential
                    , (array_agg(number order by updated_at desc) filter (where unnamed))[1] as example
                    , max(updated_at) filter (where unnamed) as last_changed_at
                 from judged group by project_id, path, kind, covered
             ), most as (
               select * from each where unnamed > 0 order by covered desc, unnamed desc, project_id, kind limit $6
             )
             select null::bigint as project_id, '' as path, kind, covered, count(*) as projects
                  , sum(changed)::bigint as changed, sum(unnamed)::bigint as unnamed
                  , sum(confidential)::bigint as confidential, null::bigint as example
                  , max(last_changed_at) as last_changed_at
               from each group by kind, covered
             union all
             select project_id, path, kind, covered, 1, changed, unnamed, confidential, example, last_changed_at
               from most
              order by project_id nulls first, kind, covered",
        );
        let rows = rows
            .bind(window.first_id)
            .bind(window.end_id)
            .bind(window.since)
            .bind(window.until)
            .bind(SLACK_SECONDS)
            .bind(limit)
            .bind(PIPELINES)
            .bind(window.instance)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows)
    }
}
