//! `connections.create`

use axum::extract::State;
use catalogue::Connector;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::NewConnection;
use sync::connection::Settings;

use super::One;
use super::info::show;
use crate::Shared;
use crate::api::arguments::{Arguments, Takes};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::extractors::checked_name;
use crate::api::{Answer, ApiError, Scope};

/// Letters of a name at most.
const LONGEST: usize = 200;

/// A connection to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionCreate)]
pub(crate) struct Create {
    /// gitlab, gitlab_pipelines, gitlab_commits, gitlab_commits_trunk or gitlab_deployments.
    #[schema(pattern = "^(gitlab|gitlab_pipelines|gitlab_commits|gitlab_commits_trunk|gitlab_deployments)$")]
    r#type: String,
    /// What people call it; usually the connector and the host.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What is imported and how: base_url, groups, projects, exclude, since, ...; as usual where nothing is said.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The EXTRACTOR_ID of the extractor that reads for it, where the GitLab is in a network that may only call out.
    extractor: Option<String>,
}

impl Takes for Create {
    const NAMES: &'static [&'static str] = &["type", "name", "settings", "extractor"];
}

/// Makes a connection. It works once it has a credential.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.create", tag = "connections", request_body = Create, responses((status = 201, body = One)))]
pub(crate) async fn create(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Create>,
) -> Answer<One> {
    caller.may(Scope::ConnectionsWrite)?;
    let Create { r#type, name, settings, extractor } = arguments.given;
    let connector = Connector::named(&r#type).ok_or_else(|| unknown(&r#type))?;
    let settings = Settings::parse(&Value::Object(settings))?;
    let host = settings.base_url.as_str().split("://").last().unwrap_or_default();
    let name = checked(name)?.unwrap_or_else(|| format!("{} of {host}", connector.name()));
    let instance = app.store.instance(settings.base_url.as_str()).await?.number;
    if connector != Connector::Gitlab {
        wants_gitlab(&app, instance).await?;
    }
    if app.store.is_purging(connector.name(), instance).await? {
        return Err(ApiError::new(
            Code::ConnectionInUse,
            "What a deleted connection to this GitLab brought is being removed. Try again in a few minutes.",
        ));
    }
    let extractor = reader(&app, instance, extractor.as_deref()).await?;
    let settings = settings.to_value();
    let new = NewConnection { connector: connector.name(), name: &name, instance, settings: &settings };
    let row = app.store.create_connection(&new, app.clock.now()).await?;
    if let Some(extractor) = extractor {
        app.store.extract_connection(row.id, extractor).await?;
        let settings = Settings::parse(&row.settings)?;
        ::sync::tasks::lay_out(&app.store, &row, &settings, app.clock.now()).await?;
    }
    caller.note(&app, "connections.create", Some(row.id), None, json!({ "type": r#type })).await?;
    Ok(Envelope::created(show(&app, row.id).await?).warn(arguments.warnings))
}

/// Who is to read for the connection. One GitLab is read by one extractor, or by workers here: never by both.
async fn reader(app: &Shared, instance: i64, name: Option<&str>) -> Result<Option<i64>, ApiError> {
    let reader = match name {
        None => None,
        Some(name) => {
            checked_name("extractor", name)?;
            let extractor = app.store.extractor_named(name, instance, app.clock.now()).await?;
            if extractor.instance != instance {
                return Err(ApiError::argument("extractor", "it reads another GitLab"));
            }
            Some(extractor.id)
        }
    };
    let others = app.store.readers_of(instance).await?;
    if others.iter().all(|it| *it == reader) {
        return Ok(reader);
    }
    Err(ApiError::new(
        Code::ConnectionExtracted,
        "Another extractor, or this Weir itself, reads that GitLab already: one GitLab has one reader. Name the same in `extractor`, or \
         delete the other connections first.",
    ))
}

/// A name that people can read.
pub(super) fn checked(name: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(name) = name else { return Ok(None) };
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        return Err(ApiError::argument(
            "name",
            format!("it has to be 1 to {LONGEST} letters without line breaks"),
        ));
    }
    Ok(Some(name.to_owned()))
}

fn unknown(name: &str) -> ApiError {
    let known: Vec<&str> = Connector::ALL.iter().map(|it| it.name()).collect();
    let name: String = name.chars().take(40).collect();
    ApiError::argument("type", format!("there is no connector {name:?}; there are {}", known.join(", ")))
}

/// The other connectors hang on what the first one imports.
async fn wants_gitlab(app: &Shared, instance: i64) -> Result<(), ApiError> {
    if app.store.has_connection(Connector::Gitlab.name(), instance).await? {
        return Ok(());
    }
    Err(ApiError::new(
        Code::GitlabConnectionRequired,
        "A connection of type gitlab to the same base_url comes first: the others hang on its projects and people.",
    ))
}
