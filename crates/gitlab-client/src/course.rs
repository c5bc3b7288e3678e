//! The course of one request over all its attempts: whose turn it is, what an answer means for
//! the credentials and the server, and whether to try again.

use std::time::Duration;

use tokio::time::Instant;

use crate::call::Call;
use crate::client::Inner;
use crate::error::{Error, ErrorKind, ForbiddenReason, UnauthorizedReason};
use crate::exchange::Received;
use crate::limits::Limits;
use crate::network::{Broken, NetworkFailure, classify, innermost};
use crate::observer::Event;
use crate::pool::Ticket;
use crate::redirect::{self, Redirect};
use crate::refusal;
use crate::status::{Meaning, meaning, unknown_endpoint};
use crate::turn::wanted;

const MOST_REDIRECTS: u32 = 3;
/// What a user is told who may not see something that is there.
const OTHERWISE_FORBIDDEN: ErrorKind = ErrorKind::Forbidden { reason: ForbiddenReason::Other };

/// How far a request has come.
#[derive(Default)]
pub(crate) struct Course {
    failures: u32,
    redirects: u32,
    pub(crate) waited: Duration,
    /// Credentials that were refused this request.
    pub(crate) refused: Vec<usize>,
    /// What the last of them was told.
    pub(crate) refusal: Option<Error>,
}

/// What happens after an attempt.
enum Step {
    Done(Received),
    Failed(Error),
    Again,
    After(Duration),
}

/// An answer and who asked for it.
pub(crate) struct Outcome {
    pub(crate) received: Received,
    pub(crate) limits: Limits,
    pub(crate) credential: crate::auth::CredentialId,
    pub(crate) moved: bool,
}

