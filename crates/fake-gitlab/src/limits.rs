//! The two unrelated limiters of GitLab: Rack::Attack over everything, with headers, and the application limits of
//! single endpoints, without. Windows are fixed and run on real time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use serde_json::json;

use crate::rest::Reply;
use crate::state::lock;
use crate::world::model::Time;

/// So many requests in a window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Requests allowed in one window.
    pub limit: u64,
    /// Length of a window.
    pub period: Duration,
}

/// Which limits are on. None is by default.
#[derive(Debug, Clone, Default)]
pub struct LimitSettings {
    /// Requests of one user, whatever the token (`throttle_authenticated_api`).
    pub per_user: Option<Throttle>,
    /// All requests of one address (`throttle_unauthenticated_api` shows for those without a token).
    pub per_address: Option<Throttle>,
    /// Application limits by GitLab's key, such as `groups_api`; counted per user.
    pub application: HashMap<String, Throttle>,
}

impl LimitSettings {
    /// What gitlab.com enforces.
    pub fn gitlab_com() -> Self {
        let minute = |limit| Throttle { limit, period: Duration::from_secs(60) };
        let ten = |limit| Throttle { limit, period: Duration::from_secs(600) };
        let keys = [
            ("groups_api", minute(50)),
            ("group_api", minute(400)),
            ("group_projects_api", minute(600)),
            ("projects_api", ten(2_000)),
            ("project_api", minute(400)),
            ("project_members_api", minute(200)),
            ("jobs_index", minute(600)),
            ("users_get_by_id", ten(300)),
            ("web_hook_test", minute(5)),
            ("web_hook_event_resend", minute(5)),
        ];
        let application = keys.into_iter().map(|(key, limit)| (key.to_owned(), limit)).collect();
        Self { per_user: Some(minute(2_000)), per_address: Some(minute(2_000)), application }
    }
}

/// The application limiter's key of an endpoint.
pub fn key_of(template: &str) -> Option<&'static str> {
    match template {
        "/groups" => Some("groups_api"),
        "/groups/{id}" => Some("group_api"),
        "/groups/{id}/projects" => Some("group_projects_api"),
        "/projects" => Some("projects_api"),
        "/projects/{id}" => Some("project_api"),
        "/projects/{id}/members/all" => Some("project_members_api"),
        "/projects/{id}/jobs" => Some("jobs_index"),
        "/users/{id}" => Some("users_get_by_id"),
        _ if template.ends_with("/hooks/{hook_id}/test/{trigger}") => Some("web_hook_test"),
        _ if template.ends_with("/events/{event_id}/resend") => Some("web_hook_event_resend"),
        _ => None,
    }
}

/// Counts requests in fixed windows.
#[derive(Debug)]
pub struct Limits {
    settings: Mutex<LimitSettings>,
    started: Instant,
    /// Window number and requests in it, by limit and whom it counts.
    windows: Mutex<HashMap<(String, String), (u128, u64)>>,
    /// Requests counted by the throttle per user, of all users together, by window.
    by_window: Mutex<BTreeMap<u128, u64>>,
}

/// Where a request stands against a throttle.
#[derive(Debug, Clone)]
pub struct Standing {
    name: &'static str,
    throttle: Throttle,
    observed: u64,
    /// Until the window ends.
    left: Duration,
}

impl Standing {
    /// Whether this request is one too many.
    pub fn is_over(&self) -> bool {
        self.observed > self.throttle.limit
    }

    fn remaining(&self) -> u64 {
        self.throttle.limit.saturating_sub(self.observed)
    }

    /// Whole seconds until the window ends, at least one.
    fn retry_after(&self) -> u64 {
        (self.left.as_millis().div_ceil(1_000) as u64).max(1)
    }

