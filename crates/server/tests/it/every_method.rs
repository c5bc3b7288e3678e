//! Every method of the description, whatever is added to it: strange arguments are refused in Weir's own words and never
//! reach the database as SQL.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Map, Value, json};

use crate::harness::{Bench, Reply};

/// What may be answered: a success, or a refusal that says why.
const STATUSES: [u16; 11] = [200, 201, 400, 401, 403, 404, 409, 413, 415, 422, 503];

/// Text that breaks something somewhere else.
const STRANGE: [&str; 14] = [
    "'; drop table weir.connections; --",
    "\" or 1=1 --",
    "$$; select pg_sleep(10); $$",
    "$1",
    "1); delete from weir.api_keys; --",
    "\\'; truncate weir.inbox; --",
    "%27%3B%20drop%20table",
    "../../../../etc/passwd",
    "\u{202e}\u{200b}𝕏 ﷺ \u{feff}",
    "\r\nx-injected: yes",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "9223372036854775808",
    "",
];

/// A method as it is described.
struct Method {
    verb: String,
    path: String,
    /// Names of the fields of its body, or of its query.
    fields: Vec<String>,
}

impl Method {
    /// Its path with this in the place of every number.
    fn at(&self, number: &str) -> String {
        let mut path = self.path.clone();
        while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, number);
        }
        path
    }

    /// What extractors have carried out is no list of arguments, and is read only once their process is known.
    fn takes_body(&self) -> bool {
        self.verb == "POST" && !self.fields.is_empty()
    }
}

