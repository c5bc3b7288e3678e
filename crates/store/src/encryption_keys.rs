//! Which key the secrets of this database are sealed with, and changing it.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::vault::{Keyring, VaultError};
use crate::{Store, StoreError};

/// What the witness of a key is sealed from, and for.
const WITNESS: &str = "witness";

/// How a ring of keys fits the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlocked {
    /// The database had no secrets yet: the key in use is its key now.
    First,
    /// The key in use is the database's.
    Fits,
    /// An older key of the ring is: so many secrets have yet to be sealed with the key in use.
    Older(i64),
}

impl Store {
    /// Whether these keys open the secrets of this database. Nothing is changed when they do not.
    pub async fn unlock(&self, ring: &Keyring, at: DateTime<Utc>) -> Result<Unlocked, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let unlocked = match witness(&mut transaction).await? {
            None => {
                register(&mut transaction, ring, at).await?;
                Unlocked::First
            }
            Some(sealed) => {
                ring.open(&sealed, WITNESS)?;
                match ring.is_current(&sealed) {
                    true => Unlocked::Fits,
                    false => Unlocked::Older(sealed_secrets(&mut transaction).await?),
                }
            }
        };
        transaction.commit().await?;
        Ok(unlocked)
    }

    /// Seals every secret with the key in use, all or none, and tells how many.
    pub async fn rotate_key(&self, ring: &Keyring, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let sealed = witness(&mut transaction).await?;
        if let Some(sealed) = &sealed {
            ring.open(sealed, WITNESS)?;
        }
        let mut count = 0;
        let credentials: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("select id, token from weir.credentials where token is not null for update")
                .fetch_all(&mut *transaction)
                .await?;
        for (id, token) in credentials {
            let place = place_of_credential(id);
            let token = ring.open(&token, &place)?;
            sqlx::query("update weir.credentials set token = $2, fingerprint = $3 where id = $1")
                .bind(id)
                .bind(ring.seal(&token, &place))
                .bind(ring.fingerprint(&token))
                .execute(&mut *transaction)
                .await?;
            count += 1;
        }
        sqlx::query("delete from weir.encryption_keys").execute(&mut *transaction).await?;
        register(&mut transaction, ring, at).await?;
        transaction.commit().await?;
        Ok(count)
    }
}

/// What the token of a credential is sealed for.
pub(crate) fn place_of_credential(id: i64) -> String {
    format!("credential {id}")
}

/// The witness of the database's key, which nobody changes meanwhile.
async fn witness(connection: &mut PgConnection) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query("lock table weir.encryption_keys in share row exclusive mode")
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar("select witness from weir.encryption_keys").fetch_optional(connection).await?)
}

async fn register(
    connection: &mut PgConnection,
    ring: &Keyring,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("insert into weir.encryption_keys (id, witness, created_at) values ($1, $2, $3)")
        .bind(ring.current().id())
        .bind(ring.seal(&SecretString::from(WITNESS), WITNESS))
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

async fn sealed_secrets(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("select count(*) from weir.credentials where token is not null");
    Ok(count.fetch_one(connection).await?)
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> StoreError {
        StoreError::Vault(error)
    }
}
