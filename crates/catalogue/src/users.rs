//! People and bots, as they are seen in data: <https://docs.gitlab.com/api/users/>.
//!
//! Payloads name a user by a few fields or by id alone. Such a user is stored with what is known; those whose `bot`
//! flag is not known yet are read in bulk by GraphQL, or one by one by REST.

mod kind;

use std::borrow::Cow;

use serde::Deserialize;

use crate::gid::Gid;
use crate::row::row;
use crate::{Connector, Cursor, Document, Origin, Reader, Resource, Rows, Scope, Source, Table};
use kind::Kind;

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

/// Every user of an instance. Only an administrator's token may list them, and only where that is asked for.
pub static ALL_USERS: Resource = Resource {
    name: "all_users",
    connector: Connector::Gitlab,
    scope: Scope::Instance,
    cursor: Cursor::Complete,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "users", params: &[("order_by", "id"), ("sort", "asc")] },
            read: from_rest,
            sample: include_str!("../samples/all_users.rest.json"),
        },
        // GraphQL knows better what kind of user it is, and tells it of a hundred at a time.
        Reader {
            name: "rest_basic",
            source: Source::Rest { path: "users", params: &[("order_by", "id"), ("sort", "asc")] },
            read: from_rest_basic,
            sample: include_str!("../samples/all_users.rest_basic.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/users/#list-users",
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
        bot: bool, r#type: &'static str, type_rule: &'static str,
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

/// What is known of a user, by either reader.
struct Known<'a> {
    source_id: i64,
    username: &'a str,
    name: &'a str,
    state: Option<&'a str>,
    source_url: Option<&'a str>,
    bot: Option<bool>,
    /// GraphQL's own word for what kind of user it is.
    r#type: Option<&'a str>,
}

impl Known<'_> {
    /// Stores it and gives Weir's id.
    fn store(&self, origin: &Origin, out: &mut Rows) -> i64 {
        let Known { source_id, username, name, state, source_url, bot, r#type: word } = *self;
        let id = origin.id(source_id);
        match bot {
            None => out.push(&BasicRow { id, source_id, username, name, state, source_url }),
            Some(bot) => {
                let Kind { r#type, rule: type_rule } = kind::of(bot, username, word);
                out.push(&FullRow {
                    id,
                    source_id,
                    username,
                    name,
                    state,
                    source_url,
                    bot,
                    r#type,
                    type_rule,
                });
            }
        }
        id
    }
}

impl UserBasic<'_> {
    /// Stores what is known of the user and gives Weir's id.
    pub(crate) fn store(&self, origin: &Origin, out: &mut Rows) -> i64 {
        let known = Known {
            source_id: self.id,
            username: &self.username,
            name: &self.name,
            state: self.state.as_deref(),
            source_url: self.web_url.as_deref(),
            bot: self.bot,
            r#type: None,
        };
        known.store(origin, out)
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
        let state = self.state.as_deref().map(str::to_lowercase);
        let known = Known {
            source_id: self.id.id,
            username: &self.username,
            name: &self.name,
            state: state.as_deref(),
            source_url: self.web_url.as_deref(),
            bot: self.bot,
            r#type: self.r#type.as_deref(),
        };
        known.store(origin, out)
    }
}

fn from_rest(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<UserBasic>(element)?.store(origin, out);
    Ok(())
}

fn from_rest_basic(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    UserBasic { bot: None, ..serde_json::from_str(element)? }.store(origin, out);
    Ok(())
}

fn from_graphql(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    serde_json::from_str::<UserCore>(element)?.store(origin, out);
    Ok(())
}
