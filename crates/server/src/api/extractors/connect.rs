//! `extractors.connect`

use axum::extract::State;
use catalogue::Connector;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::remote::protocol;
use store::{ExtractorRow, Greeting, Unwelcome};
use sync::connection::Settings;

use super::process::{Extractor, agrees};
use crate::api::arguments::{Arguments, Takes};
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError};
use crate::{Shared, moment};

/// Letters of a name at most.
const LONGEST: usize = 100;

/// An extractor that comes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ExtractorConnect)]
pub(crate) struct Connect {
    /// Its EXTRACTOR_ID.
    extractor: String,
    /// A word of 16 to 64 letters and digits that tells this process from those before it.
    session: String,
    /// What both sides have to agree upon.
    protocol: String,
    /// Version of the program.
    version: String,
    /// The GitLab that it reads.
    base_url: String,
    /// The connectors that it runs.
    connectors: Vec<String>,
    /// Whether it is only to be said whether it would be let in.
    #[serde(default)]
    check: bool,
}

impl Takes for Connect {
    const NAMES: &'static [&'static str] =
        &["extractor", "session", "protocol", "version", "base_url", "connectors", "check"];
}

/// An extractor that was let in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ExtractorConnected)]
pub(crate) struct Connected {
    /// What everything is to be called that it holds, at the beginning.
    owner: String,
    /// What both sides agree upon.
    protocol: String,
    /// Version of this Weir.
    version: String,
    /// The time here, by which the extractor goes.
    #[serde(serialize_with = "moment::serialize")]
    now: DateTime<Utc>,
    /// Numbers of its connections.
    connections: Vec<i64>,
}

/// Lets an extractor in, and makes the connections that it has never had. Of use to `weir extract` alone.
///
/// Needs the scope `extractors:run`.
#[utoipa::path(post, path = "/api/extractors.connect", tag = "extractors", request_body = Connect, responses((status = 200, body = Connected)))]
pub(crate) async fn connect(
    State(app): State<Shared>,
    Extractor(caller): Extractor,
    arguments: Arguments<Connect>,
) -> Answer<Connected> {
    let given = arguments.given;
    agrees(&given.protocol, &printable(&given.version))?;
    checked_name("extractor", &given.extractor)?;
    check_session(&given.session)?;
    let settings = Settings::parse(&json!({ "base_url": given.base_url }))?;
    let connectors = connectors(&given.connectors)?;
    let new = new_connections(&settings, &connectors);
    let now = app.clock.now();
    let greeting = Greeting {
        name: &given.extractor,
        session: &given.session,
        version: &printable(&given.version),
        base_url: settings.base_url.as_str(),
        connectors: &connectors,
        settings: &new,
        check: given.check,
    };
    let greeted = app.store.greet_extractor(caller.key(), &greeting, now).await?.map_err(unwelcome)?;
    let (mut owner, mut connections) = (String::new(), Vec::new());
    if let Some(extractor) = greeted.as_ref().filter(|_| !given.check) {
        connections = lay_out(&app, extractor).await?;
        owner = extractor.owner(&given.session);
        let detail = json!({ "extractor": extractor.name, "version": extractor.version });
        caller.note(&app, "extractors.connect", None, None, detail).await?;
    }
    Ok(Envelope::new(Connected {
        owner,
        protocol: protocol(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: app.clock.now(),
        connections,
    })
    .warn(arguments.warnings))
}

/// A name of an extractor.
pub(crate) fn checked_name(field: &str, name: &str) -> Result<(), ApiError> {
    let fits = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(fits) {
        let reason = format!("it has to be 1 to {LONGEST} of the letters a to z, digits, - _ and .");
        return Err(ApiError::argument(field, reason));
    }
    Ok(())
}

fn check_session(session: &str) -> Result<(), ApiError> {
    if (16..=64).contains(&session.len()) && session.chars().all(|it| it.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(ApiError::argument("session", "it has to be 16 to 64 letters and digits"))
}

fn connectors(names: &[String]) -> Result<Vec<String>, ApiError> {
    let known = |name: &String| {
        let name: String = name.chars().take(40).collect();
        let connector = Connector::named(&name);
        connector
            .map(|it| it.name().to_owned())
            .ok_or_else(|| ApiError::argument("connectors", format!("there is no connector {name:?}")))
    };
    names.iter().map(known).collect()
}

/// Connections as they are made where there is none yet.
fn new_connections(settings: &Settings, connectors: &[String]) -> Value {
    let host = settings.base_url.as_str().split("://").last().unwrap_or_default();
    let one = |it: &String| json!({ "type": it, "name": format!("{it} of {host}") });
    json!({ "settings": settings.to_value(), "connections": connectors.iter().map(one).collect::<Vec<_>>() })
}

/// Lays out the tasks of its connections. Gives their numbers.
async fn lay_out(app: &Shared, extractor: &ExtractorRow) -> Result<Vec<i64>, ApiError> {
    let mut all = app.store.connections(None, i64::MAX).await?;
    all.retain(|it| it.extractor_id == Some(extractor.id) && extractor.connectors.contains(&it.connector));
    for connection in &all {
        let settings = Settings::parse(&connection.settings)?;
        sync::tasks::lay_out(&app.store, connection, &settings, app.clock.now()).await?;
    }
    Ok(all.iter().map(|it| it.id).collect())
}

fn printable(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(40).collect()
}

fn unwelcome(why: Unwelcome) -> ApiError {
    let refused = |message: String| ApiError::new(Code::ExtractorRefused, message);
    match why {
        Unwelcome::KeyOf(other) => refused(format!(
            "This API key belongs to the extractor {other:?}. weir api-key create --extractor makes one for another."
        )),
        Unwelcome::Taken => refused(
            "Another API key belongs to an extractor of this name. Give this one an EXTRACTOR_ID of its own, or make a key for that name with \
             weir api-key create --extractor."
                .to_owned(),
        ),
        Unwelcome::OtherGitlab(address) => refused(format!(
            "The extractor of this name reads {address}. Give one for another GitLab an EXTRACTOR_ID of its own."
        )),
        Unwelcome::Known => refused(
            "This Weir has read this GitLab already. Whoever may make connections names the extractor in connections.create first."
                .to_owned(),
        ),
        Unwelcome::WantsGitlab => ApiError::new(
            Code::GitlabConnectionRequired,
            "The connector gitlab comes first: the others hang on its projects and people.",
        ),
    }
}
