//! Statistics for the planner while tables grow by orders of magnitude: a first import is over before autovacuum looks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sqlx::PgPool;

use crate::StoreError;

/// Rows after which statistics are first made.
const FIRST: u64 = 20_000;
/// They are made again when so many times as many were written.
const FACTOR: u64 = 5;

/// Counts what this process has written.
#[derive(Debug)]
pub(crate) struct Growth {
    written: AtomicU64,
    next: AtomicU64,
}

impl Default for Growth {
    fn default() -> Growth {
        Growth { written: AtomicU64::new(0), next: AtomicU64::new(FIRST) }
    }
}

impl Growth {
    /// Counts rows, and makes statistics when there are many more than last time. One caller does it, the others go on.
    pub(crate) async fn grown(&self, pool: &PgPool, rows: u64) -> Result<(), StoreError> {
        let written = self.written.fetch_add(rows, Relaxed) + rows;
        let next = self.next.load(Relaxed);
        if written < next || self.next.compare_exchange(next, next * FACTOR, Relaxed, Relaxed).is_err() {
            return Ok(());
        }
        const TABLES: &str = "gitlab_merge_requests, gitlab_merge_request_notes, gitlab_merge_request_labels, \
             gitlab_merge_request_assignees, gitlab_merge_request_reviewers, gitlab_merge_request_approvals, \
             gitlab_reviews, gitlab_users, gitlab_pipelines, gitlab_jobs, gitlab_merge_request_commits, \
             gitlab_commits, gitlab_deployments, weir.pending";
        sqlx::query(sqlx::AssertSqlSafe(format!("analyze {TABLES}"))).execute(pool).await?;
        Ok(())
    }
}
