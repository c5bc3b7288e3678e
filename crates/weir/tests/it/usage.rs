//! What cannot be used is refused with a sentence and exit code 2, before anybody is asked.

use crate::bench::{Bench, finished, weir, words};

const ARGUMENTS: &[(&str, &str)] = &[
    ("sync --since tomorrow", "is not a date"),
    ("sync --since 2999-01-01", "future"),
    (
        "sync --connector gitlab_wikis",
        "It has: gitlab, gitlab_pipelines, gitlab_commits, gitlab_commits_trunk, gitlab_deployments.",
    ),
    ("verify --connector jira", "gitlab_commits_trunk, gitlab_deployments."),
    ("sync --concurrency 0", "between 1 and 256"),
    ("sync --concurrency 99999999999", "between 1 and 256"),
    ("sync --exclude shop/[a", "not a pattern"),
    ("sync --url ftp://gitlab.example.com", "https://"),
    ("sync --url http://169.254.169.254", "metadata"),
    ("sync --header nonsense", "colon"),
    ("sync --ca-file /nonexistent", "/nonexistent"),
    ("sync --token-file /nonexistent", "/nonexistent"),
];

#[tokio::test]
async fn what_cannot_be_used_is_explained() {
    for (line, sentence) in ARGUMENTS {
        let mut command = weir(&words(&format!("{line} --json")));
        command.env("GITLAB_TOKEN", "glpat-whatever");
        let run = finished(command).await.ended_with(2);
        let object = run.json();
        assert_eq!((&object["ok"], &object["error"]["code"]), (&false.into(), &"usage".into()));
        assert!(run.stderr.contains(sentence), "{line}: {}", run.stderr);
    }
}

#[tokio::test]
async fn the_object_has_every_field_also_when_nothing_was_done() {
    let object = finished(weir(&words("sync --since tomorrow --json"))).await.json();
    let fields: Vec<&String> = object.as_object().unwrap().keys().collect();
    let expected = [
        "bytes",
        "connectors",
        "duration_seconds",
        "error",
        "not_modified",
        "ok",
        "requests",
        "resources",
        "skips",
        "waited_seconds",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_token_among_the_arguments_is_refused_and_not_repeated() {
    for line in
        ["sync glpat-secretsecret", "sync --token secretsecret", "verify --header PRIVATE-TOKEN:secretsecret"]
    {
        let run = finished(weir(&words(line))).await.ended_with(2);
        assert!(run.stderr.contains("GITLAB_TOKEN"), "{}", run.stderr);
        assert!(!run.said().contains("secretsecret"), "{}", run.said());
    }
}

#[tokio::test]
async fn help_teaches_by_example() {
    let root = finished(weir(&words("--help"))).await.ended_with(0);
    assert!(root.stdout.contains("First steps:"), "{}", root.stdout);
    for command in ["verify", "sync", "sql", "psql", "database", "schema", "status", "doctor", "demo"] {
        let help = finished(weir(&words(&format!("{command} --help")))).await.ended_with(0);
        assert!(help.stdout.contains("Examples:"), "{command}");
    }
}

#[tokio::test]
async fn help_does_not_show_the_environment() {
    let mut command = weir(&words("sync --help"));
    command
        .env("DATABASE_URL", "postgresql://weir:hunter2@db/weir")
        .env("HTTPS_PROXY", "http://me:hunter2@proxy");
    assert!(!finished(command).await.said().contains("hunter2"));
}

#[tokio::test]
async fn the_address_is_explained_where_it_was_not_quite_right() {
    let bench = Bench::new().await;
    let run = bench.run(&format!("verify --url {}/api/v4/", bench.fake.url())).await.ended_with(0);
    assert!(run.stderr.contains("plain http"), "{}", run.stderr);
    assert!(run.stderr.contains("path of the API was taken off"), "{}", run.stderr);
}
