//! Where tokens come from, and where they never go.

use crate::bench::{Bench, Run, finished};

/// A token that is found wherever it leaks.
const DISTINCTIVE: &str = "glpat-DISTINCTIVE-4711-xyzzy";

async fn without_token(bench: &Bench, line: &str, set: &[(&str, &str)]) -> Run {
    let mut command = bench.weir(line);
    command.env_remove("GITLAB_TOKEN").envs(set.iter().copied());
    finished(command).await
}

#[tokio::test]
async fn tokens_come_from_several_variables() {
    let bench = Bench::new().await;
    for name in ["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_PAT"] {
        let run = without_token(&bench, "verify --json", &[(name, bench.fake.token())]).await.ended_with(0);
        assert_eq!(run.json()["tokens"][0]["label"], name);
    }
    let set = [("GITLAB_TOKEN", bench.fake.token()), ("GITLAB_PAT", "glpat-wrong")];
    without_token(&bench, "verify", &set).await.ended_with(0);
}

#[tokio::test]
async fn tokens_come_from_a_file_and_from_a_command() {
    let bench = Bench::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("# ours\n{}\n", bench.fake.token())).unwrap();
    let line = format!("verify --token-file {}", file.path().display());
    without_token(&bench, &line, &[]).await.ended_with(0);
    let mut command = bench.weir("verify --token-command");
    command.arg(format!("cat {}", file.path().display())).env("GITLAB_TOKEN", "glpat-wrong");
    finished(command).await.ended_with(0);
    let mut command = bench.weir("verify --json --token-command");
    command.arg("echo oops >&2; exit 3");
    let run = finished(command).await.ended_with(1);
    assert_eq!(run.json()["error"]["reason"], "token_command");
}

#[tokio::test]
async fn a_job_token_needs_one_project() {
    let bench = Bench::new().await;
    let run =
        without_token(&bench, "sync --json", &[("CI_JOB_TOKEN", "job-token-0123456789")]).await.ended_with(2);
    assert!(run.stderr.contains("--project"), "{}", run.stderr);
}

#[tokio::test]
async fn no_token_is_ever_shown_or_stored() {
    let bench = Bench::new().await;
    let user = bench.fake.viewer().user_id;
    bench.fake.state().add_token(fake_gitlab::TokenSpec::personal(DISTINCTIVE, user));
    let both = format!("{DISTINCTIVE},glpat-DISTINCTIVE-unknown");
    for line in
        ["verify -vvv", "sync -vvv --json", "doctor -vvv", "status -v", "sync -vvv --url http://127.0.0.1:1"]
    {
        let said = bench.run_as(&both, line).await.said();
        assert!(!said.contains("DISTINCTIVE"), "{line} tells the token");
    }
    assert!(!everything(&bench).await.contains("DISTINCTIVE"), "the database holds the token");
}

/// Every row of every table as text.
async fn everything(bench: &Bench) -> String {
    let store = bench.database.store().await;
    let mut text = String::new();
    for table in store.schema().await.unwrap() {
        let rows = store.query(&format!("select t::text from {} t", table.name)).await.unwrap().rows;
        rows.iter().for_each(|it| text.push_str(it[0].as_str().unwrap_or_default()));
    }
    assert!(text.len() > 10_000, "the tables are filled");
    text
}

#[tokio::test]
async fn a_job_token_reads_its_project() {
    let bench = Bench::new().await;
    let user = bench.fake.viewer().user_id;
    let project = *bench.fake.world().projects.keys().next().unwrap();
    bench.fake.state().add_token(fake_gitlab::TokenSpec::job("job-token-0123456789", user, project));
    let number = project.to_string();
    let url = bench.fake.url();
    let set = [("CI_JOB_TOKEN", "job-token-0123456789"), ("CI_PROJECT_ID", &number), ("CI_SERVER_URL", url)];
    without_token(&bench, "verify", &set).await.ended_with(0);
    without_token(&bench, "doctor", &set).await.ended_with(0);
    let wrong = [("CI_JOB_TOKEN", "job-token-wrong"), ("CI_PROJECT_ID", &number), ("CI_SERVER_URL", url)];
    without_token(&bench, "verify", &wrong).await.ended_with(3);
    let object = without_token(&bench, "sync --json", &set).await.ended_with(0).json();
    let skips = object["skips"].as_array().unwrap();
    assert!(skips.iter().any(|it| it["reason"] == "job_token"), "{object}");
    assert!(bench.value("select count(*) from gitlab_merge_requests").await.as_u64().unwrap() > 0);
}
