//! What is known of erased people is taken out of every text before it is written. Only digests are kept, so texts are cut
//! into what could be a name, a username or an address, and each is held against them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, Row};

use crate::StoreError;
use crate::purges::SPAN;

/// How long the list serves those who write without a transaction. An erasure waits for longer than this.
pub(crate) const FRESH: Duration = Duration::from_secs(2);
/// Columns that hold nothing but who somebody is. `name` is none of them: most things that bear one are no people.
const WHO: [&str; 10] = [
    PERSON,
    "old_username",
    "author_name",
    "authorName",
    "committer_name",
    "committerName",
    "user_name",
    "user_username",
    "owner_name",
    "namespace_full_path",
];
const PERSON: &str = "username";
/// What a user in GitLab's JSON says of nobody else.
const OWN: [&str; 6] = ["username", "name", "email", "public_email", "web_url", "avatar_url"];
/// Columns that hold paths and addresses: a username is one part of them.
const PATHS: [&str; 10] = [
    "path_with_namespace",
    "namespace_full_path",
    "source_url",
    "web_url",
    "url",
    "path",
    "parent",
    "detail",
    "target_project_path",
    "target",
];

/// Takes the lock that an erasure waits for, and then counts: the second statement sees what was committed while the first
/// waited. Both go to the server together.
const HOLD: &str = "select pg_advisory_xact_lock_shared(8319); select count(*) from weir.erased_words";

/// What is taken out.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    /// How many words there are: none is ever forgotten, so that the number tells one list from another.
    words: i64,
    people: HashMap<Vec<u8>, Vec<i64>>,
    users: Vec<i64>,
    longest: usize,
}

/// The same for what one GitLab says, or nobody knows which. A username is somebody else's on another GitLab.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MasksOf<'m> {
    masks: &'m Masks,
    instance: Option<i64>,
}

/// The masks of a store, read again now and then.
#[derive(Debug, Default)]
pub(crate) struct MaskCache(Mutex<Option<(Instant, Arc<Masks>)>>);

impl MaskCache {
    pub(crate) async fn current(&self, pool: &PgPool) -> Result<Arc<Masks>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, masks)) = known.filter(|it| it.0.elapsed() < FRESH) {
            return Ok(masks);
        }
        self.read(&mut *pool.acquire().await?).await
    }

    /// The list for a transaction that has just begun. An erasure that was asked for meanwhile goes on when it has ended.
    pub(crate) async fn hold(&self, transaction: &mut PgConnection) -> Result<Arc<Masks>, StoreError> {
        let counted = sqlx::raw_sql(HOLD).fetch_all(&mut *transaction).await?;
        let words: i64 = counted.last().map(|it| it.try_get(0)).transpose()?.unwrap_or_default();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known.filter(|it| it.1.words == words) {
            Some((_, masks)) => Ok(masks),
            None => self.read(transaction).await,
        }
    }

    async fn read(&self, connection: &mut PgConnection) -> Result<Arc<Masks>, StoreError> {
        let read = Instant::now();
        let masks = Arc::new(Masks::read(connection).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((read, masks.clone()));
        Ok(masks)
    }
}

/// Waits until what is written by an older list is there. What begins later knows the words that are committed by now.
pub(crate) async fn outlast_writers(pool: &PgPool) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(8319)").execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// The digest of a word of a kind: username, name or email.
pub(crate) fn digest(kind: &str, word: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind} {}", word.trim().to_lowercase())).to_vec()
}

/// What stands in the place of a person.
pub(crate) fn pseudonym(user: i64) -> String {
    format!("erased-{user}")
}

