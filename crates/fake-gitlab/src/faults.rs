//! Disturbances on command: scripted answers, random faults, a blocked address, a token revoked in the middle, and
//! changes of the world while someone reads it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::rest::Reply;
use crate::state::lock;
use crate::world::model::World;

/// What can go wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 500 with GitLab's JSON.
    InternalError,
    /// 502 with a proxy's HTML.
    BadGateway,
    /// 503 with a proxy's HTML.
    Unavailable,
    /// The connection is reset before an answer.
    Reset,
    /// The right answer, cut off in the middle.
    CutBody,
    /// HTML with status 200.
    HtmlWithOk,
    /// Broken JSON with status 200.
    BrokenJson,
    /// No answer for as long as the plan says.
    Hang,
}

/// All kinds of faults.
pub const ALL_FAULTS: &[Fault] = &[
    Fault::InternalError,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::Reset,
    Fault::CutBody,
    Fault::HtmlWithOk,
    Fault::BrokenJson,
    Fault::Hang,
];

/// Faults that come at random.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FaultPlan {
    /// Share of requests that meet one, from 0 to 1.
    pub probability: f64,
    /// The kinds that come, each as likely as the others.
    pub kinds: Vec<Fault>,
    /// Makes them repeatable.
    #[serde(default)]
    pub seed: u64,
    /// How long a hanging request hangs.
    #[serde(default = "one_minute")]
    pub hang_seconds: f64,
}

fn one_minute() -> f64 {
    60.0
}

impl FaultPlan {
    /// These kinds, with this probability.
    pub fn new(probability: f64, kinds: &[Fault], seed: u64) -> Self {
        Self { probability, kinds: kinds.to_vec(), seed, hang_seconds: one_minute() }
    }
}

/// An exact answer to the next request.
#[derive(Debug, Clone)]
pub enum Scripted {
    /// This instead of the right answer.
    Reply(Reply),
    /// This fault.
    Fault(Fault),
}

impl Scripted {
    /// A status and a JSON body.
    pub fn json(status: u16, body: &str) -> Scripted {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Reply::json(status, &serde_json::Value::Null);
        reply.body = body.as_bytes().to_vec();
        Scripted::Reply(reply)
    }
}

/// A change of the world, made just before a request is served.
pub(crate) type Hook = Box<dyn FnOnce(&mut World) + Send>;
type EveryHook = Box<dyn FnMut(u64, &mut World) + Send>;

/// What disturbs the requests of a running fake.
#[derive(Default)]
pub struct Faults {
    plan: Mutex<Option<(FaultPlan, ChaCha8Rng)>>,
    scripted: Mutex<VecDeque<Scripted>>,
    aimed: Mutex<Vec<(String, Scripted)>>,
    awaited: Mutex<Vec<(String, Hook)>>,
    blocked: Mutex<bool>,
    revocations: Mutex<BTreeMap<u64, Vec<String>>>,
    hooks: Mutex<BTreeMap<u64, Vec<Hook>>>,
    every: Mutex<Option<EveryHook>>,
}

impl Faults {
    /// Starts random faults, or ends them.
    pub fn set_plan(&self, plan: Option<FaultPlan>) {
        *lock(&self.plan) = plan.map(|plan| {
            let rng = ChaCha8Rng::seed_from_u64(plan.seed);
            (plan, rng)
        });
    }

    /// Answers the next request of the API like this; several are answered in the order they were given.
    pub fn answer_next(&self, answer: Scripted) {
        lock(&self.scripted).push_back(answer);
    }

    /// Answers the next request with a status and a JSON body.
    pub fn answer_next_with(&self, status: u16, body: &str) {
        self.answer_next(Scripted::json(status, body));
    }

    /// From now on answers every request like this whose address or body contains the text, in which `*` stands for
    /// anything.
    pub fn aim(&self, text: impl Into<String>, answer: Scripted) {
        lock(&self.aimed).push((text.into(), answer));
    }

    /// Ends what was aimed.
    pub fn stop_aiming(&self) {
        lock(&self.aimed).clear();
    }

    pub(crate) fn aims(&self) -> bool {
        !lock(&self.aimed).is_empty() || !lock(&self.awaited).is_empty()
    }

    pub(crate) fn aimed_at(&self, request: &str) -> Option<Scripted> {
        lock(&self.aimed).iter().find(|(text, _)| is_like(request, text)).map(|(_, answer)| answer.clone())
    }

    /// Answers the next request with Rack::Attack's 429.
    pub fn too_many_requests_next(&self, retry_after_seconds: u64) {
        let reply = Reply::text(StatusCode::TOO_MANY_REQUESTS, "Retry later\n");
        self.answer_next(Scripted::Reply(reply.with_header("retry-after", retry_after_seconds.to_string())));
    }

