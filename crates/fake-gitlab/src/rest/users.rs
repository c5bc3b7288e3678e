//! Users.

use serde_json::{Value, json};

use super::entities::Millis;
use super::entities::user::{UserBasic, is_bot};
use super::paging::page_size;
use super::params::{Declared, given, or};
use super::{Answer, Ask, Problem, Reply};
use crate::world::model::{Id, Namespace, User, UserType, World};

/// `GET /users/:id`
pub fn show(ask: &Ask<'_>) -> Answer {
    let id = ask.part("id").parse::<i64>().ok();
    let user = id.and_then(|id| ask.world.users.get(&id)).ok_or(Problem::NotFound("404 User Not Found"))?;
    Ok(Reply::object(&profile(ask.world, user)))
}

/// A user as a job shows one: the profile without what the asking user is to them.
pub fn in_job(world: &World, id: Id) -> Option<Value> {
    let mut body = profile(world, world.users.get(&id)?);
    body.as_object_mut()?.remove("is_followed");
    Some(body)
}

fn profile(world: &World, user: &User) -> Value {
    let mut body = json!(UserBasic::of(world, user.id));
    let more = json!({
        "public_email": "",
        "created_at": Millis(user.created_at),
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "organization": "",
        "job_title": "",
        "pronouns": null,
        "bot": is_bot(user.user_type),
        "work_information": null,
        "followers": 0,
        "following": 0,
        "is_followed": false,
        "local_time": null,
    });
    merge(&mut body, more);
    body
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// `GET /user`: the account behind the token.
pub fn current(ask: &Ask<'_>) -> Answer {
    let id = ask.viewer.user_id;
    let user = ask.world.users.get(&id).ok_or(Problem::NotFound("404 User Not Found"))?;
    let mut body = profile(ask.world, user);
    let more = json!({
        "last_sign_in_at": null,
        "confirmed_at": Millis(user.created_at),
        "last_activity_on": ask.world.now.date_naive(),
        "email": format!("{}@noreply.example.com", user.username),
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "current_sign_in_at": null,
        "identities": [],
        "can_create_group": false,
        "can_create_project": false,
        "two_factor_enabled": false,
        "external": false,
        "private_profile": false,
        "commit_email": format!("{}@noreply.example.com", user.username),
    });
    merge(&mut body, more);
    // GitLab tells it to administrators alone, in Admin Mode or not.
    if ask.world.admins.contains(&id) {
        merge(&mut body, json!({ "is_admin": true }));
    }
    Ok(Reply::object(&body))
}

const LIST: &[Declared] = &[
    given("active"),
    given("blocked"),
    given("created_after"),
    given("created_before"),
    given("exclude_external"),
    given("humans"),
    or("order_by", "id"),
    given("pagination"),
    given("search"),
    or("sort", "desc"),
    given("username"),
    given("without_project_bots"),
];

/// `GET /users`, newest first: for an administrator with everything, for all others as users stand inside other rows.
/// By keyset over the id, or by offset.
pub fn list(ask: &Ask<'_>) -> Answer {
    let mut rows: Vec<&User> = ask.world.users.values().collect();
    filter(ask, &mut rows)?;
    if ask.query.word("sort", &["desc", "asc"])? == "desc" {
        rows.reverse();
    }
    if ask.query.get("pagination") == Some("keyset") {
        return by_keyset(ask, &rows);
    }
    let page = ask.bounded_page(rows.len(), "User")?;
    ask.paged(LIST, page, &rows, |user| listed(ask, user))
}

fn filter(ask: &Ask<'_>, rows: &mut Vec<&User>) -> Result<(), Problem> {
    let query = &ask.query;
    let (active, blocked) = (query.switch("active", false)?, query.switch("blocked", false)?);
    let (humans, no_bots) = (query.switch("humans", false)?, query.switch("without_project_bots", false)?);
    let (after, before) = (query.time("created_after")?, query.time("created_before")?);
    let search = query.get("search").unwrap_or_default().to_lowercase();
    rows.retain(|user| {
        (!active || user.state == "active")
            && (!blocked || user.state == "blocked")
            && (!humans || user.user_type == UserType::Human)
            && (!no_bots || user.user_type != UserType::ProjectBot)
            && after.is_none_or(|time| user.created_at >= time)
            && before.is_none_or(|time| user.created_at <= time)
            && query.get("username").is_none_or(|name| user.username.eq_ignore_ascii_case(name))
            && format!("{} {}", user.name, user.username).to_lowercase().contains(&search)
    });
    Ok(())
}

/// The cursor is the id of the last user.
fn by_keyset(ask: &Ask<'_>, rows: &[&User]) -> Answer {
    if !matches!(ask.query.get("order_by"), None | Some("id")) {
        return Err(Problem::NoKeyset);
    }
    let size = page_size(ask)?;
    let after = ask.query.number("cursor")?;
    let begin = after.and_then(|id| rows.iter().position(|user| user.id == id)).map_or(0, |at| at + 1);
    let page = &rows[begin..rows.len().min(begin + size)];
    let mut reply = Reply::object(&page.iter().map(|user| listed(ask, user)).collect::<Vec<_>>());
    reply.items = page.len();
    let Some(last) = page.last() else { return Ok(reply) };
    let own = [("cursor", last.id.to_string()), ("per_page", size.to_string())];
    Ok(reply.with_header("link", format!("<{}>; rel=\"next\"", ask.link(LIST, &own))))
}

/// Whether the token may read everything, as administrators may: where there is Admin Mode, only in it.
fn reads_everything(ask: &Ask<'_>) -> bool {
    let in_admin_mode = ask.token.scopes.iter().any(|it| it == "admin_mode");
    ask.world.admins.contains(&ask.viewer.user_id) && (in_admin_mode || !ask.settings.admin_mode)
}

fn listed(ask: &Ask<'_>, user: &User) -> Value {
    if !reads_everything(ask) {
        return json!(UserBasic::of(ask.world, user.id));
    }
    let mut body = profile(ask.world, user);
    let more = json!({
        "email": ask.world.email(user.id),
        "commit_email": ask.world.email(user.id),
        "is_admin": ask.world.admins.contains(&user.id),
        "is_auditor": false,
        "note": null,
        "namespace_id": ask.world.namespace_id(Namespace::User(user.id)),
        "created_by": null,
        "last_activity_on": ask.world.now.date_naive(),
        "last_sign_in_at": null,
        "current_sign_in_at": null,
        "current_sign_in_ip": null,
        "last_sign_in_ip": null,
        "confirmed_at": Millis(user.created_at),
        "identities": [],
        "projects_limit": 100_000,
        "theme_id": 3,
        "color_scheme_id": 1,
        "can_create_group": false,
        "can_create_project": true,
        "two_factor_enabled": false,
        "external": false,
        "private_profile": false,
        "using_license_seat": true,
        "sign_in_count": 0,
    });
    merge(&mut body, more);
    body
}