impl Masks {
    pub(crate) async fn read(connection: &mut PgConnection) -> Result<Masks, StoreError> {
        let rows: Vec<(Vec<u8>, i32, i64)> =
            sqlx::query_as("select digest, words, user_id from weir.erased_words")
                .fetch_all(&mut *connection)
                .await?;
        let users =
            sqlx::query_scalar("select user_id from weir.erased_people").fetch_all(connection).await?;
        let words = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let longest = rows.iter().map(|it| usize::try_from(it.1).unwrap_or(1)).max().unwrap_or_default();
        let mut people: HashMap<Vec<u8>, Vec<i64>> = HashMap::new();
        for (digest, _, user) in rows {
            people.entry(digest).or_default().push(user);
        }
        Ok(Masks { words, people, users, longest })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Rows on their way to the database (a JSON array), without what is erased.
    pub(crate) fn rows(&self, table: &str, json: String) -> String {
        let Ok(mut rows) = serde_json::from_str::<Value>(&json) else { return json };
        for row in rows.as_array_mut().into_iter().flatten() {
            self.row(table, row);
        }
        rows.to_string()
    }

    /// Names of labels that a page knows by name alone, as those of the labels themselves are stored.
    pub(crate) fn names<'n>(&self, named: Cow<'n, [(i64, i64, String)]>) -> Cow<'n, [(i64, i64, String)]> {
        if self.is_empty() {
            return named;
        }
        let mut named = named.into_owned();
        for (project, _, name) in &mut named {
            if let Some(masked) = self.of(Some(project.div_euclid(SPAN))).text("name", name) {
                *name = masked;
            }
        }
        Cow::Owned(named)
    }

    /// What they are to the words of a GitLab.
    pub(crate) fn of(&self, instance: Option<i64>) -> MasksOf<'_> {
        MasksOf { masks: self, instance }
    }

    /// A text that is JSON, without what is erased.
    pub(crate) fn body(&self, json: &str) -> String {
        self.of(None).body(json)
    }

    fn row(&self, table: &str, row: &mut Value) {
        if table == "gitlab_users" {
            return self.user(row);
        }
        let masks = self.of(instance_of(row));
        let author = row["user_id"].as_i64().filter(|it| self.users.contains(it));
        let Some(columns) = row.as_object_mut() else { return };
        for (column, value) in columns {
            // What the person wrote.
            if author.is_some() && matches!(column.as_str(), "body" | "description") {
                *value = Value::Null;
            } else {
                masks.value(column, value);
            }
        }
    }

    /// A person goes by the number: another one may be called the same.
    fn user(&self, row: &mut Value) {
        let Some(user) = row["id"].as_i64().filter(|it| self.users.contains(it)) else { return };
        for (column, value) in row.as_object_mut().into_iter().flatten() {
            match column.as_str() {
                "username" | "name" => *value = Value::String(pseudonym(user)),
                "source_url" => *value = Value::Null,
                _ => {}
            }
        }
    }
}