    /// Answers the next request with this fault.
    pub fn fault_next(&self, fault: Fault) {
        self.answer_next(Scripted::Fault(fault));
    }

    /// Answers 403 to everything, as gitlab.com does to a blocked address.
    pub fn block_address(&self, blocked: bool) {
        *lock(&self.blocked) = blocked;
    }

    /// Revokes a token when the request with this number (from 1) arrives, before it is served.
    pub fn revoke_token_at(&self, request: u64, token: &str) {
        lock(&self.revocations).entry(request).or_default().push(token.to_owned());
    }

    /// Changes the world when the request with this number (from 1) arrives, before it is served.
    pub fn on_request(&self, request: u64, change: impl FnOnce(&mut World) + Send + 'static) {
        lock(&self.hooks).entry(request).or_default().push(Box::new(change));
    }

    /// Changes the world when the first request arrives whose address or body contains the text, in which `*` stands for
    /// anything, before it is served.
    pub fn on_request_like(&self, text: impl Into<String>, change: impl FnOnce(&mut World) + Send + 'static) {
        lock(&self.awaited).push((text.into(), Box::new(change)));
    }

    /// The changes that were to come with a request like this.
    pub(crate) fn awaited_by(&self, request: &str) -> Vec<Hook> {
        let like = |(text, _): &mut (String, Hook)| is_like(request, text);
        lock(&self.awaited).extract_if(.., like).map(|(_, change)| change).collect()
    }

    /// Changes the world before every request; the change is handed the request's number.
    pub fn on_every_request(&self, change: impl FnMut(u64, &mut World) + Send + 'static) {
        *lock(&self.every) = Some(Box::new(change));
    }

    /// Forgets every change that was to come with a request.
    pub fn stop_hooks(&self) {
        lock(&self.hooks).clear();
        lock(&self.awaited).clear();
        *lock(&self.every) = None;
    }

    pub(crate) fn tokens_to_revoke(&self, request: u64) -> Vec<String> {
        lock(&self.revocations).remove(&request).unwrap_or_default()
    }

    /// Whether anything wants to change the world at this request.
    pub(crate) fn wants_the_world(&self, request: u64) -> bool {
        lock(&self.hooks).contains_key(&request) || lock(&self.every).is_some()
    }

    pub(crate) fn change_the_world(&self, request: u64, world: &mut World) {
        for change in lock(&self.hooks).remove(&request).unwrap_or_default() {
            change(world);
        }
        if let Some(change) = lock(&self.every).as_mut() {
            change(request, world);
        }
    }

    pub(crate) fn is_blocked(&self) -> bool {
        *lock(&self.blocked)
    }

    /// What the next request meets, if anything.
    pub(crate) fn next(&self) -> Option<Scripted> {
        lock(&self.scripted).pop_front().or_else(|| self.at_random().map(Scripted::Fault))
    }

    fn at_random(&self) -> Option<Fault> {
        let mut plan = lock(&self.plan);
        let (plan, rng) = plan.as_mut()?;
        let met = !plan.kinds.is_empty() && rng.random_bool(plan.probability.clamp(0.0, 1.0));
        met.then(|| plan.kinds[rng.random_range(0..plan.kinds.len())])
    }

    pub(crate) fn hang(&self) -> Duration {
        let seconds = lock(&self.plan).as_ref().map_or(one_minute(), |(plan, _)| plan.hang_seconds);
        Duration::from_secs_f64(seconds.max(0.0))
    }
}

/// Whether a request contains a text in which `*` stands for anything.
fn is_like(request: &str, text: &str) -> bool {
    let after = |rest: &'_ str, part: &str| rest.find(part).map(|at| at + part.len());
    let mut rest = request;
    text.split('*').all(|part| after(rest, part).map(|at| rest = &rest[at..]).is_some())
}

/// The answer of a fault that replaces the right one; none for those that spoil the connection or the body.
pub(crate) fn replacement(fault: Fault) -> Option<Reply> {
    const PAGE: &str = "<html>\r\n<head><title>Error</title></head>\r\n<body>\r\n<center><h1>GitLab is not \
                        responding</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let broken = || {
        let mut reply = Reply::json(StatusCode::OK, &serde_json::Value::Null);
        reply.body = br#"[{"id":1,"title":"#.to_vec();
        reply
    };
    match fault {
        Fault::InternalError => {
            let body = serde_json::json!({ "message": "500 Internal Server Error" });
            Some(Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &body))
        }
        Fault::BadGateway => Some(Reply::html(StatusCode::BAD_GATEWAY, PAGE)),
        Fault::Unavailable => Some(Reply::html(StatusCode::SERVICE_UNAVAILABLE, PAGE)),
        Fault::HtmlWithOk => Some(Reply::html(StatusCode::OK, PAGE)),
        Fault::BrokenJson => Some(broken()),
        Fault::Reset | Fault::CutBody | Fault::Hang => None,
    }
}
