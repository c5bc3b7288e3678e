//! Webhooks of projects, of groups and of the instance: listed, made, changed, removed, tried out.

mod change;

use std::sync::LazyLock;

use axum::http::StatusCode;

use super::entities::hook::{hook as view, record as record_view};
use super::params::{Declared, path};
use super::{Answer, Ask, Endpoint, Problem, Reply};
use crate::hooks::{Delivery, Hook, HookOwner, Record, Trigger, trial as message_of};
use crate::settings::Edition;
use crate::world::access::{MAINTAINER, OWNER};

/// What is done by a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GET.
    Read,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// DELETE.
    Remove,
}

/// Where hooks are, by the template that follows `/api/v4`.
pub const PLACES: [&str; 3] = ["/projects/{id}/hooks", "/groups/{id}/hooks", "/hooks"];

/// Every endpoint of a place that sends nothing to a receiver, by what follows the place.
pub const ENDPOINTS: &[(&str, Verb, Endpoint)] = &[
    ("", Verb::Read, list),
    ("", Verb::Create, change::create),
    ("/{hook_id}", Verb::Read, show),
    ("/{hook_id}", Verb::Update, change::update),
    ("/{hook_id}", Verb::Remove, remove),
];

/// The same of projects and groups alone: what was sent to system hooks is shown to nobody.
pub const ENDPOINTS_BUT_OF_SYSTEM: &[(&str, Verb, Endpoint)] = &[("/{hook_id}/events", Verb::Read, events)];

