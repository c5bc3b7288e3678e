//! The refusals of each method: what a client has to expect besides success.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};

/// Of every method.
const ALWAYS: [(&str, &str); 5] = [
    ("401", "not_authed: there is no key; invalid_auth: it is unknown or was revoked."),
    ("403", "missing_scope: the key may not do this."),
    ("422", "An argument is missing or cannot be used, or what was asked for failed; `error` says which."),
    ("500", "internal: the log of Weir says why."),
    ("503", "database_unavailable: try again shortly."),
];
/// Of those that take a body.
const WITH_BODY: [(&str, &str); 5] = [
    ("400", "invalid_json: the body is no JSON object."),
    ("408", "request_timeout: the body came too slowly."),
    ("409", "It does not go together with what there is; `error` says why."),
    ("413", "request_too_large: the body is larger than 1 MiB."),
    ("415", "unsupported_media_type: the body is neither JSON nor a form, or compressed."),
];
/// Of those that a process of an extractor calls.
const OF_EXTRACTORS: (&str, &str) =
    ("409", "version_mismatch: it is of another build; extractor_replaced: another process has its place.");
/// Of those that name something.
const NAMING: (&str, &str) = ("404", "What is named is not there.");

/// Adds them.
pub(super) fn add(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, post, .. } = item;
        for operation in [get, post].into_iter().flatten() {
            let has_body = operation.request_body.is_some();
            ALWAYS.iter().for_each(|it| describe(operation, *it));
            if has_body {
                WITH_BODY.iter().for_each(|it| describe(operation, *it));
            }
            if path.contains("/extractors.") {
                describe(operation, OF_EXTRACTORS);
            }
            if has_body || path.contains('{') {
                describe(operation, NAMING);
            }
        }
    }
}

fn describe(operation: &mut Operation, (status, description): (&str, &str)) {
    let refusal = ContentBuilder::new().schema(Some(Ref::from_schema_name("Refusal"))).build();
    let response = ResponseBuilder::new().description(description).content("application/json", refusal);
    operation.responses.responses.insert(status.to_owned(), response.build().into());
}
