//! What the reader can do.

use sqlx::{Connection, PgConnection};
use store::server::grant_reader;

use crate::place::{Place, ask, run};

#[tokio::test]
async fn the_reader_reads_and_writes_nothing() {
    let place = Place::new();
    let running = place.open().await;
    run(&running.url(), "create table seen (id int); insert into seen values (1)").await.unwrap();
    assert_eq!(ask(&running.reader_url(), "select id::text from seen").await.unwrap(), "1");
    assert!(run(&running.reader_url(), "insert into seen values (2)").await.is_err());
    let insist = "set default_transaction_read_only = off; insert into seen values (2)";
    assert!(run(&running.reader_url(), insist).await.is_err());
    assert!(run(&running.reader_url(), "create table mine (id int)").await.is_err());
}

#[tokio::test]
async fn the_reader_sees_the_metrics_and_no_secrets() {
    let place = Place::new();
    let running = place.open().await;
    let tables =
        "create schema metrics; create table metrics.weekly (id int); create table credentials (id int)";
    run(&running.url(), tables).await.unwrap();
    let mut database = PgConnection::connect(&running.url()).await.unwrap();
    grant_reader(&mut database).await.unwrap();
    assert_eq!(ask(&running.reader_url(), "select count(*)::text from metrics.weekly").await.unwrap(), "0");
    assert!(ask(&running.reader_url(), "select count(*)::text from credentials").await.is_err());
    // In a database of the operator's own, under another name.
    run(&running.url(), "create database \"their data\"").await.unwrap();
    let mut theirs = PgConnection::connect(&running.url().replace("/weir?", "/their%20data?")).await.unwrap();
    grant_reader(&mut theirs).await.unwrap();
    run(&running.url(), "create table metrics.daily (id int)").await.unwrap();
    assert_eq!(ask(&running.reader_url(), "select count(*)::text from metrics.daily").await.unwrap(), "0");
}