    /// The `RateLimit-*` headers. The limit is scaled to a minute; the reset is on the instance's own clock.
    pub fn headers(&self, now: Time) -> Vec<(&'static str, String)> {
        let millis = self.throttle.period.as_millis().max(1);
        let scaled = (u128::from(self.throttle.limit) * 60_000).div_ceil(millis);
        let reset = now.timestamp() + self.retry_after() as i64;
        let mut headers = vec![
            ("ratelimit-limit", scaled.to_string()),
            ("ratelimit-name", self.name.to_owned()),
            ("ratelimit-observed", self.observed.to_string()),
            ("ratelimit-remaining", self.remaining().to_string()),
            ("ratelimit-reset", reset.to_string()),
        ];
        if self.is_over() {
            headers.push((
                "ratelimit-resettime",
                http_date(now + TimeDelta::seconds(self.retry_after() as i64)),
            ));
            headers.push(("retry-after", self.retry_after().to_string()));
        }
        headers
    }
}

/// A moment as HTTP writes it.
pub fn http_date(time: Time) -> String {
    let whole = DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time);
    whole.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Limits {
    /// With these settings, none of them used up.
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            settings: Mutex::new(settings),
            started: Instant::now(),
            windows: Mutex::default(),
            by_window: Mutex::default(),
        }
    }

    /// Replaces the settings and forgets what was counted.
    pub fn set(&self, settings: LimitSettings) {
        *lock(&self.settings) = settings;
        lock(&self.windows).clear();
    }

    /// Counts a request; says where it stands against the most restrictive throttle that is on.
    pub fn count(&self, user: Option<&str>, address: &str) -> Option<Standing> {
        let settings = lock(&self.settings).clone();
        let of_user = settings.per_user.zip(user);
        let of_user = of_user.map(|(it, user)| self.hit("throttle_authenticated_api", it, user));
        let name = if user.is_some() { "throttle_authenticated_web" } else { "throttle_unauthenticated_api" };
        let of_address = settings.per_address.map(|it| self.hit(name, it, address));
        of_user.into_iter().chain(of_address).min_by_key(|it| (!it.is_over(), it.remaining()))
    }

    /// Requests that met the throttle per user, of all users together, in each of its windows from the first that had
    /// any to the last.
    pub fn requests_by_window(&self) -> Vec<u64> {
        let counts = lock(&self.by_window);
        let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value()) else {
            return Vec::new();
        };
        (*first..=*last).map(|window| counts.get(&window).copied().unwrap_or_default()).collect()
    }

    fn hit(&self, name: &'static str, throttle: Throttle, whom: &str) -> Standing {
        // All requests of an address share one count, whatever name the header shows.
        let counted = if name == "throttle_authenticated_api" { name } else { "address" };
        let (observed, left) = self.add(counted, throttle, whom);
        if counted != "address" {
            let window = self.started.elapsed().as_nanos() / throttle.period.as_nanos().max(1);
            *lock(&self.by_window).entry(window).or_default() += 1;
        }
        Standing { name, throttle, observed, left }
    }

    fn add(&self, name: &str, throttle: Throttle, whom: &str) -> (u64, Duration) {
        let period = throttle.period.as_nanos().max(1);
        let elapsed = self.started.elapsed().as_nanos();
        let window = elapsed / period;
        let left = Duration::from_nanos((period - elapsed % period) as u64);
        let mut windows = lock(&self.windows);
        let count = windows.entry((name.to_owned(), whom.to_owned())).or_insert((window, 0));
        if count.0 != window {
            *count = (window, 0);
        }
        count.1 += 1;
        (count.1, left)
    }

    /// Counts a request against its endpoint's own limit; the answer, if it is one too many. `say_when` adds
    /// `Retry-After`, the whole interval as GitLab does.
    pub fn check_application(&self, template: &str, user: &str, say_when: bool) -> Result<(), Reply> {
        let Some(key) = key_of(template) else { return Ok(()) };
        let Some(throttle) = lock(&self.settings).application.get(key).copied() else { return Ok(()) };
        let (observed, _) = self.add(key, throttle, user);
        if observed <= throttle.limit {
            return Ok(());
        }
        let error = "This endpoint has been requested too many times. Try again later.";
        let reply = Reply::json(StatusCode::TOO_MANY_REQUESTS, &json!({ "message": { "error": error } }));
        let whole = throttle.period.as_secs().max(1).to_string();
        Err(if say_when { reply.with_header("retry-after", whole) } else { reply })
    }
}
