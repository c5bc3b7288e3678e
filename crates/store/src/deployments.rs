//! Deployments: which are unfinished, when each project's were last looked at, and what an environment's end means for its own.

use std::collections::BTreeMap;

use catalogue::{deployment_merge_requests, deployments, environments};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{Page, Store, StoreError};

/// When a project's deployments were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow, Serialize, Deserialize)]
pub struct Look {
    /// The project (Weir's id).
    pub project_id: i64,
    /// When its environments were last listed; none where they never were.
    pub looked_at: Option<DateTime<Utc>>,
    /// Up to when it is known that no pipeline has moved since.
    pub confirmed_at: DateTime<Utc>,
    /// Whether they are stored back to the beginning.
    pub whole: bool,
    /// How far back they are stored otherwise.
    pub complete_from: Option<DateTime<Utc>>,
    /// Whether the project has, or had, an environment or a deployment.
    pub any: bool,
}

impl Store {
    /// When the deployments of each project were last looked at.
    pub async fn deployment_looks(&self, instance: i64) -> Result<Vec<Look>, StoreError> {
        let looks = sqlx::query_as(
            "select p.parent_id as project_id, l.complete_to as looked_at
                  , coalesce(p.confirmed_at, p.complete_to) as confirmed_at
                  , coalesce(p.complete_from = '-infinity', false) as whole
                  , nullif(p.complete_from, '-infinity') as complete_from
                  , exists (select from gitlab_environments e where e.project_id = p.parent_id)
                    or exists (select from gitlab_deployments d where d.project_id = p.parent_id) as any
               from weir.partitions p
               left join weir.partitions l
                 on l.instance = p.instance and l.resource = $3 and l.parent_id = p.parent_id
              where p.instance = $1 and p.resource = $2 and p.complete_to is not null
              order by p.parent_id",
        );
        let looks = looks.bind(instance).bind(deployments::DEPLOYMENTS.name);
        Ok(looks.bind(environments::ENVIRONMENTS.name).fetch_all(&self.pool).await?)
    }

    /// Says that no pipeline of these projects has moved up to this time. How far their deployments are stored stays as
    /// it is: those that the API has made meanwhile are still to be found.
    pub async fn confirm_deployments(
        &self,
        instance: i64,
        projects: &[i64],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let confirm = sqlx::query(
            "update weir.partitions
                set confirmed_at = greatest(confirmed_at, $4)
              where instance = $1 and resource = $2 and parent_id = any($3) and complete_to is not null",
        );
        let confirm = confirm.bind(instance).bind(deployments::DEPLOYMENTS.name).bind(projects).bind(at);
        confirm.execute(&self.pool).await?;
        Ok(())
    }

    /// Those of the projects with an unfinished deployment that the API has made or moved since then.
    pub async fn with_unfinished_deployments(
        &self,
        projects: &[i64],
        since: DateTime<Utc>,
    ) -> Result<Vec<i64>, StoreError> {
        let with = sqlx::query_scalar(
            "select distinct project_id
               from gitlab_deployments
              where project_id = any($1)
                and status in ('created', 'running', 'blocked')
                and job_id is null
                and updated_at >= $2
                and deleted_at is null",
        );
        Ok(with.bind(projects).bind(since).fetch_all(&self.pool).await?)
    }

    /// Whether a deployment of the project was written since then.
    pub async fn deployments_written(&self, project: i64, since: DateTime<Utc>) -> Result<bool, StoreError> {
        let written = sqlx::query_scalar(
            "select exists (select from gitlab_deployments where project_id = $1 and synced_at >= $2)",
        );
        Ok(written.bind(project).bind(since).fetch_one(&self.pool).await?)
    }
}

/// Carries the end of environments, where this page tells it, on to their deployments, and the return of environments too.
/// Gives how many rows changed, by table.
pub(crate) async fn follow_environments(
    connection: &mut PgConnection,
    page: &Page<'_>,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let lists = page.rows.complete.iter().filter(|it| it.table == &environments::TABLE);
    let unchanged = page.listed.iter().filter(|it| it.table == &environments::TABLE).map(|it| it.parent_id);
    let projects: Vec<i64> = lists.map(|it| it.values[0]).chain(unchanged).collect();
    let mut changed = BTreeMap::new();
    if projects.is_empty() {
        return Ok(changed);
    }
    for (table, statements) in [
        (deployments::TABLE.name, [END_DEPLOYMENTS, RETURN_DEPLOYMENTS]),
        (deployment_merge_requests::TABLE.name, [END_LINKS, RETURN_LINKS]),
    ] {
        for statement in statements {
            let following = sqlx::query(statement).bind(&projects).bind(page.sent_at);
            *changed.entry(table).or_default() += following.execute(&mut *connection).await?.rows_affected();
        }
    }
    Ok(changed)
}

const END_DEPLOYMENTS: &str = "
    update gitlab_deployments d
       set deleted_at = $2, deleted_reason = 'parent_deleted', synced_at = $2
      from gitlab_environments e
     where e.project_id = any($1)
       and e.deleted_at is not null
       and d.project_id = e.project_id
       and d.environment_id = e.id
       and d.deleted_at is null
       and d.synced_at <= $2";

const RETURN_DEPLOYMENTS: &str = "
    update gitlab_deployments d
       set deleted_at = null, deleted_reason = null, synced_at = $2
      from gitlab_environments e
     where e.project_id = any($1)
       and e.deleted_at is null
       and d.project_id = e.project_id
       and d.environment_id = e.id
       and d.deleted_reason = 'parent_deleted'
       and d.synced_at <= $2";

const END_LINKS: &str = "
    update gitlab_deployment_merge_requests l
       set deleted_at = $2, deleted_reason = 'parent_deleted', synced_at = $2
      from gitlab_deployments d
     where d.project_id = any($1)
       and d.deleted_reason = 'parent_deleted'
       and d.deleted_at = $2
       and l.project_id = d.project_id
       and l.deployment_id = d.id
       and l.deleted_at is null
       and l.synced_at <= $2";

const RETURN_LINKS: &str = "
    update gitlab_deployment_merge_requests l
       set deleted_at = null, deleted_reason = null, synced_at = $2
      from gitlab_deployments d
     where d.project_id = any($1)
       and d.deleted_at is null
       and l.project_id = d.project_id
       and l.deployment_id = d.id
       and l.deleted_reason = 'parent_deleted'
       and l.synced_at <= $2";