impl Inner {
    /// Sends a request until it is answered for good.
    pub(crate) async fn run(&self, call: &mut Call) -> Result<Outcome, Error> {
        let mut course = Course::default();
        loop {
            let (permit, ticket) =
                self.turn(call, &mut course).await.map_err(|error| self.finish(error, call))?;
            let attempt = self.exchange(call, &ticket).await;
            drop(permit);
            let (step, limits) = self.judge(call, &mut course, &ticket, attempt).await;
            let credential = ticket.id.clone();
            drop(ticket);
            match step {
                Step::Done(received) => {
                    return Ok(Outcome { received, limits, credential, moved: course.redirects > 0 });
                }
                Step::Failed(error) => {
                    return Err(self.finish(Error { credential: Some(credential), ..error }, call));
                }
                Step::Again => {}
                Step::After(delay) => {
                    self.counters.retried();
                    self.observer.note(Event::Retried);
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    async fn judge(
        &self,
        call: &mut Call,
        course: &mut Course,
        ticket: &Ticket,
        attempt: Result<Received, Broken>,
    ) -> (Step, Limits) {
        let received = match attempt {
            Ok(received) => received,
            Err(broken) => return (self.broken(call, course, ticket, broken), Limits::default()),
        };
        let limits = Limits::read(&received.headers, self.clock.now());
        self.learn(ticket, &limits).await;
        let (status, request_id) = (received.status, request_id(&received));
        let meaning = meaning(status, &received.headers, &received.body, ticket.kind, &call.endpoint);
        let step = match self.act(call, course, ticket, meaning, received, &limits).await {
            Step::Failed(error) => Step::Failed(Error { status: Some(status), request_id, ..error }),
            Step::Again => {
                course.refused_with(status, request_id);
                Step::Again
            }
            step => step,
        };
        (step, limits)
    }

    /// Takes note of the headers. That a window is used up concerns those who share the token.
    async fn learn(&self, ticket: &Ticket, limits: &Limits) {
        let now = Instant::now();
        self.pool.learn(ticket, limits, now);
        if let Some(remaining) = limits.remaining {
            self.observer.note(Event::Remaining(&ticket.id, remaining));
        }
        if let (Some(0), Some(reset_in)) = (limits.remaining, limits.reset_in) {
            self.tell_pause(ticket, None, now + reset_in).await;
        }
    }

    async fn tell_pause(&self, ticket: &Ticket, endpoint: Option<&str>, until: Instant) {
        self.observer.note(Event::Paused(&ticket.id, until.saturating_duration_since(Instant::now())));
        let key = self.gate_key(self.pool.whose_is(ticket));
        self.gate_store.pause(&key, endpoint, self.time_of(until)).await;
    }

    /// One arm per meaning: what it says about credentials and server, and what happens next.
    async fn act(
        &self,
        call: &mut Call,
        course: &mut Course,
        ticket: &Ticket,
        meaning: Meaning,
        received: Received,
        limits: &Limits,
    ) -> Step {
        match meaning {
            Meaning::Good => {
                self.pool.passed(ticket, &call.endpoint, true);
                self.pace.answered(&call.what, received.body.len(), received.latency);
                Step::Done(received)
            }
            Meaning::NotModified => {
                self.pool.passed(ticket, &call.endpoint, true);
                self.counters.not_modified();
                Step::Done(received)
            }
            Meaning::Final(kind, message) => {
                self.pool.passed(ticket, &call.endpoint, false);
                let unknown_endpoint = unknown_endpoint(received.status, &received.body);
                self.unseen(call, course, ticket, Error { unknown_endpoint, ..Error::new(kind, message) })
            }
            Meaning::Moved => self.moved(call, course, ticket, &received),
            Meaning::Limited { endpoint_only } => self.limited(call, ticket, limits, endpoint_only).await,
            Meaning::BadToken(reason) => {
                self.pool.disable(ticket, reason);
                course.refused_by(ticket, refusal::bad_token(reason))
            }
            Meaning::Unauthenticated => self.unauthenticated(call, course, ticket),
            Meaning::JobTokenRefused => self.job_token_refused(course, ticket),
            Meaning::LacksScope(needed) => {
                self.pool.passed(ticket, &call.endpoint, true);
                self.pool.lacks_scope(ticket, &call.endpoint, &needed);
                course.refused_by(ticket, refusal::lacks_scope(needed))
            }
            Meaning::ForeignForbidden => self.foreign_forbidden(call, course, ticket),
            Meaning::Failing => {
                self.pace.failed(ticket.sent, Instant::now());
                let message = format!("{} is in trouble (status {}).", self.host, received.status);
                self.again(call, course, limits.retry_after, Error::new(ErrorKind::Unavailable, message))
            }
            Meaning::Unreadable(why) => {
                let message = format!("the answer of {} cannot be read: {why}.", self.host);
                self.again(call, course, None, refusal::unreadable(message))
            }
        }
    }

    /// What one user may not see another may: only when none sees it is that the answer. That it is forbidden to one of them
    /// says more than that it is not there for the others.
    fn unseen(&self, call: &Call, course: &mut Course, ticket: &Ticket, error: Error) -> Step {
        let hidden = matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden { .. });
        if !hidden || error.unknown_endpoint {
            return Step::Failed(error);
        }
        let same_user = self.pool.of_one_user(ticket.slot, &wanted(call, course));
        let forbidden = course.refusal.take_if(|it| it.kind == OTHERWISE_FORBIDDEN);
        let error = forbidden.filter(|_| error.kind == ErrorKind::NotFound).unwrap_or(error);
        let Some(same_user) = same_user else { return Step::Failed(error) };
        course.refused.extend(same_user);
        course.refused_by(ticket, error)
    }

    fn moved(&self, call: &mut Call, course: &mut Course, ticket: &Ticket, received: &Received) -> Step {
        if call.body.is_some() {
            let sent = if call.writes() { "change" } else { "query" };
            return Step::Failed(refusal::unreadable(format!(
                "the server redirects a {sent}, which is not followed."
            )));
        }
        match redirect::judge(&received.headers, &call.url, &self.base, &self.allowed) {
            Redirect::Follow(_) if course.redirects == MOST_REDIRECTS => {
                Step::Failed(refusal::unreadable("the server redirects in circles."))
            }
            Redirect::Follow(url) => {
                course.redirects += 1;
                call.url = url;
                Step::Again
            }
            Redirect::SignIn => self.unauthenticated(call, course, ticket),
            Redirect::Refused(message) => Step::Failed(refusal::unreadable(message)),
        }
    }

    async fn limited(&self, call: &Call, ticket: &Ticket, limits: &Limits, endpoint_only: bool) -> Step {
        self.counters.rate_limited();
        let now = Instant::now();
        if endpoint_only {
            let told = limits.retry_after.filter(|it| !it.is_zero());
            let until = self.pool.endpoint_limited(ticket, &call.endpoint, told, now);
            self.tell_pause(ticket, Some(&call.endpoint), until).await;
        } else {
            let until = self.pool.limited(ticket, limits.wait(), now);
            self.tell_pause(ticket, None, until).await;
        }
        Step::Again
    }

    fn unauthenticated(&self, call: &Call, course: &mut Course, ticket: &Ticket) -> Step {
        self.pool.suspect(ticket, &call.endpoint);
        course.refused_by(ticket, refusal::bad_token(UnauthorizedReason::Unknown))
    }

    /// A job token that never worked is a bad one, or its job has ended.
    fn job_token_refused(&self, course: &mut Course, ticket: &Ticket) -> Step {
        let bad = || refusal::bad_token(UnauthorizedReason::Unknown);
        course.refused_by(ticket, if self.pool.has_worked(ticket) { refusal::job_token() } else { bad() })
    }

    fn foreign_forbidden(&self, call: &Call, course: &mut Course, ticket: &Ticket) -> Step {
        let what = format!("{} {}", call.url.path(), call.what);
        if self.pool.blocked(ticket, &what, Instant::now()) {
            return Step::Again;
        }
        self.again(call, course, None, refusal::foreign(&self.host))
    }

    fn broken(&self, call: &Call, course: &mut Course, ticket: &Ticket, broken: Broken) -> Step {
        let error = match broken {
            Broken::TooLarge(error) => {
                return Step::Failed(refusal::unreadable(format!("{error}.")));
            }
            Broken::Network(error) => error,
        };
        let failure = classify(&error);
        if matches!(failure, NetworkFailure::Timeout | NetworkFailure::Connection) {
            self.pace.failed(ticket.sent, Instant::now());
        }
        let mut named = refusal::unavailable(failure, &self.host);
        if failure.needs_its_cause() {
            named.message = format!("{} ({})", named.message, innermost(&error)).into();
        }
        named.source = Some(Box::new(error.without_url()));
        if failure.is_passing() { self.again(call, course, None, named) } else { Step::Failed(named) }
    }

    /// Tries again after a while, or gives up after so many attempts.
    fn again(&self, call: &Call, course: &mut Course, told: Option<Duration>, error: Error) -> Step {
        course.failures += 1;
        if course.failures >= call.attempts {
            return Step::Failed(error);
        }
        let told = told.map_or(Duration::ZERO, |told| told.min(self.retry.max));
        Step::After(self.retry.delay(course.failures).max(told))
    }

    fn finish(&self, error: Error, call: &Call) -> Error {
        let message = self.redactor.text(&error.message).into();
        Error { message, endpoint: Some(call.endpoint.clone()), ..error }
    }
}

impl Course {
    /// Another credential may fare better.
    fn refused_by(&mut self, ticket: &Ticket, error: Error) -> Step {
        self.refused.push(ticket.slot);
        self.refusal = Some(Error { credential: Some(ticket.id.clone()), ..error });
        Step::Again
    }

    fn refused_with(&mut self, status: u16, request_id: Option<Box<str>>) {
        if let Some(refusal) = self.refusal.as_mut().filter(|refusal| refusal.status.is_none()) {
            refusal.status = Some(status);
            refusal.request_id = request_id;
        }
    }
}

fn request_id(received: &Received) -> Option<Box<str>> {
    received.headers.get("x-request-id")?.to_str().ok().map(Into::into)
}
