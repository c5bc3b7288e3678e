//! Projects and groups that were seen before: told apart when they are renamed, moved or out of sight.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError, gone};

/// A project as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct KnownProject {
    /// Weir's id.
    pub id: i64,
    /// GitLab's id.
    pub source_id: i64,
    /// Whole path.
    pub path_with_namespace: String,
    /// The namespace it is in.
    pub namespace_id: Option<i64>,
    /// Whether the last look found it.
    pub api_accessible: bool,
}

/// Why a project is out of sight that GitLab has provably deleted.
const DELETED: &str = "deleted";

/// A project that was in sight once.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct LostProject {
    /// Weir's id.
    pub id: i64,
    /// GitLab's id.
    pub source_id: i64,
    /// Whole path, as it was last.
    pub path_with_namespace: String,
    /// When it was marked for deletion, if it was when it was last seen.
    pub marked_for_deletion_on: Option<NaiveDate>,
}

impl Store {
    /// Every project of an instance that is not marked deleted.
    pub async fn known_projects(&self, instance: i64) -> Result<Vec<KnownProject>, StoreError> {
        let known = sqlx::query_as(
            "select id, source_id, path_with_namespace, namespace_id, api_accessible
               from gitlab_projects
              where id >= $1 * 17592186044416 and id < ($1 + 1) * 17592186044416
                and deleted_at is null
              order by id",
        );
        Ok(known.bind(instance).fetch_all(&self.pool).await?)
    }

    /// Marks projects as out of sight, with the reason. What is stored of them stays.
    pub async fn mark_inaccessible(
        &self,
        projects: &[i64],
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let marked = sqlx::query(
            "update gitlab_projects
                set api_accessible = false, inaccessible_since = coalesce(inaccessible_since, $3)
                  , inaccessible_reason = $2, synced_at = $3
              where id = any($1)
                and (api_accessible or inaccessible_reason is distinct from $2)",
        );
        Ok(marked.bind(projects).bind(reason).bind(at).execute(&self.pool).await?.rows_affected())
    }

    /// Marks projects as in sight again. What went with one that was taken for deleted is back with it.
    pub async fn mark_accessible(&self, projects: &[i64], at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let returned: Vec<i64> = sqlx::query_scalar(
            "select id from gitlab_projects where id = any($1) and not api_accessible and inaccessible_reason = $2",
        )
        .bind(projects)
        .bind(DELETED)
        .fetch_all(&mut *transaction)
        .await?;
        for project in returned {
            gone::restore_project(&mut transaction, project, at).await?;
        }
        let marked = sqlx::query(
            "update gitlab_projects
                set api_accessible = true, inaccessible_since = null, inaccessible_reason = null, synced_at = $2
              where id = any($1)
                and not api_accessible",
        );
        let marked = marked.bind(projects).bind(at).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(marked)
    }

    /// The projects of an instance that are out of sight and not marked deleted.
    pub async fn lost_projects(&self, instance: i64) -> Result<Vec<LostProject>, StoreError> {
        let lost = sqlx::query_as(
            "select id, source_id, path_with_namespace, marked_for_deletion_on
               from gitlab_projects
              where id >= $1 * 17592186044416 and id < ($1 + 1) * 17592186044416
                and deleted_at is null and not api_accessible
              order by id",
        );
        Ok(lost.bind(instance).fetch_all(&self.pool).await?)
    }

    /// Marks a project that GitLab has provably deleted, and everything in it. Gives how many rows were marked.
    pub async fn mark_project_deleted(&self, project: i64, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let marked = sqlx::query(
            "update gitlab_projects
                set api_accessible = false, inaccessible_since = coalesce(inaccessible_since, $2)
                  , inaccessible_reason = $3, deleted_at = $2, deleted_reason = $4, synced_at = $2
              where id = $1 and deleted_at is null",
        );
        let marked = marked.bind(project).bind(at).bind(DELETED).bind(gone::PROJECT_DELETED);
        let marked = marked.execute(&mut *transaction).await?.rows_affected();
        let within = gone::mark_within(&mut transaction, project, at).await?;
        transaction.commit().await?;
        Ok(marked + within)
    }

    /// Keeps the paths that projects have now beside those they had.
    pub async fn keep_paths(&self, projects: &[i64], at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "insert into weir.project_paths (project_id, path, first_seen_at)
             select id, path_with_namespace, $2 from gitlab_projects where id = any($1)
                 on conflict do nothing",
        )
        .bind(projects)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Groups that are stored and not among these, with their path.
    pub async fn groups_not_among(
        &self,
        instance: i64,
        seen: &[i64],
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let others = sqlx::query_as(
            "select id, full_path
               from gitlab_groups
              where id >= $1 * 17592186044416 and id < ($1 + 1) * 17592186044416
                and deleted_at is null
                and id <> all($2)
              order by id",
        );
        Ok(others.bind(instance).bind(seen).fetch_all(&self.pool).await?)
    }

    /// Marks a group that GitLab has provably deleted, and its members.
    pub async fn mark_group_deleted(&self, group: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for statement in [
            "update gitlab_groups set deleted_at = $2, deleted_reason = 'deleted', synced_at = $2
              where id = $1 and deleted_at is null",
            "update gitlab_group_members set deleted_at = $2, deleted_reason = 'parent_deleted', synced_at = $2
              where group_id = $1 and deleted_at is null",
        ] {
            sqlx::query(statement).bind(group).bind(at).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Those of the projects of which merge requests are stored.
    pub async fn with_merge_requests(&self, projects: &[i64]) -> Result<Vec<i64>, StoreError> {
        let with = sqlx::query_scalar(
            "select p from unnest($1::bigint[]) as u(p)
              where exists (select from gitlab_merge_requests m where m.project_id = p and m.deleted_at is null)",
        );
        Ok(with.bind(projects).fetch_all(&self.pool).await?)
    }

    /// How many open merge requests each project has.
    pub async fn open_merge_requests(&self, projects: &[i64]) -> Result<Vec<(i64, i64)>, StoreError> {
        let open = sqlx::query_as(
            "select project_id, count(*)
               from gitlab_merge_requests
              where project_id = any($1)
                and state in ('opened', 'locked')
                and deleted_at is null
              group by project_id
              order by project_id",
        );
        Ok(open.bind(projects).fetch_all(&self.pool).await?)
    }

    /// Whether any of these merge requests of a project is stored with somebody who closed it.
    pub async fn any_closed_by_somebody(
        &self,
        project: i64,
        merge_requests: &[i64],
    ) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar(
            "select exists (
               select from gitlab_merge_requests
                where project_id = $1 and id = any($2) and closed_by_user_id is not null)",
        );
        Ok(any.bind(project).bind(merge_requests).fetch_one(&self.pool).await?)
    }

    /// The open merge requests of projects as stored: project, id and iid.
    pub async fn stored_open(&self, projects: &[i64]) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        let open = sqlx::query_as(
            "select project_id, id, iid
               from gitlab_merge_requests
              where project_id = any($1)
                and state in ('opened', 'locked')
                and deleted_at is null",
        );
        Ok(open.bind(projects).fetch_all(&self.pool).await?)
    }
}
