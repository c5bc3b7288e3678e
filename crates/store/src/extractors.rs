//! Extractors: who they are, what they may touch, and what they hold.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::remote::Within;
use crate::{ApiKeyRow, Store, StoreError};

/// How exactly it is kept when an extractor was last heard, in seconds.
const HEARD_SECONDS: f64 = 10.0;

/// An extractor.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ExtractorRow {
    /// Its number.
    pub id: i64,
    /// Its EXTRACTOR_ID.
    pub name: String,
    /// Number of the GitLab that it reads.
    pub instance: i64,
    /// The connectors that it runs.
    pub connectors: Vec<String>,
    /// Version of the program.
    pub version: Option<String>,
    /// Word of the process that is listened to.
    pub session: Option<String>,
    /// When that process connected.
    pub connected_at: Option<DateTime<Utc>>,
    /// When it was last heard.
    pub heard_at: Option<DateTime<Utc>>,
    /// When it was first named.
    pub created_at: DateTime<Utc>,
}

/// What an extractor says of itself when it comes.
#[derive(Debug, Clone)]
pub struct Greeting<'g> {
    /// Its EXTRACTOR_ID.
    pub name: &'g str,
    /// A word that tells this process from those before it.
    pub session: &'g str,
    /// Version of the program.
    pub version: &'g str,
    /// Normalised address of its GitLab.
    pub base_url: &'g str,
    /// The connectors that it runs.
    pub connectors: &'g [String],
    /// Names and settings of connections that are to be made, by connector.
    pub settings: &'g Value,
    /// Whether it is only to be said whether it would be let in.
    pub check: bool,
}

/// Why an extractor is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwelcome {
    /// Its key is another extractor's.
    KeyOf(String),
    /// Its name has a key of its own already.
    Taken,
    /// It reads another GitLab than before.
    OtherGitlab(String),
    /// Its GitLab is read already, and not by it.
    Known,
    /// It runs connectors that hang on one which it does not have.
    WantsGitlab,
}

