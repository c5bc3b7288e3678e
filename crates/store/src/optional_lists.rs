//! Lists that only some syncs want, a request for each: approval rules of merge requests, merge requests of deployments.
//! For each is kept as of which state of the thing above it was asked for: what another sync has read lacks it until
//! the next one that wants it.

use std::collections::HashSet;

use catalogue::{Instance, List, Pending};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Store, StoreError};

/// Such a list.
pub(crate) struct OptionalList {
    list: List,
    /// The table of the things above it.
    above: &'static str,
    /// Those of them that have it.
    which: &'static str,
    /// When one of them last moved.
    moved: &'static str,
    /// Where it is kept which were asked for, and the column that names the thing above.
    asked: (&'static str, &'static str),
}

static APPROVAL_RULES: OptionalList = OptionalList {
    list: List::ApprovalRules,
    above: "gitlab_merge_requests",
    which: "true",
    moved: "o.updated_at",
    asked: ("weir.approval_rules", "merge_request_id"),
};

static DEPLOYMENT_MERGE_REQUESTS: OptionalList = OptionalList {
    list: List::DeploymentMergeRequests,
    above: "gitlab_deployments",
    which: "o.status = 'success'",
    moved: "coalesce(o.updated_at, o.created_at)",
    asked: ("weir.deployment_merge_requests", "deployment_id"),
};

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
        APPROVAL_RULES.ask(self, instance, projects, since).await
    }

    /// The same for the merge requests of stored successful deployments.
    pub async fn ask_for_deployment_merge_requests(
        &self,
        instance: i64,
        projects: &[i64],
        since: Option<DateTime<Utc>>,
    ) -> Result<u64, StoreError> {
        DEPLOYMENT_MERGE_REQUESTS.ask(self, instance, projects, since).await
    }
}

/// Notes those of the lists that are approval rules, as of the state in which their merge requests are stored.
pub(crate) async fn note_approval_rules(
    connection: &mut PgConnection,
    instance: i64,
    lists: &[Pending],
) -> Result<(), StoreError> {
    APPROVAL_RULES.note(connection, instance, lists).await.map(drop)
}

/// Notes those of the lists that are merge requests of deployments. Gives the deployments (GitLab's ids) whose lists are not
/// to be read again: the deployment has not moved since they were asked for, and it is met again in every way forward
/// that begins just before it.
pub(crate) async fn note_deployments(
    connection: &mut PgConnection,
    instance: i64,
    lists: &[Pending],
) -> Result<HashSet<i64>, StoreError> {
    DEPLOYMENT_MERGE_REQUESTS.note(connection, instance, lists).await
}

/// Forgets that the merge requests of a deployment were asked for: they could not be read, and have to be tried again
/// another day.
pub(crate) async fn forget_deployment(
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

impl OptionalList {
    /// A statement about this list. Times count by the second: the two readers tell the same one more or less finely.
    fn about(&self, statement: &str) -> AssertSqlSafe<String> {
        let moved = format!("date_trunc('second', {})", self.moved);
        let statement = statement.replace("{above}", self.above).replace("{which}", self.which);
        let statement = statement.replace("{asked}", self.asked.0).replace("{column}", self.asked.1);
        AssertSqlSafe(statement.replace("{moved}", &moved).replace("{exactly moved}", self.moved))
    }

    async fn ask(
        &self,
        store: &Store,
        instance: i64,
        projects: &[i64],
        since: Option<DateTime<Utc>>,
    ) -> Result<u64, StoreError> {
        let asking = sqlx::query(self.about(ASK)).bind(instance).bind(projects).bind(since);
        let asking = asking.bind(self.list.name()).bind(Instance::SPAN);
        Ok(asking.execute(&store.pool).await?.rows_affected())
    }

    /// Gives those (GitLab's ids) that have not moved since they were asked for.
    async fn note(
        &self,
        connection: &mut PgConnection,
        instance: i64,
        lists: &[Pending],
    ) -> Result<HashSet<i64>, StoreError> {
        let id = |source_id: i64| Instance(instance).id(source_id);
        let ours = lists.iter().filter(|it| it.list == self.list);
        let (projects, above): (Vec<i64>, Vec<i64>) = ours.map(|it| (id(it.project), id(it.parent))).unzip();
        if projects.is_empty() {
            return Ok(HashSet::new());
        }
        let noting = sqlx::query_scalar(self.about(NOTE)).bind(projects).bind(&above);
        let due: HashSet<i64> = noting.fetch_all(connection).await?.into_iter().collect();
        let source_id = |it: i64| Instance(instance).source_id(it);
        Ok(above.into_iter().filter(|it| !due.contains(it)).map(source_id).collect())
    }
}

const ASK: &str = "
    with due as materialized (
      select o.project_id, o.id, o.source_id, o.iid, {moved} as updated_at
        from {above} o
        left join {asked} r on r.project_id = o.project_id and r.{column} = o.id
       where o.project_id = any($2)
         and o.deleted_at is null
         and {which}
         and ($3::timestamptz is null or {exactly moved} >= $3)
         and (r.updated_at is null or r.updated_at < {moved})
    ), noted as (
      insert into {asked} as t (project_id, {column}, updated_at)
      select project_id, id, updated_at from due order by project_id, id
          on conflict (project_id, {column}) do update
         set updated_at = greatest(t.updated_at, excluded.updated_at)
    )
    insert into weir.pending (instance, list, project, parent, iid)
    select $1, $4, project_id - $1 * $5::bigint, source_id, iid from due order by source_id
        on conflict (instance, parent, list) do update set wish = excluded.wish";

const NOTE: &str = "
    insert into {asked} as t (project_id, {column}, updated_at)
    select distinct o.project_id, o.id, {moved}
      from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
      join {above} o on o.project_id = u.project_id and o.id = u.id
     order by o.project_id, o.id
        on conflict (project_id, {column}) do update set updated_at = excluded.updated_at
     where t.updated_at < excluded.updated_at
    returning {column}";
