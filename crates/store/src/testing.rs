//! A database of its own for each test, copied from one that has the schema.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::server::{Options, Running, Server};
use crate::{MIGRATOR, Store, StoreError};

/// Names a server on which tests may make databases; without it each test process starts its own.
pub const VARIABLE: &str = "WEIR_TEST_DATABASE_URL";

/// A database that is gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    admin: String,
    url: String,
    server: Option<OwnServer>,
}

#[derive(Debug)]
struct OwnServer {
    data_dir: PathBuf,
    _running: Running,
}

impl TestDatabase {
    /// A fresh database with the schema.
    pub async fn new() -> TestDatabase {
        let (admin, server) = match std::env::var(VARIABLE) {
            Ok(url) => (url, None),
            Err(_) => start().await,
        };
        let name = format!("weir_test_{:016x}", rand::random::<u64>());
        create(&admin, &name).await.expect("a test database can be made");
        let url = with_database(&admin, &name);
        TestDatabase { name, admin, url, server }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Weir's view of it.
    pub async fn store(&self) -> Store {
        Store::open(&self.url, 12).await.expect("the test database opens")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let data_dir = self.server.take().map(|it| it.data_dir);
        // A drop cannot wait, and may run inside a runtime: a thread has one of its own.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                if let Some(data_dir) = data_dir {
                    let _ = Server::stop(&data_dir).await;
                    return std::fs::remove_dir_all(data_dir);
                }
                if let Ok(mut connection) = PgConnection::connect(&admin).await {
                    let drop = format!("drop database if exists {name} with (force)");
                    let _ = sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await;
                }
                Ok(())
            })
        });
        let _ = cleaning.join();
    }
}

async fn start() -> (String, Option<OwnServer>) {
    let data_dir = std::env::temp_dir().join(format!("weir-test-{}", std::process::id()));
    let running = Server::open(&Options::new(&data_dir)).await.expect("the tests' own PostgreSQL starts");
    (running.url(), Some(OwnServer { data_dir, _running: running }))
}

/// Copies the template, which is made by whoever comes first.
async fn create(admin: &str, name: &str) -> Result<(), StoreError> {
    let template = template();
    let mut connection = PgConnection::connect(admin).await?;
    sqlx::query("select pg_advisory_lock(8317)").execute(&mut connection).await?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&template)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        let make = format!("create database {template}");
        sqlx::query(AssertSqlSafe(make)).execute(&mut connection).await?;
        Store::open(&with_database(admin, &template), 1).await?.close().await;
    }
    let copy = format!("create database {name} template {template}");
    sqlx::query(AssertSqlSafe(copy)).execute(&mut connection).await?;
    sqlx::query("select pg_advisory_unlock(8317)").execute(&mut connection).await?;
    Ok(())
}

/// One template per state of the migrations.
fn template() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in MIGRATOR.iter() {
        migration.checksum.hash(&mut hasher);
    }
    format!("weir_template_{:016x}", hasher.finish())
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let mut url: url::Url = url.parse().expect("the server's address is a URL");
    url.set_path(name);
    url.to_string()
}