impl MasksOf<'_> {
    /// A text that is JSON, without what is erased.
    pub(crate) fn body(&self, json: &str) -> String {
        match serde_json::from_str::<Value>(json) {
            Ok(mut value) if !self.masks.is_empty() => {
                self.value("", &mut value);
                value.to_string()
            }
            _ => json.to_owned(),
        }
    }

    /// A value without what is erased, whatever lies within it.
    pub(crate) fn value(&self, column: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(masked) = self.text(column, text) {
                    *text = masked;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|it| self.value(column, it)),
            Value::Object(values) => self.object(values),
            _ => {}
        }
    }

    fn object(&self, values: &mut Map<String, Value>) {
        let person = values.contains_key("username") || values.contains_key("email");
        let another = self.is_another(values);
        for (column, value) in values {
            match column.as_str() {
                own if another && OWN.contains(&own) => {}
                "name" if person => self.value(PERSON, value),
                column => self.value(column, value),
            }
        }
    }

    /// Whether it is a user whose number is none of those that are erased.
    fn is_another(&self, object: &Map<String, Value>) -> bool {
        // An event of GitLab's system hooks has the number of what happened beside a name.
        let user = ["username", "name"].iter().all(|it| object.contains_key(*it))
            && !object.contains_key("event_name");
        let number = match object.get("id") {
            Some(Value::String(gid)) => gid.rsplit('/').next().and_then(|it| it.parse().ok()),
            Some(id) => id.as_i64(),
            None => None,
        };
        let is = |number: i64| self.masks.users.iter().any(|it| it % SPAN == number && self.has(*it));
        user && number.is_some_and(|it| !is(it))
    }

    /// A text without what is erased; none where it holds nothing of it.
    pub(crate) fn text(&self, column: &str, text: &str) -> Option<String> {
        if WHO.contains(&column) {
            let user = self.here("username", text).or_else(|| self.here("name", text));
            if let Some(user) = user {
                return Some(pseudonym(user));
            }
        }
        let spans = spans(text);
        let mut found: Vec<(usize, usize, i64)> = Vec::new();
        for (at, (from, to)) in spans.iter().enumerate() {
            if found.last().is_some_and(|it| it.1 > *from) {
                continue;
            }
            if let Some(user) = self.who("email", &text[*from..*to]) {
                found.push((*from, *to, user));
                continue;
            }
            let names = (2..=self.masks.longest.min(spans.len() - at)).rev();
            let named = names.filter_map(|count| {
                let to = spans[at + count - 1].1;
                self.who("name", &plain(text, &spans[at..at + count])).map(|user| (*from, to, user))
            });
            if let Some(span) = named.into_iter().next() {
                found.push(span);
                continue;
            }
            self.parts(column, text, *from, *to, &mut found);
        }
        if found.is_empty() {
            return None;
        }
        let mut masked = text.to_owned();
        for (from, to, user) in found.into_iter().rev() {
            masked.replace_range(from..to, &pseudonym(user));
        }
        Some(masked)
    }

    /// Usernames within one span: after an @, in the address of a noreply mail, or as a part of a path.
    fn parts(&self, column: &str, text: &str, from: usize, to: usize, found: &mut Vec<(usize, usize, i64)>) {
        let mut start = from;
        for (length, end) in text[from..to]
            .char_indices()
            .filter(|it| "/@:+".contains(it.1))
            .map(|it| (it.1.len_utf8(), from + it.0))
            .chain([(0, to)])
        {
            let mentioned = start > from && text[..start].ends_with('@');
            let path = PATHS.contains(&column) && is_root(&text[from..start], &text[end..]);
            let part = &text[start..end];
            let user = match mentioned || text[end..to].starts_with("@users.noreply.") {
                true => self.who("username", part),
                false if path => self.here("username", part),
                false => None,
            };
            found.extend(user.map(|it| (start, end, it)));
            start = end + length;
        }
    }

    /// Whose word it is, on this GitLab before others.
    fn who(&self, kind: &str, word: &str) -> Option<i64> {
        self.here(kind, word).or_else(|| self.all(kind, word).first().copied())
    }

    /// Whose word it is on this GitLab.
    fn here(&self, kind: &str, word: &str) -> Option<i64> {
        self.all(kind, word).iter().copied().find(|it| self.has(*it))
    }

    fn all(&self, kind: &str, word: &str) -> &[i64] {
        let known = (!word.is_empty()).then(|| self.masks.people.get(&digest(kind, word))).flatten();
        known.map(Vec::as_slice).unwrap_or_default()
    }

    fn has(&self, user: i64) -> bool {
        self.instance.is_none_or(|it| it == user.div_euclid(SPAN))
    }
}

/// The GitLab that a row is of.
fn instance_of(row: &Value) -> Option<i64> {
    let id = ["project_id", "group_id", "id"].iter().find_map(|it| row[*it].as_i64());
    id.map(|it| it.div_euclid(SPAN))
}

/// Whether a part of a path is where it begins: the namespace of a person is never below another.
fn is_root(before: &str, after: &str) -> bool {
    let of_address = before.contains("://") && before.ends_with('/') && before.matches('/').count() == 3;
    of_address || (before.is_empty() && after.starts_with('/'))
}

/// The words of some spans with a space between each.
fn plain(text: &str, spans: &[(usize, usize)]) -> String {
    spans.iter().map(|it| &text[it.0..it.1]).collect::<Vec<_>>().join(" ")
}

