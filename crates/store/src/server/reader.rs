//! The database itself, and the role that can only read it.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::error::ServerError;
use super::home::Home;
use super::{DATABASE, OWNER_ROLE, READER_ROLE, probe, secret};

/// The schemas with data for people: what GitLab says, the questions, and what Weir read and could not read.
const SCHEMAS: [&str; 3] = ["public", "metrics", "weir"];

/// Tables of those schemas that hold secrets, sealed or hashed, and what arrived from outside unread.
pub(crate) const PRIVATE_TABLES: [&str; 9] = [
    "api_keys",
    "audit_log",
    "credential_secrets",
    "credentials",
    "encryption_keys",
    "hook_secrets",
    "inbox",
    "sessions",
    "webhook_secrets",
];

/// Makes the database and the reader's role unless they are there, and renews what the reader may see.
pub(super) async fn prepare(home: &Home, port: u16, password: &str) -> Result<(), ServerError> {
    let mut server = probe::connect(home, port, password, "postgres").await?;
    make_role(home, &mut server).await?;
    make_database(&mut server).await?;
    server.close().await?;
    let mut database = probe::connect(home, port, password, DATABASE).await?;
    grant_reader(&mut database).await?;
    database.close().await?;
    Ok(())
}

/// The reader's password.
pub(super) fn password(home: &Home) -> Result<String, ServerError> {
    let path = home.reader_password();
    secret::find(&path)?.ok_or(ServerError::PasswordMissing { path })
}

async fn make_role(home: &Home, server: &mut PgConnection) -> Result<(), ServerError> {
    let exists = has_reader(server).await?;
    let path = home.reader_password();
    let known = secret::find(&path)?;
    if exists && known.is_some() {
        return Ok(());
    }
    if !exists {
        let made = run(server, format!("create role {READER_ROLE} login")).await;
        made.or_else(|error| if is_there_already(&error) { Ok(()) } else { Err(error) })?;
        run(server, format!("alter role {READER_ROLE} set default_transaction_read_only = on")).await?;
    }
    let password = known.unwrap_or_else(secret::generate);
    home.write(&path, 0o600, &password)?;
    run(server, format!("alter role {READER_ROLE} password '{password}'")).await?;
    Ok(())
}

async fn has_reader(server: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let query = sqlx::query("select 1 from pg_catalog.pg_roles where rolname = $1").bind(READER_ROLE);
    Ok(query.fetch_optional(server).await?.is_some())
}

async fn make_database(server: &mut PgConnection) -> Result<(), sqlx::Error> {
    let query = sqlx::query("select 1 from pg_catalog.pg_database where datname = $1").bind(DATABASE);
    if query.fetch_optional(&mut *server).await?.is_none() {
        let made = run(server, format!("create database {DATABASE} owner {OWNER_ROLE}")).await;
        return made.or_else(|error| if is_there_already(&error) { Ok(()) } else { Err(error) });
    }
    Ok(())
}

/// A Weir that was killed leaves its last command running on the server, which then comes to its end.
fn is_there_already(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|it| it.code());
    matches!(code.as_deref(), Some("23505" | "42P04" | "42710"))
}

/// Lets the reader see the tables and views of the schemas for people, less the private ones. Call it after
/// migrations. Without a role of that name, as in most databases of the operator's own, it does nothing.
pub async fn grant_reader(database: &mut PgConnection) -> Result<(), sqlx::Error> {
    if !has_reader(database).await? {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    grant_connect(&mut transaction).await?;
    for schema in schemas(&mut transaction).await? {
        grant_schema(&mut transaction, &schema).await?;
    }
    for table in private_tables(&mut transaction).await? {
        run(&mut transaction, format!("revoke all on {table} from {READER_ROLE}")).await?;
    }
    transaction.commit().await
}

async fn grant_connect(database: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row = sqlx::query("select quote_ident(current_database())").fetch_one(&mut *database).await?;
    let name: String = row.try_get(0)?;
    run(database, format!("grant connect on database {name} to {READER_ROLE}")).await
}

async fn grant_schema(database: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    for statement in [
        format!("grant usage on schema {schema} to {READER_ROLE}"),
        format!("grant select on all tables in schema {schema} to {READER_ROLE}"),
        format!("alter default privileges in schema {schema} grant select on tables to {READER_ROLE}"),
    ] {
        run(database, statement).await?;
    }
    Ok(())
}

async fn schemas(database: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let query = sqlx::query("select nspname::text from pg_catalog.pg_namespace where nspname = any($1)");
    let rows = query.bind(SCHEMAS).fetch_all(database).await?;
    rows.iter().map(|it| it.try_get(0)).collect()
}

async fn private_tables(database: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let query = sqlx::query(
        "select format('%I.%I', schemaname, tablename) from pg_catalog.pg_tables \
         where schemaname = any($1) and tablename = any($2)",
    );
    let rows = query.bind(SCHEMAS).bind(PRIVATE_TABLES).fetch_all(database).await?;
    rows.iter().map(|it| it.try_get(0)).collect()
}

/// Statements that take no parameters. What goes into them is ours: names from this crate, and a password of digits
/// and letters.
async fn run(database: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    database.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}