impl Store {
    /// Lets an extractor in: binds its key to it, makes the connections that it has never had, and takes from the process that came
    /// before it what that one held. Where it is only to be checked, nothing changes.
    pub async fn greet_extractor(
        &self,
        key: &ApiKeyRow,
        greeting: &Greeting<'_>,
        at: DateTime<Utc>,
    ) -> Result<Result<Option<ExtractorRow>, Unwelcome>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction).await?;
        let known = match meet(&mut transaction, key, greeting).await? {
            Ok(known) => known,
            Err(unwelcome) => return Ok(Err(unwelcome)),
        };
        if greeting.check {
            return Ok(Ok(known));
        }
        let extractor = match known {
            Some(known) => known,
            None => {
                let number = self.instance(greeting.base_url).await?.number;
                create(&mut transaction, greeting.name, number, at).await?
            }
        };
        if extractor.session.as_deref().is_some_and(|it| it != greeting.session) {
            release(&mut transaction, extractor.id).await?;
        }
        let extractor = connected(&mut transaction, extractor.id, greeting, at).await?;
        if !connect(&mut transaction, &extractor, greeting, at).await? {
            return Ok(Err(Unwelcome::WantsGitlab));
        }
        transaction.commit().await?;
        Ok(Ok(Some(extractor)))
    }

    /// The extractor of this name; it is made, for this GitLab, where there is none.
    pub async fn extractor_named(
        &self,
        name: &str,
        instance: i64,
        at: DateTime<Utc>,
    ) -> Result<ExtractorRow, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction).await?;
        let extractor = match by_name(&mut transaction, name).await? {
            Some(known) => known,
            None => create(&mut transaction, name, instance, at).await?,
        };
        transaction.commit().await?;
        Ok(extractor)
    }

    /// Has an extractor read for a connection, which thereby needs no credential.
    pub async fn extract_connection(&self, id: i64, extractor: i64) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.connections
                set extractor_id = $2, state = 'verified', disabled_at = null, disabled_reason = null
              where id = $1",
        )
        .bind(id)
        .bind(extractor)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// An extractor.
    pub async fn extractor(&self, id: i64) -> Result<Option<ExtractorRow>, StoreError> {
        let row = sqlx::query_as("select * from weir.extractors where id = $1");
        Ok(row.bind(id).fetch_optional(&self.pool).await?)
    }

    /// Who reads a GitLab now: extractors, or nobody for workers of this database.
    pub async fn readers_of(&self, instance: i64) -> Result<Vec<Option<i64>>, StoreError> {
        let readers = sqlx::query_scalar(
            "select distinct extractor_id from weir.connections where instance = $1 and deleted_at is null",
        );
        Ok(readers.bind(instance).fetch_all(&self.pool).await?)
    }

    /// What the extractor of a key may touch, where this process of it is the one that is listened to. Notes that it was heard.
    pub async fn extractor_within(
        &self,
        key: &ApiKeyRow,
        session: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Within>, StoreError> {
        let Some(name) = key.extractor.as_deref() else { return Ok(None) };
        let found: Option<(i64, i64, String, Vec<i64>, bool)> = sqlx::query_as(
            "select e.id, e.instance, i.base_url
                  , array(select c.id from weir.connections c
                           where c.extractor_id = e.id and c.type = any(e.connectors) and c.deleted_at is null)
                  , e.heard_at is null or e.heard_at < $3 - make_interval(secs => $4)
               from weir.extractors e join weir.instances i on i.number = e.instance
              where e.name = $1 and e.session = $2",
        )
        .bind(name)
        .bind(session)
        .bind(now)
        .bind(HEARD_SECONDS)
        .fetch_optional(&self.pool)
        .await?;
        let Some((extractor, instance, base_url, connections, stale)) = found else { return Ok(None) };
        if stale {
            let heard = sqlx::query("update weir.extractors set heard_at = $2 where id = $1");
            heard.bind(extractor).bind(now).execute(&self.pool).await?;
        }
        let (owner, api_key) = (owner(extractor, session), key.id);
        Ok(Some(Within { extractor, instance, base_url, connections, owner, api_key, now, again: false }))
    }

    /// Whether there is anything to do for an extractor.
    pub async fn extractor_has_work(&self, within: &Within, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "select exists (select from weir.inbox
                             where extractor_id = $1 and state = 'due' and due_at <= $3
                               and (until is null or until < clock_timestamp()))
                 or exists (select from weir.tasks t join weir.connections c on c.id = t.connection_id
                             where c.id = any($2) and c.paused_at is null and c.disabled_at is null and t.due_at <= $3
                               and not exists (select from weir.tasks o
                                                where o.connection_id = c.id and o.until > clock_timestamp()))",
        );
        Ok(has.bind(within.extractor).bind(&within.connections).bind(now).fetch_one(&self.pool).await?)
    }
}

impl ExtractorRow {
    /// What everything is called that a process of it holds, at the beginning.
    pub fn owner(&self, session: &str) -> String {
        owner(self.id, session)
    }
}

fn owner(extractor: i64, session: &str) -> String {
    format!("extractor-{extractor}-{session}/")
}

/// Extractors come rarely: one at a time.
async fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("lock table weir.extractors in share row exclusive mode").execute(connection).await?;
    Ok(())
}

/// Whether an extractor may come in: by its key, its name and its GitLab. Gives what is known of it.
async fn meet(
    connection: &mut PgConnection,
    key: &ApiKeyRow,
    greeting: &Greeting<'_>,
) -> Result<Result<Option<ExtractorRow>, Unwelcome>, StoreError> {
    if let Err(unwelcome) = bind(connection, key, greeting.name).await? {
        return Ok(Err(unwelcome));
    }
    let Some(known) = by_name(connection, greeting.name).await? else {
        let is_read = is_read(connection, greeting.base_url).await?;
        return Ok(if is_read { Err(Unwelcome::Known) } else { Ok(None) });
    };
    match address(connection, known.instance).await? {
        Some(other) if other != greeting.base_url => Ok(Err(Unwelcome::OtherGitlab(other))),
        _ => Ok(Ok(Some(known))),
    }
}

async fn by_name(connection: &mut PgConnection, name: &str) -> Result<Option<ExtractorRow>, StoreError> {
    let row = sqlx::query_as("select * from weir.extractors where name = $1");
    Ok(row.bind(name).fetch_optional(connection).await?)
}

