//! One person is erased: from what is stored, and from what comes later. Counts stay right, for rows stay.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow};

use crate::labels::LINKS;
use crate::masks::{FRESH, Masks, MasksOf, digest, outlast_writers};
use crate::purges::SPAN;
use crate::{BROUGHT, Store, StoreError};

/// Rows that are looked at together.
const PIECE: i64 = 2_000;
/// How often a column is gone through before that is given up.
const PASSES: usize = 20;
/// Tables of Weir's own in which people may be named, beside those that connectors fill, and what tells the GitLab there.
const OURS: [(&str, &str); 9] = [
    ("weir.inbox", "null::bigint"),
    ("weir.sync_rejects", "instance"),
    ("weir.skips", "instance"),
    ("weir.proofs", "instance"),
    ("weir.syncs", "instance"),
    ("weir.audit_log", "null::bigint"),
    ("weir.tasks", "null::bigint"),
    ("weir.pending", "instance"),
    ("weir.webhooks", "instance"),
];

/// A column with texts.
#[derive(Debug, FromRow)]
struct Texts {
    table: String,
    column: String,
    /// The expression that tells the GitLab of a row.
    instance: String,
}

impl Texts {
    /// What the column holds. The address of a hook is Weir's own and begins with nobody's name.
    fn means(&self) -> &str {
        if self.table == "weir.webhooks" && self.column == "url" { "hook_url" } else { &self.column }
    }
}

/// Its place, the value as JSON, its type, and the GitLab.
type Found = (String, String, String, Option<i64>);

/// What one pass through a column came to.
#[derive(Debug, Default)]
struct Pass {
    found: u64,
    changed: u64,
}

/// What became of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Texts that were changed.
    pub texts: u64,
    /// Addresses that count as the person's: those that were named, and those that were found beside the name.
    pub emails: usize,
}

impl Store {
    /// Erases a person (`gitlab_users.id`) with these addresses. None where nobody has that number. May be asked for again.
    pub async fn erase_person(
        &self,
        user: i64,
        emails: &[String],
        now: DateTime<Utc>,
    ) -> Result<Option<Erased>, StoreError> {
        let person: Option<(String, Option<String>)> =
            sqlx::query_as("select username, name from gitlab_users where id = $1")
                .bind(user)
                .fetch_optional(&self.pool)
                .await?;
        let Some((username, name)) = person else { return Ok(None) };
        let emails = self.emails_of(&username, name.as_deref(), emails).await?;
        self.remember_erased(user, &username, name.as_deref(), &emails, now).await?;
        outlast_writers(&self.pool).await?;
        // Deliveries are kept without a transaction: every process has read the list by then.
        tokio::time::sleep(FRESH + Duration::from_secs(1)).await;
        let masks = Masks::read(&mut *self.pool.acquire().await?).await?;
        let words: Vec<String> = emails.iter().cloned().chain(name).chain([username]).collect();
        let mut texts = self.erase_texts_by(user, now).await?;
        for column in self.texts().await? {
            texts += self.scrub(&masks, &column, &words).await?;
        }
        for links in &LINKS {
            links.make_ids_again(&self.pool).await?;
        }
        // Last: until then the same can be asked for again.
        let row = sqlx::query(
            "update gitlab_users set username = 'erased-' || id, name = 'erased-' || id, source_url = null where id = $1",
        );
        texts += row.bind(user).execute(&self.pool).await?.rows_affected();
        Ok(Some(Erased { texts, emails: emails.len() }))
    }

