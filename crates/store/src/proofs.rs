//! What is stored, counted as GitLab counts it, and what came of the comparison.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// A merge request as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct HeldMergeRequest {
    /// The project (Weir's id).
    pub project_id: i64,
    /// Weir's id.
    pub id: i64,
    /// GitLab's id.
    pub source_id: i64,
    /// Its number within the project.
    pub iid: i64,
    /// When GitLab last moved it.
    pub updated_at: DateTime<Utc>,
    /// Comments by people.
    pub comments: i64,
    /// How many of them GitLab counted when it was last read.
    pub counted: Option<i64>,
}

/// What came of holding one resource of a project against GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, Deserialize)]
pub struct Proof {
    /// The project (Weir's id).
    pub project_id: i64,
    /// Its path.
    #[sqlx(default)]
    pub project: String,
    /// Name of the resource.
    pub resource: String,
    /// proved, differs or unproved.
    pub state: String,
    /// How many GitLab counts, where it tells.
    pub theirs: Option<i64>,
    /// How many are stored.
    pub ours: i64,
    /// What is missing, and why.
    pub detail: String,
    /// When it was last proved.
    pub proved_at: Option<DateTime<Utc>>,
}

/// A project that can be held against GitLab.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct ProvableProject {
    /// GitLab's id.
    pub source_id: i64,
    /// Whole path.
    pub path: String,
    /// Whether merge requests are switched off.
    pub merge_requests_off: bool,
    /// Whether issues are switched off.
    pub issues_off: bool,
    /// Whether CI/CD is switched off.
    pub builds_off: bool,
}

impl Store {
    /// The projects of an instance that are in sight, as they were last read.
    pub async fn provable_projects(&self, instance: i64) -> Result<Vec<ProvableProject>, StoreError> {
        let projects = sqlx::query_as(
            "select source_id, path_with_namespace as path
                  , coalesce(merge_requests_access_level = 'disabled', false) as merge_requests_off
                  , coalesce(issues_access_level = 'disabled', false) as issues_off
                  , coalesce(builds_access_level = 'disabled', false) as builds_off
               from gitlab_projects
              where id >= $1 * 17592186044416 and id < ($1 + 1) * 17592186044416
                and deleted_at is null and api_accessible
              order by id",
        );
        Ok(projects.bind(instance).fetch_all(&self.pool).await?)
    }

    /// Whether something of a resource in a project was not understood.
    pub async fn has_rejects(&self, instance: i64, resource: &str, project: i64) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "select exists (select from weir.sync_rejects where instance = $1 and resource = $2 and parent_id = $3)",
        );
        Ok(has.bind(instance).bind(resource).bind(project).fetch_one(&self.pool).await?)
    }

    /// Names of the resources that were read at all.
    pub async fn resources_read(&self, instance: i64) -> Result<Vec<String>, StoreError> {
        let names = sqlx::query_scalar(
            "select distinct resource from weir.partitions where instance = $1 and complete_to is not null order by 1",
        );
        Ok(names.bind(instance).fetch_all(&self.pool).await?)
    }

    /// The merge requests of these projects that are stored and not gone.
    pub async fn held_merge_requests(&self, projects: &[i64]) -> Result<Vec<HeldMergeRequest>, StoreError> {
        let held = sqlx::query_as(
            "select m.project_id, m.id, m.source_id, m.iid, m.updated_at, coalesce(n.comments, 0) as comments
                  , m.user_notes_count::bigint as counted
               from gitlab_merge_requests m
               left join (select merge_request_id, count(*) as comments
                            from gitlab_merge_request_notes
                           where project_id = any($1) and not system and deleted_at is null
                           group by merge_request_id) n on n.merge_request_id = m.id
              where m.project_id = any($1) and m.deleted_at is null
              order by m.project_id, m.iid",
        );
        Ok(held.bind(projects).fetch_all(&self.pool).await?)
    }

    /// Keeps what was found.
    pub async fn save_proofs(
        &self,
        instance: i64,
        proofs: &[Proof],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for proof in proofs {
            sqlx::query(
                "insert into weir.proofs as t
                   (instance, project_id, resource, state, theirs, ours, detail, checked_at, proved_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, case when $4 = 'proved' then $8 end)
                     on conflict (instance, project_id, resource) do update
                    set state = excluded.state, theirs = excluded.theirs, ours = excluded.ours
                      , detail = excluded.detail, checked_at = excluded.checked_at
                      , proved_at = coalesce(excluded.proved_at, t.proved_at)",
            )
            .bind(instance)
            .bind(proof.project_id)
            .bind(&proof.resource)
            .bind(&proof.state)
            .bind(proof.theirs)
            .bind(proof.ours)
            .bind(&proof.detail)
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What was last found, by project.
    pub async fn proofs(&self, instance: i64) -> Result<Vec<Proof>, StoreError> {
        let proofs = sqlx::query_as(
            "select p.project_id, coalesce(g.path_with_namespace, p.project_id::text) as project, p.resource
                  , p.state, p.theirs, p.ours, p.detail, p.proved_at
               from weir.proofs p
               left join gitlab_projects g on g.id = p.project_id
              where p.instance = $1
              order by project, p.resource",
        );
        Ok(proofs.bind(instance).fetch_all(&self.pool).await?)
    }
}