/// What sends a request to the receiver before it answers.
pub type Trial = fn(&Ask<'_>) -> Result<Delivery, Problem>;

/// Every endpoint that sends something, by its template.
pub static TRIALS: LazyLock<Vec<(String, Trial)>> = LazyLock::new(|| {
    let of_place = |place: &&str| {
        let trial: Trial = trial;
        let resend: Trial = resend;
        [
            (format!("{place}/{{hook_id}}/test/{{trigger}}"), trial),
            (format!("{place}/{{hook_id}}/events/{{event_id}}/resend"), resend),
        ]
    };
    let system: (String, Trial) = ("/hooks/{hook_id}".to_owned(), trial);
    PLACES[..2].iter().flat_map(of_place).chain([system]).collect()
});

/// `GET .../hooks`
pub fn list(ask: &Ask<'_>) -> Answer {
    let owner = owner(ask)?;
    let hooks = ask.hooks.of(owner);
    let rows: Vec<&Hook> = hooks.iter().collect();
    let declared: &[Declared] = if owner == HookOwner::System { &[] } else { &[path("id", "id")] };
    ask.paged(declared, ask.page(rows.len())?, &rows, |it| view(ask, it))
}

/// `GET .../hooks/:hook_id`
pub fn show(ask: &Ask<'_>) -> Answer {
    Ok(Reply::object(&view(ask, &hook(ask)?)))
}

/// `DELETE .../hooks/:hook_id`
pub fn remove(ask: &Ask<'_>) -> Answer {
    ask.hooks.remove(hook(ask)?.id);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Deliveries of a page at most; more are an error here.
const EVENTS_PER_PAGE: i64 = 20;

/// `GET .../hooks/:hook_id/events`: the latest deliveries, newest first. From 17.3 on.
pub fn events(ask: &Ask<'_>) -> Answer {
    if !ask.settings.is_at_least(17, 3) {
        return Err(Problem::NoRoute);
    }
    if ask.query.number("per_page")?.is_some_and(|it| it > EVENTS_PER_PAGE) {
        return Err(Problem::BadRequest("per_page does not have a valid value".to_owned()));
    }
    let hook = hook(ask)?;
    let wanted = ask.query.list("status").join(",");
    let rows: Vec<&Record> = hook.records.iter().rev().filter(|it| has_status(it, &wanted)).collect();
    let declared = [path("id", "id"), path("hook_id", "hook_id")];
    ask.paged(&declared, ask.page(rows.len())?, &rows, record_view)
}

/// A status is a number, or what such numbers mean.
fn has_status(record: &Record, wanted: &str) -> bool {
    let fits = |wanted: &str| match (wanted, record.status) {
        ("successful", status) => status.is_some_and(|it| (200..300).contains(&it)),
        ("client_failure", status) => status.is_some_and(|it| (400..500).contains(&it)),
        ("server_failure", status) => status.is_none_or(|it| it >= 500),
        (number, status) => status.is_some_and(|it| it.to_string() == number),
    };
    wanted.is_empty() || wanted.split(',').any(fits)
}

/// `POST .../hooks/:hook_id/test/:trigger`, and `POST /hooks/:hook_id`.
fn trial(ask: &Ask<'_>) -> Result<Delivery, Problem> {
    // Projects had it first.
    let minor = if ask.raw_path.starts_with("/api/v4/projects/") { (16, 11) } else { (17, 1) };
    if !ask.raw_path.starts_with("/api/v4/hooks/") && !ask.settings.is_at_least(minor.0, minor.1) {
        return Err(Problem::NoRoute);
    }
    let hook = hook(ask)?;
    let trigger = match hook.owner {
        HookOwner::System => Some(Trigger::System),
        _ => Trigger::of_flag(ask.part("trigger")).filter(|it| *it != Trigger::System),
    };
    let unknown = || Problem::BadRequest("trigger does not have a valid value".to_owned());
    let message = message_of(ask.world, ask.settings, &hook, trigger.ok_or_else(unknown)?);
    let message = message.map_err(Problem::refused)?;
    ask.hooks.single(ask.world, ask.settings, hook.id, &message).ok_or(NOT_FOUND)
}

/// `POST .../hooks/:hook_id/events/:hook_event_id/resend`
fn resend(ask: &Ask<'_>) -> Result<Delivery, Problem> {
    let hook = hook(ask)?;
    let id = ask.part("event_id").parse().ok();
    id.and_then(|id| ask.hooks.again(hook.id, id)).ok_or(NOT_FOUND)
}

const NOT_FOUND: Problem = Problem::NotFound("404 Not found");

/// Whose hooks the request is about, if the asking user may see them.
fn owner(ask: &Ask<'_>) -> Result<HookOwner, Problem> {
    let place = ask.raw_path.strip_prefix("/api/v4/").and_then(|it| it.split('/').next());
    match place {
        Some("projects") => of_project(ask),
        Some("groups") => of_group(ask),
        _ if ask.is_admin() => Ok(HookOwner::System),
        _ => Err(Problem::Forbidden),
    }
}

fn of_project(ask: &Ask<'_>) -> Result<HookOwner, Problem> {
    let project = ask.project()?;
    let level = ask.world.project_access_level(ask.viewer, project);
    match ask.is_admin() || level >= Some(MAINTAINER) {
        true => Ok(HookOwner::Project(project.id)),
        false => Err(Problem::Forbidden),
    }
}

/// Hooks of groups need Premium, and Community Edition does not know them.
fn of_group(ask: &Ask<'_>) -> Result<HookOwner, Problem> {
    if ask.settings.edition == Edition::Ce {
        return Err(Problem::NoRoute);
    }
    let group = ask.group()?;
    let level = ask.world.group_access_level(ask.viewer, group.id);
    let allowed = ask.is_admin() || level >= Some(OWNER);
    match allowed && ask.settings.edition == Edition::Premium {
        true => Ok(HookOwner::Group(group.id)),
        false => Err(Problem::Forbidden),
    }
}

fn hook(ask: &Ask<'_>) -> Result<Hook, Problem> {
    let owner = owner(ask)?;
    let id = ask.part("hook_id").parse().ok();
    id.and_then(|id| ask.hooks.get(id)).filter(|it| it.owner == owner).ok_or(NOT_FOUND)
}
