//! Jobs of pipelines: which of them were retried, where the reader could not tell.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Rows;
use catalogue::pipelines::PARENT;
use sqlx::PgConnection;

use crate::children::Parent;
use crate::{Store, StoreError};

/// Those of the pipelines whose jobs are in this page whole that are stored: what is new has no jobs to lose.
pub(crate) async fn known_pipelines(
    connection: &mut PgConnection,
    rows: &Rows,
) -> Result<Vec<(Parent, i64)>, StoreError> {
    let lists = rows.complete.iter().filter(|it| it.parent == PARENT);
    let (projects, pipelines): (Vec<i64>, Vec<i64>) = lists.map(|it| (it.values[0], it.values[1])).unzip();
    if pipelines.is_empty() {
        return Ok(Vec::new());
    }
    let stored: Vec<i64> = sqlx::query_scalar(
        "select p.id
           from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
           join gitlab_pipelines p on p.project_id = u.project_id and p.id = u.id",
    )
    .bind(projects)
    .bind(pipelines)
    .fetch_all(connection)
    .await?;
    Ok(stored.into_iter().map(|id| (Parent::Pipeline, id)).collect())
}

/// Marks the jobs that a later one of the same name has replaced: that is what GitLab calls retried, and REST does not
/// tell it. Their `synced_at` stays: an answer asked for a little earlier that is written next is not an older one.
pub(crate) async fn mark_retried(
    connection: &mut PgConnection,
    pipelines: &[(i64, i64)],
) -> Result<(), StoreError> {
    let mut by_project: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (project, pipeline) in pipelines {
        by_project.entry(*project).or_default().insert(*pipeline);
    }
    for (project, pipelines) in by_project {
        sqlx::query(
            "update gitlab_jobs j
                set retried = r.retried
               from (select id, id <> max(id) over (partition by pipeline_id, name) as retried
                       from gitlab_jobs
                      where project_id = $1 and pipeline_id = any($2) and deleted_at is null) r
              where j.project_id = $1
                and j.id = r.id
                and j.retried is distinct from r.retried",
        )
        .bind(project)
        .bind(pipelines.into_iter().collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

impl Store {
    /// Projects (Weir's ids) with stored pipelines that were running when they were last read, and how many; child
    /// pipelines or others.
    pub async fn running_pipelines(
        &self,
        projects: &[i64],
        children: bool,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let running = sqlx::query_as(
            "select project_id, count(*)
               from gitlab_pipelines
              where project_id = any($1) and status = 'running' and deleted_at is null
                and (source is not distinct from 'parent_pipeline') = $2
              group by project_id
              order by project_id",
        );
        Ok(running.bind(projects).bind(children).fetch_all(&self.pool).await?)
    }

    /// Those pipelines themselves, as (project, id, iid) in Weir's ids.
    pub async fn stored_running(&self, projects: &[i64]) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        let running = sqlx::query_as(
            "select project_id, id, coalesce(iid, 0)
               from gitlab_pipelines
              where project_id = any($1) and status = 'running' and deleted_at is null
              order by project_id, id",
        );
        Ok(running.bind(projects).fetch_all(&self.pool).await?)
    }
}
