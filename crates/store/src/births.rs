//! Things that two pages bring at once for the first time. Nothing that is not stored can be locked, and each page would take the
//! other's lists for none: what an older answer says would stay below a newer row.

use catalogue::{issues, merge_request_commits};
use sqlx::PgConnection;

use crate::{Page, StoreError};

/// What is told apart: the class of its advisory locks, and the table that says whether it is stored.
const KINDS: [(i32, &str); 3] =
    [(8320, "gitlab_merge_requests"), (8321, "gitlab_issues"), (8322, "weir.merge_request_heads")];

/// Lets pages that bring merge requests or issues of one project for the first time wait for each other. Whoever comes second
/// finds what the first has stored.
pub(crate) async fn take_turns(connection: &mut PgConnection, page: &Page<'_>) -> Result<(), StoreError> {
    for ((class, table), (projects, ids)) in KINDS.into_iter().zip(brought(page)) {
        if ids.is_empty() {
            continue;
        }
        // The locks are taken in one order, that of the projects.
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "select pg_advisory_xact_lock($3, hashint8(n.project_id))
               from (select distinct u.project_id
                       from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
                      where not exists (
                        select from {table} t where t.project_id = u.project_id and t.id = u.id
                      )
                      order by u.project_id) n"
        )))
        .bind(projects)
        .bind(ids)
        .bind(class)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The projects and ids (Weir's) of what a page brings with lists below it, by kind.
fn brought(page: &Page<'_>) -> [(Vec<i64>, Vec<i64>); 3] {
    let lists = |is: &dyn Fn(&&catalogue::CompleteList) -> bool| {
        page.rows.complete.iter().filter(is).map(|it| (it.values[0], it.values[1])).unzip()
    };
    [
        page.rows.touched.iter().copied().unzip(),
        lists(&|it| it.parent == issues::PARENT),
        lists(&|it| it.table.name == merge_request_commits::TABLE.name),
    ]
}
