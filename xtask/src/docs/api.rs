//! docs/api.md: the methods of the API, from its own description.

use std::fmt::Write;

use serde_json::{Map, Value};

const ABOVE: &str = "# The Data Cloud API

Served by `weir serve` below `/api`. Every request carries a key of `weir api-key create` as `Authorization: Bearer ...`. Bodies are JSON or
forms (`secrets[api_token]=...`). Every answer is an object with `ok`; with `ok` false it has `error`, one word that clients act upon,
`message`, a sentence for people, and where it helps `field`, `reason` and `curl`. `warnings` tells what a caller should know besides.
Lists come in pages: give `next_cursor` of one as `cursor` for the next. [openapi.json](openapi.json) says the same for programs.

| status | error |
|---|---|
| 200, 201 | none |
| 400 | `invalid_json` |
| 401 | `not_authed` (no key), `invalid_auth` (unknown or revoked) |
| 403 | `missing_scope` |
| 404 | `connection_not_found`, `credential_not_found`, `sync_not_found`, `task_not_found`, `unknown_method` |
| 405 | `method_not_allowed` |
| 409 | `gitlab_connection_required`, `connection_in_use`, `connection_disabled`, `credential_exists`, `queries_disabled` |
| 413, 415 | `request_too_large`, `unsupported_media_type` |
| 422 | `invalid_arguments`, `required_params_missing`, `invalid_credentials`, `invalid_permissions`, `no_resources`, `verification_failed`, `query_failed` |
| 503 | `database_unavailable` |

For clients that know only 200, 201, 409 and 422: with `compatible_statuses = true` below `[api]` in `weir.toml` (or
`WEIR_COMPATIBLE_STATUSES=true`) 400, 401, 403, 404, 405 and 415 are answered as 422, with the same `error`.
";

/// The page.
pub fn page(document: &Value) -> String {
    let mut page = format!("{}\n{ABOVE}", super::MADE);
    for (path, verbs) in object(&document["paths"]) {
        for (verb, method) in object(verbs) {
            let name =
                path.trim_start_matches("/api/").split('/').find(|it| it.contains('.')).unwrap_or(path);
            let _ = write!(page, "\n## {name}\n\n`{} {path}`\n\n{}\n", verb.to_uppercase(), told(method));
            arguments(&mut page, method, document);
        }
    }
    page
}

fn object(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn told(method: &Value) -> String {
    let text = |name: &str| method[name].as_str().unwrap_or_default().trim().to_owned();
    let (summary, description) = (text("summary"), text("description"));
    if description.is_empty() || description.starts_with(&summary) && !description.is_empty() {
        return if description.is_empty() { summary } else { description };
    }
    format!("{summary}\n\n{description}")
}

fn arguments(page: &mut String, method: &Value, document: &Value) {
    let mut rows = Vec::new();
    for parameter in method["parameters"].as_array().into_iter().flatten() {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        rows.push((text("name"), text("in"), parameter["required"] == true, text("description")));
    }
    let schema = resolve(&method["requestBody"]["content"]["application/json"]["schema"], document);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in object(&schema["properties"]) {
        let wanted = required.contains(&name.as_str());
        let description = described(property, document);
        rows.push((name.clone(), "body".to_owned(), wanted, description));
    }
    if rows.is_empty() {
        return;
    }
    page.push_str("\n| argument | in | required | meaning |\n|---|---|---|---|\n");
    for (name, place, required, description) in rows {
        let required = if required { "yes" } else { "" };
        let _ = writeln!(page, "| `{name}` | {place} | {required} | {} |", description.replace('\n', " "));
    }
}

fn described(property: &Value, document: &Value) -> String {
    let own = property["description"].as_str().map(str::to_owned);
    own.unwrap_or_else(|| resolve(property, document)["description"].as_str().unwrap_or_default().to_owned())
}

/// What a reference stands for.
fn resolve<'d>(schema: &'d Value, document: &'d Value) -> &'d Value {
    match schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/")) {
        Some(name) => &document["components"]["schemas"][name],
        None => schema,
    }
}