    /// Addresses beside the person's name in commits. A single word is too common a name to go by.
    async fn emails_of(
        &self,
        username: &str,
        name: Option<&str>,
        named: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let known_by: Vec<String> =
            name.filter(|it| it.contains(' ')).into_iter().map(str::to_lowercase).collect();
        let found: Vec<String> = sqlx::query_scalar(
            "select distinct lower(e) from (
               select author_name as n, author_email as e from gitlab_commits
               union all select committer_name, committer_email from gitlab_commits
               union all select author_name, author_email from gitlab_merge_request_commits
             ) as c
              where e is not null and (lower(n) = any($1) or lower(e) ~ ('^[0-9]+-' || $2 || '@users\\.noreply\\.'))",
        )
        .bind(known_by)
        .bind(escaped(&username.to_lowercase()))
        .fetch_all(&self.pool)
        .await?;
        let all: BTreeSet<String> =
            found.into_iter().chain(named.iter().map(|it| it.trim().to_lowercase())).collect();
        Ok(all.into_iter().filter(|it| !it.is_empty()).collect())
    }

    async fn remember_erased(
        &self,
        user: i64,
        username: &str,
        name: Option<&str>,
        emails: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut words = vec![(digest("username", username), 1)];
        words.extend(name.map(|it| (digest("name", &one_spaced(it)), count(it))));
        words.extend(emails.iter().map(|it| (digest("email", it), 1)));
        let (digests, counts): (Vec<Vec<u8>>, Vec<i32>) = words.into_iter().unzip();
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "insert into weir.erased_people (user_id, erased_at) values ($1, $2) on conflict do nothing",
        )
        .bind(user)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "insert into weir.erased_words (digest, words, user_id)
             select d, w, $3 from unnest($1::bytea[], $2::integer[]) as u(d, w) on conflict do nothing",
        )
        .bind(digests)
        .bind(counts)
        .bind(user)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What the person wrote.
    async fn erase_texts_by(&self, user: i64, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let notes = sqlx::query(
            "update gitlab_merge_request_notes set body = null, synced_at = greatest(synced_at, $2)
              where user_id = $1 and body is not null",
        );
        let notes = notes.bind(user).bind(now).execute(&self.pool).await?.rows_affected();
        let issues = sqlx::query(
            "update gitlab_issues set description = null, synced_at = greatest(synced_at, $2)
              where user_id = $1 and description is not null",
        );
        Ok(notes + issues.bind(user).bind(now).execute(&self.pool).await?.rows_affected())
    }

    /// Every column with texts of every table in which people may be named. Users go by their number.
    async fn texts(&self) -> Result<Vec<Texts>, StoreError> {
        let brought = BROUGHT.into_iter().flat_map(|it| it.1).filter(|it| it.0 != "gitlab_users");
        let brought = brought.map(|&(table, id)| (table, format!("{id} / {SPAN}")));
        let ours = OURS.map(|(table, instance)| (table, instance.to_owned()));
        let (tables, instances): (Vec<&str>, Vec<String>) = brought.chain(ours).unzip();
        let columns = sqlx::query_as(
            "select t.name as \"table\", quote_ident(a.attname) as \"column\", t.instance
               from unnest($1::text[], $2::text[]) as t(name, instance)
               join pg_attribute a on a.attrelid = t.name::regclass and a.attnum > 0 and not a.attisdropped
              where a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'text[]'::regtype)
              order by 1, 2",
        );
        Ok(columns.bind(tables).bind(instances).fetch_all(&self.pool).await?)
    }

    /// Takes what is erased out of a column, until nothing of it is found any more.
    async fn scrub(&self, masks: &Masks, texts: &Texts, words: &[String]) -> Result<u64, StoreError> {
        let any = words.iter().map(|it| escaped(it)).collect::<Vec<_>>().join("|");
        let mut changed = 0;
        for _ in 0..PASSES {
            let pass = self.scrub_once(masks, texts, &any).await?;
            changed += pass.changed;
            if pass.found == 0 {
                return Ok(changed);
            }
        }
        Err(StoreError::Restless(texts.table.clone()))
    }

    /// Goes through a column once, piece by piece. All pieces are of one moment, for a row that is written meanwhile may move
    /// behind; such a row is found and not changed, and is for the next pass.
    async fn scrub_once(&self, masks: &Masks, texts: &Texts, any: &str) -> Result<Pass, StoreError> {
        let Texts { table, column, instance } = texts;
        // Names of tables and columns are those of the schema, never a caller's.
        let select = format!(
            "select ctid::text, to_jsonb({column})::text, pg_typeof({column})::text, {instance} from {table}
              where ctid > $1::tid and {column}::text ~* $2 order by ctid limit {PIECE}"
        );
        let mut moment = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let (mut after, mut pass) = ("(0,0)".to_owned(), Pass::default());
        loop {
            let rows: Vec<Found> = sqlx::query_as(AssertSqlSafe(select.clone()))
                .bind(&after)
                .bind(any)
                .fetch_all(&mut *moment)
                .await?;
            let Some(last) = rows.last() else { return Ok(pass) };
            after.clone_from(&last.0);
            for (place, before, kind, instance) in &rows {
                let Some(value) = masked(masks.of(*instance), texts.means(), before) else { continue };
                pass.found += 1;
                pass.changed += self.replace(table, column, kind, place, before, &value).await?;
            }
        }
    }

    async fn replace(
        &self,
        table: &str,
        column: &str,
        kind: &str,
        place: &str,
        before: &str,
        after: &Value,
    ) -> Result<u64, StoreError> {
        let value = match kind {
            "text" => "($3::jsonb #>> '{}')".to_owned(),
            "jsonb" => "$3::jsonb".to_owned(),
            _ => "array(select jsonb_array_elements_text($3::jsonb))".to_owned(),
        };
        let sql = format!(
            "update {table} set {column} = {value} where ctid = $1::tid and to_jsonb({column}) = $2::jsonb"
        );
        let written = sqlx::query(AssertSqlSafe(sql)).bind(place).bind(before).bind(after.to_string());
        Ok(written.execute(&self.pool).await?.rows_affected())
    }
}

/// What a value (as JSON) becomes; none where it stays.
fn masked(masks: MasksOf<'_>, column: &str, before: &str) -> Option<Value> {
    let before: Value = serde_json::from_str(before).ok()?;
    let mut after = before.clone();
    mask(masks, column, &mut after);
    (after != before).then_some(after)
}

/// Masks a value. A text that is JSON itself is masked within.
fn mask(masks: MasksOf<'_>, column: &str, value: &mut Value) {
    if let Value::String(text) = value
        && let Ok(mut inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text)
    {
        let before = inner.clone();
        masks.value(column, &mut inner);
        if inner != before {
            *text = inner.to_string();
        }
        return;
    }
    masks.value(column, value);
}

/// A word as part of a regular expression of PostgreSQL; spaces stand for any.
fn escaped(word: &str) -> String {
    let escape = |letter: char| match letter {
        it if it.is_whitespace() => "\\s+".to_owned(),
        it if it.is_alphanumeric() || it == '_' => it.to_string(),
        it => format!("\\{it}"),
    };
    word.trim().chars().map(escape).collect()
}

fn one_spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn count(name: &str) -> i32 {
    i32::try_from(name.split_whitespace().count()).unwrap_or(1)
}
