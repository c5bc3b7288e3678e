//! Users who were met by id or by a few fields: the rest is read in bulk by GraphQL, or one by one by REST.

use catalogue::users::{ALL_USERS, USERS, USERS_QUERY};
use catalogue::{Answer, Connection, Rows, gid};
use futures::{StreamExt, TryStreamExt, stream};
use gitlab_client::{Answer as Page, CredentialId, Error, ErrorKind, Request};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::engine::{Engine, Halt};
use crate::fetch::{PER_PAGE, elements, read_all, request, whole};

/// Users asked for in one request.
const TOGETHER: i64 = 100;

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    users: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct Listed {
    is_admin: Option<bool>,
}

/// Lists every user of the instance, where that is asked for and the token is an administrator's.
pub(crate) async fn everyone(engine: &Engine) -> Result<(), Halt> {
    if !engine.options.all_users {
        return Ok(());
    }
    let credential = match engine.options.job_token {
        true => None,
        false => match sees_all(engine).await {
            Ok(credential) => credential,
            Err(error) => return left_out(engine, &error),
        },
    };
    let Some(credential) = credential else {
        let detail = "Only the token of an administrator lists every user of the instance.";
        engine.skip(ALL_USERS.name, 0, "forbidden", detail);
        return Ok(());
    };
    let mut page = match first_page(engine, credential).await {
        Ok(page) => page,
        Err(error) => return left_out(engine, &error),
    };
    // What kind of user it is GraphQL knows better, and REST tells it of each: not both in turn.
    let reader = &ALL_USERS.readers[usize::from(engine.capabilities.graphql)];
    loop {
        let found = elements(&page.body);
        let more = page.next.clone().filter(|_| !found.is_empty());
        let mut rows = Rows::default();
        let rejects = read_all(ALL_USERS.name, reader, &engine.origin(), 0, found, &mut rows);
        engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, page.sent_at) }).await?;
        let Some(next) = more else { return Ok(()) };
        page = match engine.client.get_next(&next).await {
            Ok(page) => page,
            Err(error) => return left_out(engine, &error),
        };
    }
}

/// A credential to which GitLab hides nothing. That its user is an administrator is not enough: where Admin Mode is on, a
/// token without the scope `admin_mode` sees no more than its user's memberships. Lists of users tell more to those
/// alone who may read everything.
pub(crate) async fn sees_all(engine: &Engine) -> Result<Option<CredentialId>, Error> {
    let (mut answered, mut failed) = (false, None);
    for credential in engine.client.credentials().into_iter().filter(|it| it.disabled.is_none()) {
        let request = Request::new("users").query("per_page", 1).credential(credential.id.clone());
        match engine.client.get(&request).await {
            Ok(answer) if tells_all(&answer.body) => return Ok(Some(credential.id)),
            Ok(_) => answered = true,
            Err(error) => failed = Some(error),
        }
    }
    failed.filter(|_| !answered).map_or(Ok(None), Err)
}

fn tells_all(body: &[u8]) -> bool {
    let users: Vec<Listed> = serde_json::from_slice(body).unwrap_or_default();
    users.first().is_some_and(|it| it.is_admin.is_some())
}

/// By keyset; GitLab before 16.5 lists users by number alone.
async fn first_page(engine: &Engine, credential: CredentialId) -> Result<Page, Error> {
    let listing = request(&ALL_USERS.readers[0], &[]).unwrap_or_else(|| Request::new("users"));
    let listing = listing.query("per_page", PER_PAGE).credential(credential);
    match engine.client.get(&listing.clone().query("pagination", "keyset")).await {
        Err(error) if matches!(error.kind, ErrorKind::Refused) => engine.client.get(&listing).await,
        answer => answer,
    }
}

fn left_out(engine: &Engine, error: &Error) -> Result<(), Halt> {
    match engine.halt(error, ALL_USERS.name, 0) {
        Halt::Skipped => Ok(()),
        halt => Err(halt),
    }
}

/// Completes every user of whom only a part is known, then what depends on who is a person.
pub(crate) async fn complete(engine: &Engine) -> Result<(), Halt> {
    let mut after = 0;
    loop {
        let unknown = engine.store.unknown_users(engine.instance.0, after, TOGETHER).await?;
        let Some(last) = unknown.last() else { break };
        after = *last;
        if engine.capabilities.graphql {
            together(engine, &unknown).await?;
        } else {
            singly(engine, &unknown).await?;
        }
    }
    derive_again(engine).await
}

/// Computes again what depends on who is a person, for those of whom that became known after it was counted.
async fn derive_again(engine: &Engine) -> Result<(), Halt> {
    loop {
        let due = engine.store.people_due(engine.instance.0, TOGETHER).await?;
        if due.is_empty() {
            return Ok(());
        }
        engine.store.derive_for_users(&due, engine.now()).await?;
        engine.store.people_done(&due).await?;
    }
}

async fn together(engine: &Engine, unknown: &[i64]) -> Result<(), Halt> {
    let ids: Vec<String> = unknown.iter().map(|it| gid("User", *it)).collect();
    let variables = json!({ "ids": ids, "first": ids.len() });
    let query = engine.capabilities.fit(&USERS_QUERY);
    let answer = match engine.client.graphql(&query, &variables).await {
        Ok(answer) => answer,
        Err(error) => return stay_unknown(engine, &error),
    };
    let parsed: Option<Answer<Data>> = serde_json::from_slice(&answer.body).ok();
    let users =
        parsed.filter(|_| answer.errors.is_empty()).and_then(|it| it.data).and_then(|it| whole(it.users));
    let Some(users) = users else { return singly(engine, unknown).await };
    let mut rows = Rows::default();
    let rejects =
        read_all("users", &USERS.readers[1], &engine.origin(), 0, users.nodes.iter().copied(), &mut rows);
    engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, answer.sent_at) }).await?;
    Ok(())
}

async fn singly(engine: &Engine, unknown: &[i64]) -> Result<(), Halt> {
    if engine.options.job_token {
        engine.skip(
            "users",
            0,
            "job_token",
            "A job token may not read users: bots are not told from people.",
        );
        return Ok(());
    }
    let reads = stream::iter(unknown.to_vec()).map(|user| one(engine, user));
    reads.buffer_unordered(engine.options.workers.max(1)).try_collect::<()>().await
}

async fn one(engine: &Engine, user: i64) -> Result<(), Halt> {
    let Some(request) = request(&USERS.readers[0], &[user]) else { return Ok(()) };
    let answer = match engine.client.get(&request).await {
        Ok(answer) => answer,
        // A deleted account: what is known of it stays.
        Err(error) if matches!(error.kind, ErrorKind::NotFound) => {
            engine.store.retire_users(&[engine.instance.id(user)], engine.now()).await?;
            return Ok(());
        }
        Err(error) => return stay_unknown(engine, &error),
    };
    let mut rows = Rows::default();
    let object: Option<&RawValue> = serde_json::from_slice(&answer.body).ok();
    let rejects = read_all("users", &USERS.readers[0], &engine.origin(), 0, object, &mut rows);
    engine.write(&store::Page { rejects: &rejects, ..engine.page(&rows, answer.sent_at) }).await?;
    Ok(())
}

fn stay_unknown(engine: &Engine, error: &gitlab_client::Error) -> Result<(), Halt> {
    match engine.halt(error, "users", 0) {
        Halt::Skipped => Ok(()),
        halt => Err(halt),
    }
}
