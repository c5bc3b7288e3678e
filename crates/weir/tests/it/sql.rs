//! Questions in SQL, and the schema.

use crate::bench::{Bench, Run, finished};

async fn ask(bench: &Bench, query: &str, format: &str) -> Run {
    let mut command = bench.weir("sql");
    command.args([query, "--format", format]);
    finished(command).await
}

#[tokio::test]
async fn rows_are_printed_in_each_format() {
    let bench = Bench::new().await;
    let query =
        "select 1 as n, 'a,\"b' as text, null::text as nothing union all select 22, 'c', 'd' order by 1";
    let table = ask(&bench, query, "table").await.ended_with(0);
    assert_eq!(table.stdout, " n  text  nothing\n--  ----  -------\n 1  a,\"b\n22  c     d\n");
    let csv = ask(&bench, query, "csv").await.ended_with(0);
    assert_eq!(csv.stdout, "n,text,nothing\n1,\"a,\"\"b\",\n22,c,d\n");
    let json = ask(&bench, query, "json").await.ended_with(0);
    assert_eq!(json.json()[0], serde_json::json!({ "n": 1, "text": "a,\"b", "nothing": null }));
    assert!(json.stdout.starts_with("[{\"n\":1,\"text\":"), "{}", json.stdout);
}

#[tokio::test]
async fn nothing_found_is_said() {
    let run = ask(&Bench::new().await, "select 1 where false", "json").await.ended_with(0);
    assert_eq!(run.stdout, "[]\n");
    assert!(run.stderr.contains("no rows"), "{}", run.stderr);
}

#[tokio::test]
async fn a_mistake_is_told_in_the_words_of_postgresql() {
    let bench = Bench::new().await;
    let run = ask(&bench, "select nam from gitlab_projects", "table").await.ended_with(1);
    assert!(run.stderr.contains("column \"nam\" does not exist"), "{}", run.stderr);
    assert!(run.stderr.contains("position 8"), "{}", run.stderr);
    let run = ask(&bench, "select * from nowhere", "table").await.ended_with(1);
    assert!(run.stderr.contains("weir schema"), "{}", run.stderr);
}

#[tokio::test]
async fn nothing_can_be_written() {
    let bench = Bench::new().await;
    for query in ["create table t (n int)", "select 1; create table t (n int)", "commit"] {
        ask(&bench, query, "table").await;
    }
    assert_eq!(bench.value("select count(*) from pg_class where relname = 't'").await, 0);
}

#[tokio::test]
async fn a_query_comes_from_standard_input() {
    let bench = Bench::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "-- a question\nselect 7 as seven;\n").unwrap();
    let mut command = bench.weir("sql - --format csv");
    command.stdin(std::fs::File::open(file.path()).unwrap());
    assert_eq!(finished(command).await.ended_with(0).stdout, "seven\n7\n");
}

#[tokio::test]
async fn the_schema_of_a_table_is_shown() {
    let bench = Bench::new().await;
    let table = bench.run("schema gitlab_merge_requests").await.ended_with(0).stdout;
    assert!(table.contains("Key: project_id, id") && table.contains("open_to_first_review"), "{table}");
    let object = bench.run("schema gitlab_labels --format json").await.ended_with(0).json();
    assert_eq!((&object["name"], &object["key"][0]), (&"gitlab_labels".into(), &"project_id".into()));
    let every = bench.run("schema --format json").await.ended_with(0).json();
    assert!(every.as_array().unwrap().len() > 10);
    let markdown = bench.run("schema gitlab_users --format markdown").await.ended_with(0).stdout;
    assert!(markdown.starts_with("## gitlab_users"), "{markdown}");
}

#[tokio::test]
async fn an_unknown_table_brings_names_that_are_near() {
    let run = Bench::new().await.run("schema merge_request").await.ended_with(2);
    assert!(run.stderr.contains("gitlab_merge_requests"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_runs_no_program_and_reads_no_file() {
    let bench = Bench::new().await;
    bench.run("schema").await;
    for question in [
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
        "select pg_ls_dir('/etc')",
    ] {
        let mut command = bench.weir("sql");
        command.arg(question);
        let run = finished(command).await.ended_with(1);
        assert!(run.said().contains("permission denied") || run.said().contains("must be"), "{}", run.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_understood_without_blanks() {
    let bench = Bench::new().await;
    for (question, answer) in [("select(1)as n", "[{\"n\":1}]"), ("SELECT(select 2)as n", "[{\"n\":2}]")] {
        let mut command = bench.weir("sql --format json");
        command.arg(question);
        assert_eq!(finished(command).await.ended_with(0).stdout.trim(), answer);
    }
}
