//! Lists come in pages.

use serde::{Deserialize, Serialize};

use super::arguments::optional_number;
use super::error::ApiError;

/// Elements of a page, unless told otherwise, and at most.
const USUAL: i64 = 100;
const MOST: i64 = 1000;

/// Which page of a list is wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Elements of a page: 1 to 1000.
    #[serde(default, deserialize_with = "optional_number")]
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

impl Wanted {
    pub(crate) fn limit(&self) -> Result<i64, ApiError> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::argument("limit", format!("it is not between 1 and {MOST}")));
        }
        Ok(limit)
    }

    /// Where the page begins: after this number.
    pub(crate) fn after(&self) -> Result<Option<i64>, ApiError> {
        let Some(cursor) = self.cursor.as_deref().filter(|it| !it.is_empty()) else { return Ok(None) };
        cursor.parse().map(Some).map_err(|_| wrong())
    }
}

pub(crate) fn wrong() -> ApiError {
    ApiError::argument("cursor", "it is not the next_cursor of an earlier page")
}

/// Where the next page begins; none after the last one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Next {
    /// Give it as `cursor` for the next page; null after the last one.
    pub(crate) next_cursor: Option<String>,
}

impl Next {
    /// Of rows of which one more than a page was asked for; the one too many is taken off.
    pub(crate) fn of<R>(rows: &mut Vec<R>, limit: i64, cursor: impl Fn(&R) -> String) -> Next {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Next { next_cursor: rows.last().filter(|_| more).map(cursor) }
    }
}
