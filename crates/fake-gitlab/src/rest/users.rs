//! Users.

use serde_json::{Value, json};

use super::entities::Millis;
use super::entities::user::{UserBasic, is_bot};
use super::{Answer, Ask, Problem, Reply};
use crate::world::model::{Id, User, World};

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
    Ok(Reply::object(&body))
}