/// Where the words of a text are, without the punctuation around them.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let within = |it: char| it.is_alphanumeric() || "@._+-/:'%~".contains(it);
    let mut all = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (within(letter), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                start = None;
                let word = &text[from..at];
                let left = word.len() - word.trim_start_matches(['\'', '.', ':', '-', '+']).len();
                let trimmed = word.trim_matches(['\'', '.', ':', '-', '+']);
                if !trimmed.is_empty() {
                    all.push((from + left, from + left + trimmed.len()));
                }
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masks() -> Masks {
        let words = [("username", "dev"), ("name", "Ödön von Horváth"), ("email", "o.h@example.com")];
        let people = words.iter().map(|(kind, word)| (digest(kind, word), vec![7])).collect();
        Masks { words: 3, people, users: vec![7], longest: 3 }
    }

    #[test]
    fn what_is_erased_is_taken_out_wherever_it_stands_and_nothing_else_is() {
        let masks = masks();
        let of =
            |column: &str, text: &str| masks.of(None).text(column, text).unwrap_or_else(|| text.to_owned());
        assert_eq!(of("title", "Fix for @Dev, thanks"), "Fix for @erased-7, thanks");
        assert_eq!(
            of("title", "ödön von horváth's idea (o.h@EXAMPLE.com)."),
            "ödön von horváth's idea (erased-7)."
        );
        assert_eq!(of("title", "by Ödön von  Horváth, again"), "by erased-7, again");
        assert_eq!(of("title", "dev build of the dev branch"), "dev build of the dev branch");
        assert_eq!(of("source_branch", "dev/thing"), "dev/thing");
        assert_eq!(of("path_with_namespace", "dev/thing"), "erased-7/thing");
        assert_eq!(of("source_url", "https://gitlab.example.com/dev"), "https://gitlab.example.com/erased-7");
        assert_eq!(of("path_with_namespace", "group/dev"), "group/dev");
        assert_eq!(of("path", "dev"), "dev");
        assert_eq!(of("author_name", "dev"), "erased-7");
        assert_eq!(
            of("author_email", "12-dev@users.noreply.example.com"),
            "12-dev@users.noreply.example.com"
        );
        assert_eq!(of("body", "https://x/y@dev"), "https://x/y@erased-7");
    }

    #[test]
    fn the_person_and_what_the_person_wrote_are_erased_by_their_number() {
        let json = json!([{ "id": 7, "username": "renamed", "name": "X", "source_url": "u" }, { "id": 8, "username": "renamed" }]);
        let masked: Value = serde_json::from_str(&masks().rows("gitlab_users", json.to_string())).unwrap();
        assert_eq!(
            masked[0],
            json!({ "id": 7, "username": "erased-7", "name": "erased-7", "source_url": null })
        );
        assert_eq!(masked[1]["username"], "renamed");
        let another = json!([{ "id": 8, "username": "dev", "name": "Ödön von Horváth", "source_url": "https://x/dev" }]);
        assert_eq!(masks().rows("gitlab_users", another.to_string()), another.to_string());
        let json = json!([{ "user_id": 7, "body": "mine" }, { "user_id": 8, "body": "yours" }]);
        let masked: Value =
            serde_json::from_str(&masks().rows("gitlab_merge_request_notes", json.to_string())).unwrap();
        assert_eq!((&masked[0]["body"], &masked[1]["body"]), (&Value::Null, &Value::from("yours")));
    }
    #[test]
    fn things_that_are_named_like_a_person_keep_their_names() {
        let same = |table: &str, row: Value| {
            let json = json!([row]).to_string();
            assert_eq!(masks().rows(table, json.clone()), json, "{table}");
        };
        same("gitlab_jobs", json!({ "name": "dev", "project_id": 3 }));
        same("gitlab_environments", json!({ "environment": "dev", "name": "dev", "project_id": 3 }));
        let elsewhere = json!({ "author_name": "dev", "project_id": SPAN + 3 });
        same("gitlab_commits", elsewhere.clone());
        same("gitlab_projects", json!({ "id": SPAN + 3, "path_with_namespace": "dev/thing" }));
        let here = json!([{ "author_name": "dev", "project_id": 3 }]).to_string();
        assert!(masks().rows("gitlab_commits", here).contains("erased-7"));
    }

    #[test]
    fn a_user_in_json_is_told_from_another_and_from_things_by_the_number_and_the_address() {
        let body = json!({
            "user": { "id": 7, "name": "Dev", "username": "dev" },
            "assignee": { "id": 8, "name": "Dev", "username": "dev" },
            "author": { "email": "o.h@example.com", "name": "Dev" },
            "environment": { "id": 7, "name": "dev" },
        });
        let masked: Value = serde_json::from_str(&masks().body(&body.to_string())).unwrap();
        assert_eq!(masked["user"], json!({ "id": 7, "name": "erased-7", "username": "erased-7" }));
        assert_eq!(masked["author"], json!({ "email": "erased-7", "name": "erased-7" }));
        assert_eq!((&masked["assignee"], &masked["environment"]), (&body["assignee"], &body["environment"]));
    }
}
