//! `queries.run`

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::QueryLimits;

use super::arguments::{Arguments, Takes, optional_number};
use super::caller::Caller;
use super::envelope::Envelope;
use super::error::{ApiError, Code};
use super::{Answer, Scope};
use crate::Shared;

/// Rows, unless told otherwise, and at most.
const ROWS: i64 = 10_000;
const MOST_ROWS: i64 = 100_000;
/// Seconds, unless told otherwise, and at most.
const SECONDS: i64 = 30;
const MOST_SECONDS: i64 = 300;

/// What is said where queries would have the rights of Weir itself.
const NO_READER: &str = "Queries are off: they run as a role that reads, and none is known for this database. Name one in \
                         WEIR_READER_DATABASE_URL.";

/// Letters of a question that are written down.
const NOTED: usize = 2000;

/// A question in SQL.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Query)]
pub(crate) struct Run {
    /// One statement that reads.
    #[schema(min_length = 1)]
    sql: String,
    /// Rows at most: 10,000 unless told otherwise, up to 100,000.
    #[serde(default, deserialize_with = "optional_number")]
    #[schema(minimum = 1, maximum = 100000)]
    max_rows: Option<i64>,
    /// Seconds at most: 30 unless told otherwise, up to 300.
    #[serde(default, deserialize_with = "optional_number")]
    #[schema(minimum = 1, maximum = 300)]
    timeout_seconds: Option<i64>,
}

impl Takes for Run {
    const NAMES: &'static [&'static str] = &["sql", "max_rows", "timeout_seconds"];
}

/// What a question gave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = QueryRows)]
pub(crate) struct Rows {
    /// Names of the columns, in order.
    columns: Vec<String>,
    /// Rows of values, in that order.
    #[schema(value_type = Vec<Vec<Object>>)]
    rows: Vec<Vec<Value>>,
    /// Whether there are more rows than were asked for.
    truncated: bool,
}

/// Asks a question in SQL of everything that was imported. It can read and nothing else, and sees no secrets.
///
/// Needs the scope `queries:run`.
#[utoipa::path(post, path = "/api/queries.run", tag = "queries", request_body = Run, responses((status = 200, body = Rows)))]
pub(crate) async fn run(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Run>,
) -> Answer<Rows> {
    caller.may(Scope::QueriesRun)?;
    let Run { sql, max_rows, timeout_seconds } = arguments.given;
    if sql.trim().is_empty() {
        return Err(ApiError::missing("sql"));
    }
    let rows = within("max_rows", max_rows, ROWS, MOST_ROWS)?;
    let seconds = within("timeout_seconds", timeout_seconds, SECONDS, MOST_SECONDS)?;
    let shown: String = sql.chars().take(NOTED).collect();
    caller.note(&app, "queries.run", None, None, json!({ "sql": shown })).await?;
    let limits = QueryLimits { rows, time: Duration::from_secs(seconds.unsigned_abs()) };
    let reader = app.reader.as_ref().ok_or_else(|| ApiError::new(Code::QueriesDisabled, NO_READER))?;
    let result = reader.query_within(&sql, limits).await.map_err(|error| match error.complaint() {
        Some(complaint) if complaint.code == "57014" => ApiError::new(
            Code::QueryFailed,
            format!("The query took longer than {seconds} seconds and was ended."),
        ),
        Some(complaint) => ApiError::new(Code::QueryFailed, complaint.message),
        None => error.into(),
    })?;
    let truncated = result.rows.len() as i64 > rows;
    let mut result = result;
    result.rows.truncate(usize::try_from(rows).unwrap_or(usize::MAX));
    Ok(Envelope::new(Rows { columns: result.columns, rows: result.rows, truncated }).warn(arguments.warnings))
}

fn within(field: &str, given: Option<i64>, usual: i64, most: i64) -> Result<i64, ApiError> {
    let given = given.unwrap_or(usual);
    if (1..=most).contains(&given) {
        return Ok(given);
    }
    Err(ApiError::argument(field, format!("it is not between 1 and {most}")))
}
