//! What is stored of a project and not gone, counted as GitLab counts it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow};

use crate::gone::{DEPLOYMENT, Fact, ISSUE, PIPELINE};
use crate::{Store, StoreError};

/// A kind of thing that GitLab counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What it is.
    pub fact: Fact,
    /// Which rows of its table.
    which: &'static str,
    /// Which of those GitLab counts as open too.
    open: &'static str,
}

/// Issues, open ones apart.
pub const ISSUES: Counted = Counted { fact: ISSUE, which: "true", open: "state = 'opened'" };
/// Pipelines that GitLab lists.
pub const PIPELINES: Counted =
    Counted { fact: PIPELINE, which: "source is distinct from 'parent_pipeline'", open: "false" };
/// Pipelines that it lists apart.
pub const CHILD_PIPELINES: Counted =
    Counted { fact: PIPELINE, which: "source = 'parent_pipeline'", open: "false" };
/// Deployments.
pub const DEPLOYMENTS: Counted = Counted { fact: DEPLOYMENT, which: "true", open: "false" };

/// What is stored of one kind in a project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Count {
    /// How many.
    pub total: i64,
    /// How many of them are open, where that is counted.
    pub open: i64,
    /// The highest number; 0 where there is none.
    pub highest_iid: i64,
}

/// One of them as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Stored {
    /// When GitLab last changed it.
    pub moved_at: DateTime<Utc>,
    /// Weir's id.
    pub id: i64,
    /// Its number within the project.
    pub iid: i64,
}

impl Store {
    /// What is stored of a kind in these projects, by project. Those without any are left out.
    pub async fn counts(
        &self,
        counted: Counted,
        projects: &[i64],
    ) -> Result<BTreeMap<i64, Count>, StoreError> {
        let sql = format!(
            "select project_id, count(*), count(*) filter (where {}), coalesce(max(iid), 0)
               from {}
              where project_id = any($1) and deleted_at is null and ({})
              group by project_id",
            counted.open, counted.fact.table, counted.which
        );
        let counts: Vec<(i64, i64, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(projects).fetch_all(&self.pool).await?;
        Ok(counts
            .into_iter()
            .map(|(id, total, open, highest_iid)| (id, Count { total, open, highest_iid }))
            .collect())
    }

    /// What GitLab last changed of a kind in a project from a moment to before another.
    pub async fn stored_within(
        &self,
        counted: Counted,
        project: i64,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Stored>, StoreError> {
        let sql = format!(
            "select coalesce(updated_at, created_at) as moved_at, id, coalesce(iid, 0) as iid
               from {}
              where project_id = $1 and deleted_at is null and ({})
                and coalesce(updated_at, created_at) >= $2 and coalesce(updated_at, created_at) < $3
              order by moved_at, id",
            counted.fact.table, counted.which
        );
        let within = sqlx::query_as(AssertSqlSafe(sql));
        Ok(within.bind(project).bind(from).bind(to).fetch_all(&self.pool).await?)
    }
}
