//! Whose work it is that GitLab lists no more: what a banned user wrote is hidden from all but administrators, as if it were
//! deleted.

use std::collections::BTreeSet;

use catalogue::users::USERS_QUERY;
use catalogue::{Gid, gid};
use gitlab_client::Request;
use serde::Deserialize;
use serde_json::json;
use store::Fact;

use crate::engine::{Engine, Halt};

/// Authors asked for in one request.
const TOGETHER: usize = 100;

/// Why nothing is marked where one of the authors may be banned.
pub(super) const MAY_BE_HIDDEN: &str = "GitLab lists some no more, and does not tell of all their authors that they are not banned. Nothing was marked.";

#[derive(Deserialize)]
struct Data {
    users: Option<Users>,
}

#[derive(Deserialize)]
struct Users {
    nodes: Vec<Option<User>>,
}

#[derive(Deserialize)]
struct User {
    id: Gid,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Alone {
    state: Option<String>,
}

/// Whether one of the authors of things in a project is banned, or not known to GitLab.
pub(super) async fn may_be_banned(
    engine: &Engine,
    fact: Fact,
    project_id: i64,
    ids: &[i64],
) -> Result<bool, Halt> {
    let authors = engine.store.authors(fact, project_id, ids).await?;
    let Some(authors) = authors.into_iter().collect::<Option<Vec<i64>>>() else { return Ok(true) };
    let authors: Vec<i64> = authors.iter().map(|it| engine.instance.source_id(*it)).collect();
    for some in authors.chunks(TOGETHER) {
        let at_large = if engine.capabilities.graphql {
            together(engine, some).await
        } else {
            singly(engine, some).await
        };
        if !some.iter().all(|it| at_large.contains(it)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those who are known not to be banned.
async fn together(engine: &Engine, authors: &[i64]) -> BTreeSet<i64> {
    let ids: Vec<String> = authors.iter().map(|it| gid("User", *it)).collect();
    let variables = json!({ "ids": ids, "first": ids.len() });
    let answer = engine.client.graphql(&engine.capabilities.fit(&USERS_QUERY), &variables).await.ok();
    let users = answer.filter(|it| it.errors.is_empty()).and_then(|it| {
        let answer: catalogue::Answer<Data> = serde_json::from_slice(&it.body).ok()?;
        answer.data?.users
    });
    let nodes = users.into_iter().flat_map(|it| it.nodes).flatten();
    nodes.filter(|it| is_at_large(it.state.as_deref())).map(|it| it.id.id).collect()
}

async fn singly(engine: &Engine, authors: &[i64]) -> BTreeSet<i64> {
    let mut at_large = BTreeSet::new();
    for author in authors {
        let answer = engine.client.get(&Request::new("users/{user}").value(author)).await.ok();
        let user: Option<Alone> = answer.and_then(|it| serde_json::from_slice(&it.body).ok());
        at_large.extend(user.filter(|it| is_at_large(it.state.as_deref())).map(|_| *author));
    }
    at_large
}

fn is_at_large(state: Option<&str>) -> bool {
    state.is_some_and(|it| !it.eq_ignore_ascii_case("banned"))
}
