//! What webhooks prove themselves with: a token and a signing key, made when first wanted and changed on demand.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::{FromRow, PgConnection};

use crate::vault::Keyring;
use crate::{Store, StoreError};

/// A secret of webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSecret {
    /// Its number.
    pub id: i64,
    /// Whether deliveries are signed with it; otherwise it is sent with them.
    pub signing: bool,
    /// The secret, as GitLab is told it.
    pub secret: SecretString,
    /// Until when it is taken beside its successor; none for the one in use.
    pub valid_until: Option<DateTime<Utc>>,
}

/// A secret as it is stored.
#[derive(FromRow)]
struct Sealed {
    id: i64,
    kind: String,
    secret: Vec<u8>,
    valid_until: Option<DateTime<Utc>>,
}

const KINDS: [&str; 2] = ["token", "signing"];

impl Store {
    /// The secrets that are taken now, those in use first. They are made when there are none.
    pub async fn webhook_secrets(
        &self,
        ring: &Keyring,
        now: DateTime<Utc>,
    ) -> Result<Vec<WebhookSecret>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction).await?;
        let there: bool =
            sqlx::query_scalar("select exists (select from weir.webhook_secrets where valid_until is null)")
                .fetch_one(&mut *transaction)
                .await?;
        if !there {
            make(&mut transaction, ring, now).await?;
        }
        let secrets = taken(&mut transaction, ring, now).await?;
        transaction.commit().await?;
        Ok(secrets)
    }

    /// Makes new secrets; the ones in use are still taken until this moment.
    pub async fn rotate_webhook_secrets(
        &self,
        ring: &Keyring,
        valid_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction).await?;
        sqlx::query("update weir.webhook_secrets set valid_until = $1 where valid_until is null")
            .bind(valid_until)
            .execute(&mut *transaction)
            .await?;
        make(&mut transaction, ring, now).await?;
        sqlx::query("delete from weir.webhook_secrets where valid_until < $1")
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// What a secret of webhooks is sealed for.
pub(crate) fn place(id: i64) -> String {
    format!("webhook secret {id}")
}

async fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("lock table weir.webhook_secrets in share row exclusive mode").execute(connection).await?;
    Ok(())
}

async fn make(connection: &mut PgConnection, ring: &Keyring, now: DateTime<Utc>) -> Result<(), StoreError> {
    for kind in KINDS {
        let id: i64 = sqlx::query_scalar(
            "insert into weir.webhook_secrets (kind, secret, created_at) values ($1, '', $2) returning id",
        )
        .bind(kind)
        .bind(now)
        .fetch_one(&mut *connection)
        .await?;
        let random: [u8; 32] = rand::random();
        let secret = match kind {
            // As GitLab wants it.
            "signing" => format!("whsec_{}", STANDARD.encode(random)),
            _ => URL_SAFE_NO_PAD.encode(random),
        };
        sqlx::query("update weir.webhook_secrets set secret = $2 where id = $1")
            .bind(id)
            .bind(ring.seal(&secret.into(), &place(id)))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn taken(
    connection: &mut PgConnection,
    ring: &Keyring,
    now: DateTime<Utc>,
) -> Result<Vec<WebhookSecret>, StoreError> {
    let rows: Vec<Sealed> = sqlx::query_as(
        "select id, kind, secret, valid_until from weir.webhook_secrets
          where valid_until is null or valid_until > $1
          order by valid_until desc nulls first, id",
    )
    .bind(now)
    .fetch_all(connection)
    .await?;
    let open = |it: Sealed| {
        let secret = ring.open(&it.secret, &place(it.id))?;
        Ok(WebhookSecret { id: it.id, signing: it.kind == "signing", secret, valid_until: it.valid_until })
    };
    rows.into_iter().map(open).collect()
}
