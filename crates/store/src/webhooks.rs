//! Hooks in GitLab that lead to Weir, as they were last seen.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{Store, StoreError};

/// A hook in GitLab that leads to Weir.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct WebhookRow {
    /// The GitLab.
    pub instance: i64,
    /// project, group or system.
    pub place: String,
    /// The project or group (Weir's id); 0 for the whole instance.
    pub place_id: i64,
    /// GitLab's id of the hook.
    pub hook_id: i64,
    /// Path of the project or group; empty for the whole instance.
    pub path: String,
    /// Where GitLab delivers to.
    pub url: String,
    /// What it is told of, in GitLab's words.
    pub events: Vec<String>,
    /// executable, temporarily_disabled or disabled, where GitLab tells.
    pub alert_status: Option<String>,
    /// When GitLab delivers again.
    pub disabled_until: Option<DateTime<Utc>>,
    /// What was wrong with it, each as a sentence.
    pub problems: Vec<String>,
    /// The secret token that Weir gave it.
    pub token_id: Option<i64>,
    /// The signing token that Weir gave it.
    pub signing_token_id: Option<i64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last seen.
    pub checked_at: DateTime<Utc>,
}

impl Store {
    /// The hooks that are known, of one GitLab or of all, those with problems first.
    pub async fn webhooks(&self, instance: Option<i64>, limit: i64) -> Result<Vec<WebhookRow>, StoreError> {
        let rows = sqlx::query_as(
            "select * from weir.webhooks
              where $1::bigint is null or instance = $1
              order by cardinality(problems) = 0, instance, place, path, hook_id
              limit $2",
        );
        Ok(rows.bind(instance).bind(limit).fetch_all(&self.pool).await?)
    }

    /// Keeps a hook as it was seen. A secret that Weir gave it earlier is not forgotten.
    pub async fn save_webhook(&self, row: &WebhookRow) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let masks = self.masks.hold(&mut transaction).await?;
        let masks = masks.of(Some(row.instance));
        let masked = |column, text: &str| masks.text(column, text).unwrap_or_else(|| text.to_owned());
        let problems: Vec<String> = row.problems.iter().map(|it| masked("problems", it)).collect();
        sqlx::query(
            "insert into weir.webhooks as w
               (instance, place, place_id, hook_id, path, url, events, alert_status, disabled_until, problems
                , token_id, signing_token_id, created_at, checked_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                 on conflict (instance, place, place_id, hook_id) do update
                set path = excluded.path, url = excluded.url, events = excluded.events
                  , alert_status = excluded.alert_status, disabled_until = excluded.disabled_until
                  , problems = excluded.problems, token_id = coalesce(excluded.token_id, w.token_id)
                  , signing_token_id = coalesce(excluded.signing_token_id, w.signing_token_id)
                  , created_at = excluded.created_at, checked_at = excluded.checked_at",
        )
        .bind(row.instance)
        .bind(&row.place)
        .bind(row.place_id)
        .bind(row.hook_id)
        .bind(masked("path", &row.path))
        .bind(masked("hook_url", &row.url))
        .bind(&row.events)
        .bind(&row.alert_status)
        .bind(row.disabled_until)
        .bind(problems)
        .bind(row.token_id)
        .bind(row.signing_token_id)
        .bind(row.created_at)
        .bind(row.checked_at)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets the hooks of a place other than these: GitLab was asked and does not have them any more.
    pub async fn forget_webhooks(
        &self,
        instance: i64,
        place: &str,
        place_id: i64,
        but: &[i64],
    ) -> Result<(), StoreError> {
        sqlx::query(
            "delete from weir.webhooks
              where instance = $1 and place = $2 and place_id = $3 and not hook_id = any($4)",
        )
        .bind(instance)
        .bind(place)
        .bind(place_id)
        .bind(but)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// GitLab's ids and the paths of the groups without one above them.
    pub async fn top_groups(
        &self,
        first_id: i64,
        end_id: i64,
        limit: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let groups = sqlx::query_as(
            "select source_id, full_path from gitlab_groups
              where parent_id is null and deleted_at is null and id >= $1 and id < $2
              order by full_path limit $3",
        );
        Ok(groups.bind(first_id).bind(end_id).bind(limit).fetch_all(&self.pool).await?)
    }
}
