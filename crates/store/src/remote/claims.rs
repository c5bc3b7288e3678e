//! What an extractor has taken, and gives back where the answer to its claim got lost.

use crate::{Store, StoreError};

impl Store {
    /// Gives back the unit that was taken in this name.
    pub(super) async fn release_claim(&self, sync_id: i64, owner: &str) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.leases set state = 'due', owner = null, until = null
              where sync_id = $1 and owner = $2 and state = 'leased'",
        )
        .bind(sync_id)
        .bind(owner)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives back the lists that were taken in this name.
    pub(super) async fn release_pending_of(&self, instance: i64, owner: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.pending set owner = null, until = null where instance = $1 and owner = $2")
            .bind(instance)
            .bind(owner)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Gives back the task that was taken in this name.
    pub(super) async fn release_tasks_of(&self, owner: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.tasks set owner = null, until = null where owner = $1")
            .bind(owner)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Prolongs the leases of tasks that run in these names.
    pub(super) async fn keep_tasks_of(&self, owners: &[String]) -> Result<(), StoreError> {
        if owners.is_empty() {
            return Ok(());
        }
        let keep = "update weir.tasks set until = clock_timestamp() + make_interval(secs => $2) where owner = any($1)";
        sqlx::query(keep).bind(owners).bind(crate::tasks::LEASE_SECONDS).execute(&self.pool).await?;
        Ok(())
    }

    /// Gives back the deliveries that were taken in this name.
    pub(super) async fn release_deliveries_of(&self, owner: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.inbox set owner = null, until = null where state = 'due' and owner = $1")
            .bind(owner)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether all these deliveries were handed to an extractor.
    pub(super) async fn are_deliveries_of(&self, extractor: i64, ids: &[i64]) -> Result<bool, StoreError> {
        let are = sqlx::query_scalar(
            "select not exists (
               select from unnest($2::bigint[]) as u(id)
                where not exists (select from weir.inbox i where i.id = u.id and i.extractor_id = $1)
             )",
        );
        Ok(are.bind(extractor).bind(ids).fetch_one(&self.pool).await?)
    }

    /// Hands deliveries to the extractor that reads the GitLab that sent them.
    pub(super) async fn hand_deliveries(&self, ids: &[i64], extractor: i64) -> Result<(), StoreError> {
        sqlx::query("update weir.inbox set extractor_id = $2, owner = null, until = null where id = any($1)")
            .bind(ids)
            .bind(extractor)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