fn methods() -> Vec<Method> {
    let document = serde_json::to_value(server::openapi::describe()).expect("it is JSON");
    let mut all = Vec::new();
    for (path, verbs) in document["paths"].as_object().expect("paths") {
        for (verb, described) in verbs.as_object().expect("verbs") {
            let body = &described["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = body.as_str().and_then(|it| it.rsplit('/').next()).unwrap_or_default();
            let properties = document["components"]["schemas"][name]["properties"].as_object();
            let mut fields: Vec<String> = properties.into_iter().flatten().map(|it| it.0.clone()).collect();
            let parameters = described["parameters"].as_array().into_iter().flatten();
            let queries = parameters.filter(|it| it["in"] == "query");
            fields.extend(queries.filter_map(|it| it["name"].as_str().map(str::to_owned)));
            all.push(Method { verb: verb.to_uppercase(), path: path.clone(), fields });
        }
    }
    assert!(all.len() >= 25 && all.iter().filter(|it| !it.fields.is_empty()).count() > 12);
    all
}

async fn send(bench: &Bench, method: &Method, path: &str, kind: &str, body: String) -> Reply {
    let request = Request::builder()
        .method(method.verb.as_str())
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", bench.key))
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .expect("a request");
    bench.send(request).await
}

fn check(reply: &Reply, what: &str) {
    assert!(STATUSES.contains(&reply.status), "{what}: {} {}", reply.status, reply.text);
    assert_ne!(reply.status, 503, "{what}: {}", reply.text);
    if reply.status >= 400 {
        reply.error();
    }
    assert!(
        !reply.text.contains("syntax error at or near") || what.contains("queries.run"),
        "{what}: {}",
        reply.text
    );
}

/// A body in which one field holds a value, and the others what could stand there.
fn body(fields: &[String], field: &str, value: &Value, base_url: &str) -> String {
    let usual = |name: &str| match name {
        "id" | "connection_id" => json!(1),
        "type" => json!("gitlab"),
        "sql" => json!("select 1"),
        "secrets" => json!({ "api_token": "glpat-x" }),
        "settings" => json!({ "base_url": base_url }),
        _ => Value::Null,
    };
    let mut all: Map<String, Value> =
        fields.iter().map(|it| (it.clone(), usual(it))).filter(|it| !it.1.is_null()).collect();
    all.insert(field.to_owned(), value.clone());
    Value::Object(all).to_string()
}

#[tokio::test]
async fn strange_text_in_every_field_is_text_and_nothing_else() {
    let bench = Bench::new().await;
    bench.working("gitlab").await;
    for method in methods() {
        for strange in STRANGE {
            let what = format!("{} {strange:?}", method.path);
            let encoded: String = url::form_urlencoded::byte_serialize(strange.as_bytes()).collect();
            if method.path.contains('{') {
                let path = method.at(&encoded.replace('+', "%20"));
                check(&send(&bench, &method, &path, "application/json", "{}".to_owned()).await, &what);
            }
            for field in &method.fields {
                if field == "sql" {
                    // It is SQL by design, and read-only: tested with queries.run.
                    continue;
                }
                let path = method.at("1");
                if !method.takes_body() {
                    let path = format!("{path}?{field}={encoded}");
                    check(&send(&bench, &method, &path, "application/json", String::new()).await, &what);
                    continue;
                }
                let nested = json!({ strange: strange, "base_url": strange, "groups": [strange], "api_token": strange });
                for value in [json!(strange), json!([strange]), nested] {
                    let body = body(&method.fields, field, &value, bench.gitlab.url());
                    check(&send(&bench, &method, &path, "application/json", body).await, &what);
                }
                let form = format!("id=1&type=gitlab&{field}={encoded}&{field}%5Bbase_url%5D={encoded}");
                let kind = "application/x-www-form-urlencoded";
                check(&send(&bench, &method, &path, kind, form).await, &what);
            }
        }
    }
    // Everything is still there, and the key still works.
    assert!(!bench.store.api_keys().await.unwrap().is_empty());
    bench.get("connections.list").await.ok(200);
}

#[tokio::test]
async fn values_of_every_other_kind_are_refused_in_words() {
    let bench = Bench::new().await;
    bench.working("gitlab").await;
    let huge: Value = serde_json::from_str("1e308").unwrap();
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0.5),
        huge,
        json!(u64::MAX),
        json!([]),
        json!([[[]]]),
        json!({}),
        json!({ "a": { "b": [1, { "c": null }] } }),
        json!("a\u{0}b"),
        json!("x".repeat(100_000)),
    ];
    for method in methods().into_iter().filter(Method::takes_body) {
        for field in &method.fields {
            for value in &values {
                let body = body(&method.fields, field, value, bench.gitlab.url());
                let shown: String = value.to_string().chars().take(40).collect();
                let reply = send(&bench, &method, &method.at("1"), "application/json", body).await;
                check(&reply, &format!("{} {field} {shown}", method.path));
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_by_every_method_that_takes_one() {
    let bench = Bench::new().await;
    bench.working("gitlab").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!("{}1{}", r#"{"id":"#.repeat(5000), "}".repeat(5000));
    for method in methods().into_iter().filter(Method::takes_body) {
        let path = method.at("1");
        for bad in
            ["{", "[]", "7", "nul", "{\"id\": 1e999}", "{\"id\":1,}", deep.as_str(), deep_object.as_str()]
        {
            let reply = send(&bench, &method, &path, "application/json", bad.to_owned()).await;
            let shown: String = bad.chars().take(20).collect();
            assert_eq!(reply.error(), (400, "invalid_json"), "{path} {shown}");
        }
        let large = format!(r#"{{"id": "{}"}}"#, "x".repeat(1024 * 1024));
        let reply = send(&bench, &method, &path, "application/json", large).await;
        assert_eq!(reply.error(), (413, "request_too_large"), "{path}");
        let reply = send(&bench, &method, &path, "text/xml", "<a/>".to_owned()).await;
        assert_eq!(reply.error(), (415, "unsupported_media_type"), "{path}");
        let bytes = Request::builder()
            .method("POST")
            .uri(&path)
            .header(header::AUTHORIZATION, format!("Bearer {}", bench.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(&b"{\"id\": \"\xff\xfe\"}"[..]))
            .unwrap();
        assert_eq!(bench.send(bytes).await.error(), (400, "invalid_json"), "{path}");
    }
}

#[tokio::test]
async fn every_method_wants_a_key_and_a_scope_and_says_so_in_its_description() {
    let mut bench = Bench::new().await;
    let (_, none) =
        bench.store.create_api_key("none", &[], sync::Clock::now(&sync::SystemClock)).await.unwrap();
    let document = serde_json::to_value(server::openapi::describe()).unwrap();
    for method in methods() {
        let path = method.at("1");
        let request = Request::builder().method(method.verb.as_str()).uri(&path).body(Body::empty()).unwrap();
        assert_eq!(bench.send(request).await.error(), (401, "not_authed"), "{path}");
        let described = &document["paths"][&method.path][method.verb.to_lowercase()];
        for status in ["401", "403", "422", "503"] {
            assert!(described["responses"][status].is_object(), "{path} does not tell of {status}");
        }
        let text = described.to_string();
        assert!(text.contains("Needs the scope `"), "{path} does not tell its scope");
    }
    bench.key = secrecy::ExposeSecret::expose_secret(&none).to_owned();
    for method in methods() {
        let all = body(&method.fields, "x", &Value::Null, bench.gitlab.url());
        let reply = send(&bench, &method, &method.at("1"), "application/json", all).await;
        assert_eq!(reply.error(), (403, "missing_scope"), "{}", method.path);
    }
}
