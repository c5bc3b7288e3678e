//! What is known of erased people is taken out of every text before it is written. Only digests are kept, so texts are cut
//! into what could be a name, a username or an address, and each is held against them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::StoreError;

/// How long the list serves before it is read again. An erasure waits for longer than this.
pub(crate) const FRESH: Duration = Duration::from_secs(2);
/// Columns that hold nothing but who somebody is.
const WHO: [&str; 6] =
    ["username", "name", "author_name", "committer_name", "user_username", "namespace_full_path"];
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

/// What is taken out.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    people: HashMap<Vec<u8>, i64>,
    users: Vec<i64>,
    longest: usize,
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
        let read = Instant::now();
        let masks = Arc::new(Masks::read(pool).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((read, masks.clone()));
        Ok(masks)
    }
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
    pub(crate) async fn read(pool: &PgPool) -> Result<Masks, StoreError> {
        let rows: Vec<(Vec<u8>, i32, i64)> =
            sqlx::query_as("select digest, words, user_id from weir.erased_words").fetch_all(pool).await?;
        let users = sqlx::query_scalar("select user_id from weir.erased_people").fetch_all(pool).await?;
        let longest = rows.iter().map(|it| usize::try_from(it.1).unwrap_or(1)).max().unwrap_or_default();
        Ok(Masks { people: rows.into_iter().map(|it| (it.0, it.2)).collect(), users, longest })
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

    /// A text that is JSON, without what is erased.
    pub(crate) fn body(&self, json: &str) -> String {
        match serde_json::from_str::<Value>(json) {
            Ok(mut value) if !self.is_empty() => {
                self.value("", &mut value);
                value.to_string()
            }
            _ => json.to_owned(),
        }
    }

    fn row(&self, table: &str, row: &mut Value) {
        let id = row["id"].as_i64().filter(|it| table == "gitlab_users" && self.users.contains(it));
        let author = row["user_id"].as_i64().filter(|it| self.users.contains(it));
        let Some(columns) = row.as_object_mut() else { return };
        for (column, value) in columns {
            match (id, column.as_str()) {
                (Some(user), "username" | "name") => *value = Value::String(pseudonym(user)),
                (Some(_), "source_url") => *value = Value::Null,
                // What the person wrote.
                _ if author.is_some() && matches!(column.as_str(), "body" | "description") => {
                    *value = Value::Null
                }
                _ => self.value(column, value),
            }
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
            Value::Object(values) => values.iter_mut().for_each(|(name, it)| self.value(name, it)),
            _ => {}
        }
    }

    /// A text without what is erased; none where it holds nothing of it.
    pub(crate) fn text(&self, column: &str, text: &str) -> Option<String> {
        if WHO.contains(&column) {
            let user = self.who("username", text).or_else(|| self.who("name", text));
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
            let names = (2..=self.longest.min(spans.len() - at)).rev();
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
            let known = mentioned || path || text[end..to].starts_with("@users.noreply.");
            if known
                && start < end
                && let Some(user) = self.who("username", &text[start..end])
            {
                found.push((start, end, user));
            }
            start = end + length;
        }
    }

    fn who(&self, kind: &str, word: &str) -> Option<i64> {
        (!word.is_empty()).then(|| self.people.get(&digest(kind, word)).copied()).flatten()
    }
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
    use super::*;

    fn masks() -> Masks {
        let words = [("username", "dev"), ("name", "Ödön von Horváth"), ("email", "o.h@example.com")];
        let people = words.iter().map(|(kind, word)| (digest(kind, word), 7)).collect();
        Masks { people, users: vec![7], longest: 3 }
    }

    #[test]
    fn what_is_erased_is_taken_out_wherever_it_stands_and_nothing_else_is() {
        let masks = masks();
        let of = |column: &str, text: &str| masks.text(column, text).unwrap_or_else(|| text.to_owned());
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
        let json = serde_json::json!([{ "id": 7, "username": "renamed", "name": "X", "source_url": "u" }, { "id": 8, "username": "renamed" }]);
        let masked: Value = serde_json::from_str(&masks().rows("gitlab_users", json.to_string())).unwrap();
        assert_eq!(
            masked[0],
            serde_json::json!({ "id": 7, "username": "erased-7", "name": "erased-7", "source_url": null })
        );
        assert_eq!(masked[1]["username"], "renamed");
        let json = serde_json::json!([{ "user_id": 7, "body": "mine" }, { "user_id": 8, "body": "yours" }]);
        let masked: Value =
            serde_json::from_str(&masks().rows("gitlab_merge_request_notes", json.to_string())).unwrap();
        assert_eq!((&masked[0]["body"], &masked[1]["body"]), (&Value::Null, &Value::from("yours")));
    }
}
