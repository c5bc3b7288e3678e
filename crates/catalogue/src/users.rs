//! People and bots, as they are seen in data: <https://docs.gitlab.com/api/users/>.
//!
//! Payloads name a user by a few fields or by id alone. Such a user is stored with what is known; those whose `bot`
//! flag is not known yet are read in bulk by GraphQL, or one by one by REST.

use std::borrow::Cow;

use serde::Deserialize;

use crate::gid::Gid;
use crate::row::row;
use crate::{Connector, Cursor, Document, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Users.
pub static USERS: Resource = Resource {
    name: "users",
    connector: Connector::Gitlab,
    scope: Scope::Instance,
    cursor: Cursor::Seen,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "users/{user}", params: &[] },
            read: from_rest,
            sample: include_str!("../samples/users.rest.json"),
        },
        Reader {
            name: "graphql",
            source: Source::Graphql { document: &USERS_QUERY, connection: "users" },
            read: from_graphql,
            sample: include_str!("../samples/users.graphql.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/users/",
};

/// Reads users by id, 100 at a time.
pub static USERS_QUERY: Document = Document { name: "users", text: include_str!("users.graphql") };

pub(crate) static TABLE: Table = Table { name: "gitlab_users", key: &["id"], version: None, fill: &[] };

row! {
    /// A user of whom only the id is known.
    StubRow in TABLE { id: i64, source_id: i64 }
}

row! {
    /// What REST's short form tells.
    BasicRow<'a> in TABLE {
        id: i64, source_id: i64, username: &'a str, name: &'a str, state: Option<&'a str>, source_url: Option<&'a str>,
    }
}

row! {
    FullRow<'a> in TABLE {
        id: i64, source_id: i64, username: &'a str, name: &'a str, state: Option<&'a str>, source_url: Option<&'a str>,
        bot: bool, r#type: &'a str,
    }
}

/// REST's `UserBasic`.
#[derive(Debug, Deserialize)]
pub(crate) struct UserBasic<'a> {
    pub(crate) id: i64,
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    web_url: Option<Cow<'a, str>>,
    #[serde(default)]
    bot: Option<bool>,
}

impl UserBasic<'_> {
    /// Stores what is known of the user and gives Weir's id.
    pub(crate) fn store(&self, origin: &Origin, out: &mut Rows) -> i64 {
        let id = origin.id(self.id);
        let (source_id, username, name) = (self.id, &*self.username, &*self.name);
        let (state, source_url) = (self.state.as_deref(), self.web_url.as_deref());
        match self.bot {
            None => out.push(&BasicRow { id, source_id, username, name, state, source_url }),
            Some(bot) => {
                let r#type = kind(bot, username, None);
                out.push(&FullRow { id, source_id, username, name, state, source_url, bot, r#type });
            }
        }
        id
    }
}

/// Stores a user of whom only the id is known and gives Weir's id.
pub(crate) fn stub(origin: &Origin, user: &Gid, out: &mut Rows) -> i64 {
    let id = origin.id(user.id);
    out.push(&StubRow { id, source_id: user.id });
    id
}

/// GraphQL's `UserCore`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserCore<'a> {
    id: Gid,
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    web_url: Option<Cow<'a, str>>,
    #[serde(default)]
    bot: Option<bool>,
    #[serde(borrow, default)]
    r#type: Option<Cow<'a, str>>,
}

impl UserCore<'_> {
    pub(crate) fn store(&self, origin: &Origin, out: &mut Rows) -> i64 {
        let id = origin.id(self.id.id);
        let (source_id, username, name) = (self.id.id, &*self.username, &*self.name);
        let state = self.state.as_deref().map(str::to_lowercase);
        let (state, source_url) = (state.as_deref(), self.web_url.as_deref());
        match self.bot {
            None => out.push(&BasicRow { id, source_id, username, name, state, source_url }),
            Some(bot) => {
                let r#type = kind(bot, username, self.r#type.as_deref());
                out.push(&FullRow { id, source_id, username, name, state, source_url, bot, r#type });
            }
        }
        id
    }
}

/// `human`, `bot` or `ai_bot`. REST does not tell GitLab's own type, so there the names of Duo's accounts decide.
fn kind(bot: bool, username: &str, user_type: Option<&str>) -> &'static str {
    let ai = match user_type {
        Some(it) => matches!(it, "LLM_BOT" | "DUO_CODE_REVIEW_BOT"),
        None => {
            bot && (username.eq_ignore_ascii_case("GitLabDuo") || username.to_lowercase().starts_with("duo-"))
        }
    };
    match (ai, bot) {
        (true, _) => "ai_bot",
        (false, true) => "bot",
        (false, false) => "human",
    }
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<UserBasic>(element)?.store(origin, out);
    Ok(())
}

fn from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<UserCore>(element)?.store(origin, out);
    Ok(())
}