async fn create(
    connection: &mut PgConnection,
    name: &str,
    instance: i64,
    at: DateTime<Utc>,
) -> Result<ExtractorRow, StoreError> {
    let row = sqlx::query_as(
        "insert into weir.extractors (name, instance, created_at) values ($1, $2, $3) returning *",
    );
    Ok(row.bind(name).bind(instance).bind(at).fetch_one(connection).await?)
}

/// A key belongs to one extractor. One that belongs to none yet becomes this one's, if it has no other key.
async fn bind(
    connection: &mut PgConnection,
    key: &ApiKeyRow,
    name: &str,
) -> Result<Result<(), Unwelcome>, StoreError> {
    match key.extractor.as_deref() {
        Some(own) if own == name => return Ok(Ok(())),
        Some(other) => return Ok(Err(Unwelcome::KeyOf(other.to_owned()))),
        None => {}
    }
    let bound = sqlx::query(
        "update weir.api_keys set extractor = $2
          where id = $1 and extractor is null and not exists (select from weir.api_keys where extractor = $2)",
    );
    let bound = bound.bind(key.id).bind(name).execute(connection).await?.rows_affected();
    Ok(if bound == 1 { Ok(()) } else { Err(Unwelcome::Taken) })
}

async fn address(connection: &mut PgConnection, instance: i64) -> Result<Option<String>, StoreError> {
    let address = sqlx::query_scalar("select base_url from weir.instances where number = $1");
    Ok(address.bind(instance).fetch_optional(connection).await?)
}

/// Whether anything was ever read of a GitLab, or is about to be: then it is not for an extractor to claim it.
async fn is_read(connection: &mut PgConnection, base_url: &str) -> Result<bool, StoreError> {
    let is = sqlx::query_scalar(
        "select exists (
           select from weir.instances i
            where i.base_url = $1
              and (exists (select from weir.connections where instance = i.number and deleted_at is null)
                or exists (select from weir.syncs where instance = i.number)
                or exists (select from weir.extractors where instance = i.number))
         )",
    );
    Ok(is.bind(base_url).fetch_one(connection).await?)
}

/// Makes the connections that an extractor has never had. False where one would lack the connector that it hangs on.
async fn connect(
    connection: &mut PgConnection,
    extractor: &ExtractorRow,
    greeting: &Greeting<'_>,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    sqlx::query(
        "insert into weir.connections (type, name, instance, settings, state, created_at, updated_at, extractor_id)
         select k.type, k.name, $2, $4::jsonb -> 'settings', 'verified', $5, $5, $1
           from unnest($3::text[]) as w(type)
           join jsonb_to_recordset($4::jsonb -> 'connections') as k(type text, name text) on k.type = w.type
          where not exists (select from weir.connections c where c.extractor_id = $1 and c.type = w.type)
          order by k.type",
    )
    .bind(extractor.id)
    .bind(extractor.instance)
    .bind(greeting.connectors)
    .bind(greeting.settings)
    .bind(at)
    .execute(&mut *connection)
    .await?;
    let has_gitlab = sqlx::query_scalar(
        "select exists (select from weir.connections where extractor_id = $1 and type = 'gitlab' and deleted_at is null)",
    );
    Ok(has_gitlab.bind(extractor.id).fetch_one(connection).await?)
}

async fn connected(
    connection: &mut PgConnection,
    id: i64,
    greeting: &Greeting<'_>,
    at: DateTime<Utc>,
) -> Result<ExtractorRow, StoreError> {
    let row = sqlx::query_as(
        "update weir.extractors
            set session = $2, version = $3, connectors = $4, heard_at = $5
              , connected_at = case when session is distinct from $2 then $5 else connected_at end
          where id = $1 returning *",
    );
    let row = row.bind(id).bind(greeting.session).bind(greeting.version).bind(greeting.connectors);
    Ok(row.bind(at).fetch_one(connection).await?)
}

/// Gives back what the process before held: it is not listened to any more.
async fn release(connection: &mut PgConnection, id: i64) -> Result<(), StoreError> {
    for statement in [
        "update weir.tasks set owner = null, until = null where starts_with(owner, $1)",
        "update weir.syncs set until = null where state = 'running' and starts_with(owner, $1)",
        "update weir.inbox set owner = null, until = null where state = 'due' and starts_with(owner, $1)",
    ] {
        sqlx::query(statement).bind(format!("extractor-{id}-")).execute(&mut *connection).await?;
    }
    Ok(())
}
