//! The description of the API, as it is in the repository.

use serde_json::Value;

use crate::harness::Bench;

#[tokio::test]
async fn the_description_is_served_without_a_key_and_names_every_method() {
    let bench = Bench::new().await;
    let request =
        axum::http::Request::builder().uri("/api/openapi.json").body(axum::body::Body::empty()).unwrap();
    let reply = bench.send(request).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", reply.body["openapi"]);
    let paths = reply.body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 26, "{:?}", paths.keys());
    let described = |it: &Value| {
        it["description"].as_str().or(it["summary"].as_str()).is_some_and(|text| text.len() > 10)
    };
    for (path, verbs) in paths {
        assert!(verbs.as_object().unwrap().values().all(described), "{path} is not described");
    }
    // Two shapes of one name would hide each other.
    let takes = |path: &str| {
        let schema =
            reply.body["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                .clone();
        let name = schema.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        reply.body["components"]["schemas"][name]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(takes("/api/connections.create").contains(&"type".to_owned()));
    assert!(takes("/api/connections/{connection_id}/credentials.create").contains(&"secrets".to_owned()));
}
