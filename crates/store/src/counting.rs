//! What is stored of a project and not gone, counted as GitLab counts it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
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
    /// The order in which GitLab lists them, newest first.
    newest: &'static str,
    /// What the newest is known by.
    name: &'static str,
}

/// Issues, open ones apart. One that was moved here keeps the day it was opened, and has a newer number.
pub const ISSUES: Counted = Counted {
    fact: ISSUE,
    which: "true",
    open: "state = 'opened'",
    newest: "created_at desc, id desc",
    name: "iid",
};
/// Pipelines that GitLab lists.
pub const PIPELINES: Counted = by_number(PIPELINE, "source is distinct from 'parent_pipeline'");
/// Pipelines that it lists apart.
pub const CHILD_PIPELINES: Counted = by_number(PIPELINE, "source = 'parent_pipeline'");
/// Deployments.
pub const DEPLOYMENTS: Counted = by_number(DEPLOYMENT, "true");

const fn by_number(fact: Fact, which: &'static str) -> Counted {
    Counted { fact, which, open: "false", newest: "id desc", name: "source_id" }
}

/// What is stored of one kind in a project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub total: i64,
    /// How many of them are open, where that is counted.
    pub open: i64,
    /// The newest: an issue by its number within the project, all else by GitLab's id. 0 where there is none.
    pub newest: i64,
}

/// One of them as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct Stored {
    /// When GitLab last changed it.
    pub moved_at: DateTime<Utc>,
    /// Weir's id.
    pub id: i64,
    /// Its number within the project.
    pub iid: i64,
    /// Whether GitLab counts it as open too.
    pub open: bool,
    /// What it is known by where it is the newest.
    pub name: i64,
    /// Its place in the order in which GitLab lists them, newest first.
    pub place: i64,
}

impl Count {
    /// Counts some.
    pub fn of(some: &[Stored]) -> Count {
        let newest = some.iter().min_by_key(|it| it.place).map_or(0, |it| it.name);
        let open = some.iter().filter(|it| it.open).count() as i64;
        Count { total: some.len() as i64, open, newest }
    }
}

impl Store {
    /// What is stored of a kind in these projects, by project. Those without any are left out.
    pub async fn counts(
        &self,
        counted: Counted,
        projects: &[i64],
    ) -> Result<BTreeMap<i64, Count>, StoreError> {
        let sql = format!(
            "select c.project_id, c.total, c.open, n.name
               from (select project_id, count(*) as total, count(*) filter (where {open}) as open
                       from {table}
                      where project_id = any($1) and deleted_at is null and ({which})
                      group by project_id) c
              cross join lateral (select {name} as name
                                    from {table}
                                   where project_id = c.project_id and deleted_at is null and ({which})
                                   order by {newest}
                                   limit 1) n",
            open = counted.open,
            table = counted.fact.table,
            which = counted.which,
            name = counted.name,
            newest = counted.newest
        );
        let counts: Vec<(i64, i64, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(projects).fetch_all(&self.pool).await?;
        Ok(counts.into_iter().map(|(id, total, open, newest)| (id, Count { total, open, newest })).collect())
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
                  , {} as open, {} as name, row_number() over (order by {}) as place
               from {}
              where project_id = $1 and deleted_at is null and ({})
                and coalesce(updated_at, created_at) >= $2 and coalesce(updated_at, created_at) < $3
              order by moved_at, id",
            counted.open, counted.name, counted.newest, counted.fact.table, counted.which
        );
        let within = sqlx::query_as(AssertSqlSafe(sql));
        Ok(within.bind(project).bind(from).bind(to).fetch_all(&self.pool).await?)
    }
}
