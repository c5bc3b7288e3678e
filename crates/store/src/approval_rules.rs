//! Which merge requests' approval rules were asked for, and as of which state of theirs. Rules are read only by syncs
//! that want them, so a merge request that another sync has read lacks them until the next one that does.

use catalogue::{Instance, List, Pending};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Store, StoreError};

impl Store {
    /// Leaves the rules of stored merge requests to be read where they were never asked for, or not since the merge
    /// request has last moved. Gives how many that are. `projects` are Weir's ids; what has not moved since `since` is
    /// left out.
    pub async fn ask_for_approval_rules(
        &self,
        instance: i64,
        projects: &[i64],
        since: Option<DateTime<Utc>>,
    ) -> Result<u64, StoreError> {
        // By the second: the two readers tell the same time more or less finely.
        let asked = sqlx::query(
            "with due as materialized (
               select m.project_id, m.id, m.source_id, m.iid, date_trunc('second', m.updated_at) as updated_at
                 from gitlab_merge_requests m
                 left join weir.approval_rules r on r.project_id = m.project_id and r.merge_request_id = m.id
                where m.project_id = any($2)
                  and m.deleted_at is null
                  and ($3::timestamptz is null or m.updated_at >= $3)
                  and (r.updated_at is null or r.updated_at < date_trunc('second', m.updated_at))
             ), noted as (
               insert into weir.approval_rules as t (project_id, merge_request_id, updated_at)
               select project_id, id, updated_at from due order by project_id, id
                   on conflict (project_id, merge_request_id) do update
                  set updated_at = greatest(t.updated_at, excluded.updated_at)
             )
             insert into weir.pending (instance, list, project, merge_request, iid)
             select $1, $4, project_id - $1 * $5::bigint, source_id, iid from due order by source_id
                 on conflict (instance, merge_request, list) do nothing",
        );
        let asked = asked.bind(instance).bind(projects).bind(since);
        let asked = asked.bind(List::ApprovalRules.name()).bind(Instance::SPAN);
        Ok(asked.execute(&self.pool).await?.rows_affected())
    }
}

/// Notes those of the lists that are approval rules, as of the state in which their merge requests are stored.
pub(crate) async fn note(
    connection: &mut PgConnection,
    instance: i64,
    lists: &[Pending],
) -> Result<(), StoreError> {
    let rules = lists.iter().filter(|it| it.list == List::ApprovalRules);
    let id = |source_id: i64| Instance(instance).id(source_id);
    let (projects, merge_requests): (Vec<i64>, Vec<i64>) =
        rules.map(|it| (id(it.project), id(it.merge_request))).unzip();
    if projects.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into weir.approval_rules as t (project_id, merge_request_id, updated_at)
         select distinct m.project_id, m.id, date_trunc('second', m.updated_at)
           from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
           join gitlab_merge_requests m on m.project_id = u.project_id and m.id = u.id
          order by m.project_id, m.id
             on conflict (project_id, merge_request_id) do update set updated_at = excluded.updated_at
          where t.updated_at < excluded.updated_at",
    )
    .bind(projects)
    .bind(merge_requests)
    .execute(connection)
    .await?;
    Ok(())
}
