//! For clients that know only 200, 201, 409 and 422.

use axum::http::StatusCode;
use axum::response::Response;

/// Every other error of the caller as a 422; the code in the body tells which it is.
pub(super) async fn fold(mut response: Response) -> Response {
    let status = response.status();
    let kept = [StatusCode::CONFLICT, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::TOO_MANY_REQUESTS];
    if status.is_client_error() && !kept.contains(&status) {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}
