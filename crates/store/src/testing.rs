//! A database of its own for each test, copied from one that has the schema.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::server::{Options, Running, Server};
use crate::{MIGRATOR, Store, StoreError};

/// Names a server on which tests may make databases; without it each test process starts its own.
pub const VARIABLE: &str = "WEIR_TEST_DATABASE_URL";

impl Store {
    /// Forgets which users were written, so that the next page writes them again.
    pub fn forget_seen_users(&self) {
        self.seen_users.forget();
    }

    /// The rows of a table that live, as JSON objects.
    pub async fn live_rows(
        &self,
        table: &str,
    ) -> Result<Vec<serde_json::Map<String, serde_json::Value>>, StoreError> {
        let sql = format!("select to_jsonb(t) from {table} t where deleted_at is null");
        let rows = self.query(&sql).await?.rows;
        Ok(rows.into_iter().filter_map(|mut row| row.swap_remove(0).as_object().cloned()).collect())
    }

    /// Every row of every table as text, as a dump of the database would have it.
    pub async fn dump(&self) -> Result<String, StoreError> {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'weir')",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut dump = String::new();
        for table in tables {
            let sql = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.pool).await?;
            dump.push_str(&format!("{table}\n{rows}\n"));
        }
        Ok(dump)
    }

    /// Takes every row away: much faster than another database.
    pub async fn clear(&self) -> Result<(), StoreError> {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I.%I', schemaname, tablename) from pg_tables
              where schemaname in ('public', 'weir') and tablename not like '\\_%'",
        )
        .fetch_all(&self.pool)
        .await?;
        sqlx::query(AssertSqlSafe(format!("truncate {}", tables.join(", ")))).execute(&self.pool).await?;
        self.seen_users.forget();
        Ok(())
    }

    /// Empties a column of every row, as a read of the same moment with other content would.
    pub async fn set_null(&self, table: &str, column: &str) -> Result<(), StoreError> {
        let sql = format!("update {table} set \"{column}\" = null");
        sqlx::query(AssertSqlSafe(sql)).execute(&self.pool).await?;
        Ok(())
    }
}

/// A database that is gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    admin: String,
    url: String,
    server: Option<Arc<OwnServer>>,
}

#[derive(Debug)]
struct OwnServer {
    data_dir: PathBuf,
    running: Running,
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

    /// A database as it was left by a Weir whose last migration was this one.
    pub async fn of_version(version: i64) -> TestDatabase {
        let database = TestDatabase::new().await;
        database.empty().await;
        let mut connection = PgConnection::connect(&database.url).await.expect("the test database answers");
        MIGRATOR.run_to(version, &mut connection).await.expect("the older migrations run");
        database
    }

    /// Takes everything away, the list of migrations included.
    async fn empty(&self) {
        for statement in ["drop schema if exists metrics, weir cascade", "drop schema public cascade"] {
            self.execute(statement).await;
        }
        self.execute("create schema public").await;
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement as its owner, for what Weir itself never does.
    pub async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
        statement.execute(&mut connection).await.expect("the statement runs");
    }

    /// Ends every connection to it, as a restart of the server does.
    pub async fn cut_off(&self) {
        self.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    }

    /// Weir's view of it.
    pub async fn store(&self) -> Store {
        Store::open(&self.url, 12).await.expect("the test database opens")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let server = self.server.take();
        // A drop cannot wait, and may run inside a runtime: a thread has one of its own.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(clean_up(&admin, &name, server));
            std::io::Result::Ok(())
        });
        let _ = cleaning.join();
    }
}

async fn clean_up(admin: &str, name: &str, server: Option<Arc<OwnServer>>) {
    if let Ok(mut connection) = PgConnection::connect(admin).await {
        let drop = format!("drop database if exists {name} with (force)");
        let _ = sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await;
    }
    // The last test of a process stops the server they shared.
    if let Some(server) = server.and_then(Arc::into_inner) {
        let _ = Server::stop(&server.data_dir).await;
        let _ = std::fs::remove_dir_all(&server.data_dir);
    }
}

/// The server that the tests of this process share.
static SHARED: tokio::sync::Mutex<Weak<OwnServer>> = tokio::sync::Mutex::const_new(Weak::new());

async fn start() -> (String, Option<Arc<OwnServer>>) {
    let mut shared = SHARED.lock().await;
    if let Some(server) = shared.upgrade() {
        return (server.running.url(), Some(server));
    }
    let data_dir = std::env::temp_dir().join(format!("weir-test-{:016x}", rand::random::<u64>()));
    let running = Server::open(&Options::new(&data_dir)).await.expect("the tests' own PostgreSQL starts");
    let server = Arc::new(OwnServer { data_dir, running });
    *shared = Arc::downgrade(&server);
    (server.running.url(), Some(server))
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
