//! Which deployments' merge requests were asked for, and as of which state of theirs. They are read only by syncs that
//! want them, so a deployment that another sync has read lacks them until the next one that does.

use std::collections::HashSet;

use catalogue::{Instance, List, Pending};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Store, StoreError};

impl Store {
    /// Leaves the merge requests of stored successful deployments to be read where they were never asked for, or not
    /// since the deployment has last moved. Gives how many that are. `projects` are Weir's ids; what has not moved since
    /// `since` is left out.
    pub async fn ask_for_deployment_merge_requests(
        &self,
        instance: i64,
        projects: &[i64],
        since: Option<DateTime<Utc>>,
    ) -> Result<u64, StoreError> {
        let asked = sqlx::query(
            "with due as materialized (
               select d.project_id, d.id, d.source_id, d.iid, date_trunc('second', coalesce(d.updated_at, d.created_at)) as updated_at
                 from gitlab_deployments d
                 left join weir.deployment_merge_requests r
                   on r.project_id = d.project_id and r.deployment_id = d.id
                where d.project_id = any($2)
                  and d.deleted_at is null
                  and d.status = 'success'
                  and ($3::timestamptz is null or coalesce(d.updated_at, d.created_at) >= $3)
                  and (r.updated_at is null or r.updated_at < date_trunc('second', coalesce(d.updated_at, d.created_at)))
             ), noted as (
               insert into weir.deployment_merge_requests as t (project_id, deployment_id, updated_at)
               select project_id, id, updated_at from due order by project_id, id
                   on conflict (project_id, deployment_id) do update
                  set updated_at = greatest(t.updated_at, excluded.updated_at)
             )
             insert into weir.pending (instance, list, project, parent, iid)
             select $1, $4, project_id - $1 * $5::bigint, source_id, iid from due order by source_id
                 on conflict (instance, parent, list) do nothing",
        );
        let asked = asked.bind(instance).bind(projects).bind(since);
        let asked = asked.bind(List::DeploymentMergeRequests.name()).bind(Instance::SPAN);
        Ok(asked.execute(&self.pool).await?.rows_affected())
    }
}

/// Notes those of the lists that are merge requests of deployments, as of the state in which these are stored. Gives the
/// deployments (GitLab's ids) whose lists are not to be read again: the deployment has not moved since they were asked
/// for, and it is met again in every way forward that begins just before it.
pub(crate) async fn note(
    connection: &mut PgConnection,
    instance: i64,
    lists: &[Pending],
) -> Result<HashSet<i64>, StoreError> {
    let links = lists.iter().filter(|it| it.list == List::DeploymentMergeRequests);
    let id = |source_id: i64| Instance(instance).id(source_id);
    let (projects, deployments): (Vec<i64>, Vec<i64>) =
        links.map(|it| (id(it.project), id(it.parent))).unzip();
    if projects.is_empty() {
        return Ok(HashSet::new());
    }
    let due: HashSet<i64> = sqlx::query_scalar(
        "insert into weir.deployment_merge_requests as t (project_id, deployment_id, updated_at)
         select distinct d.project_id, d.id, date_trunc('second', coalesce(d.updated_at, d.created_at))
           from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
           join gitlab_deployments d on d.project_id = u.project_id and d.id = u.id
          order by d.project_id, d.id
             on conflict (project_id, deployment_id) do update set updated_at = excluded.updated_at
          where t.updated_at < excluded.updated_at
         returning deployment_id",
    )
    .bind(projects)
    .bind(&deployments)
    .fetch_all(connection)
    .await?
    .into_iter()
    .collect();
    let source_id = |it: i64| Instance(instance).source_id(it);
    Ok(deployments.into_iter().filter(|it| !due.contains(it)).map(source_id).collect())
}

/// Forgets that a list was asked for: it could not be read, and has to be tried again another day.
pub(crate) async fn forget(
    connection: &mut PgConnection,
    instance: i64,
    list: &Pending,
) -> Result<(), StoreError> {
    if list.list != List::DeploymentMergeRequests {
        return Ok(());
    }
    let id = |source_id: i64| Instance(instance).id(source_id);
    sqlx::query("delete from weir.deployment_merge_requests where project_id = $1 and deployment_id = $2")
        .bind(id(list.project))
        .bind(id(list.parent))
        .execute(connection)
        .await?;
    Ok(())
}
