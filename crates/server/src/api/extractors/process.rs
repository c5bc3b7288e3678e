//! Which process of which extractor calls.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use store::remote::{Within, protocol};

use crate::Shared;
use crate::api::caller::Caller;
use crate::api::error::Code;
use crate::api::{ApiError, Scope};

/// The word of the calling process.
const SESSION: &str = "weir-session";
/// What it and this Weir have to agree upon.
const PROTOCOL: &str = "weir-protocol";
/// How often it has tried this call.
const ATTEMPT: &str = "weir-attempt";

/// A caller that may be an extractor. That is looked at before the body is read.
pub(crate) struct Extractor(pub(super) Caller);

impl FromRequestParts<Shared> for Extractor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Extractor, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.may(Scope::ExtractorsRun)?;
        Ok(Extractor(caller))
    }
}

/// A process of an extractor that has connected, with what it may touch.
pub(crate) struct Process(pub(super) Within);

impl FromRequestParts<Shared> for Process {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Process, ApiError> {
        let Extractor(caller) = Extractor::from_request_parts(parts, app).await?;
        let header = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let wanted = |name: &str| header(name).ok_or_else(|| ApiError::missing(name));
        let (protocol, session) = (wanted(PROTOCOL)?, wanted(SESSION)?);
        agrees(protocol, "another version")?;
        let again = header(ATTEMPT).and_then(|it| it.parse().ok()).unwrap_or(1) > 1;
        let within = app.store.extractor_within(caller.key(), session, app.clock.now()).await?;
        within.map(|it| Process(Within { again, ..it })).ok_or_else(|| {
            ApiError::new(
                Code::ExtractorReplaced,
                "This process is not connected as an extractor, or another one has connected in its place. Each needs an EXTRACTOR_ID of its own.",
            )
        })
    }
}

/// Refuses an extractor that was built from other operations or other rows than this Weir.
pub(super) fn agrees(theirs: &str, version: &str) -> Result<(), ApiError> {
    if theirs == protocol() {
        return Ok(());
    }
    let ours = env!("CARGO_PKG_VERSION");
    let message = format!(
        "This Weir is version {ours} ({}), the extractor is {version} ({theirs}): use weir {ours}, of the same build, for both.",
        protocol()
    );
    Err(ApiError::new(Code::VersionMismatch, message))
}
