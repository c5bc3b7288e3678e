//! What follows from labels: links carry the label's name and end with it, and a label knows the group that owns it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Store, StoreError};

/// Lets the links of these projects' merge requests follow renamed and deleted labels.
pub(crate) async fn follow(
    connection: &mut PgConnection,
    projects: &[i64],
    sent_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let renamed = sqlx::query(
        "update gitlab_merge_request_labels l
            set name = g.name, synced_at = $2
           from gitlab_labels g
          where g.project_id = any($1)
            and l.project_id = g.project_id
            and l.label_id = g.id
            and l.deleted_at is null
            and g.deleted_at is null
            and l.name <> g.name",
    );
    let renamed = renamed.bind(projects).bind(sent_at).execute(&mut *connection).await?.rows_affected();
    let ended = sqlx::query(
        "update gitlab_merge_request_labels l
            set deleted_at = $2, deleted_reason = 'parent_deleted', synced_at = $2
           from gitlab_labels g
          where g.project_id = any($1)
            and l.project_id = g.project_id
            and l.label_id = g.id
            and l.deleted_at is null
            and l.synced_at <= $2
            and g.deleted_at is not null",
    );
    let ended = ended.bind(projects).bind(sent_at).execute(connection).await?.rows_affected();
    Ok(renamed + ended)
}

/// Links labels that a page knew by name alone, and ends the links whose name it no longer holds. A name that no
/// label of the project bears is kept under a negative id made from it.
pub(crate) async fn link_named(
    connection: &mut PgConnection,
    named: &[(i64, i64, String)],
    sent_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let projects: Vec<i64> = named.iter().map(|it| it.0).collect();
    let merge_requests: Vec<i64> = named.iter().map(|it| it.1).collect();
    let names: Vec<&str> = named.iter().map(|it| it.2.as_str()).collect();
    let (mut linked, statements) = (0, [LINK_NAMED, UNLINK_NAMED]);
    for statement in statements {
        let linking = sqlx::query(statement).bind(&projects).bind(&merge_requests).bind(&names).bind(sent_at);
        linked += linking.execute(&mut *connection).await?.rows_affected();
    }
    Ok(linked)
}

const LINK_NAMED: &str = "
    insert into gitlab_merge_request_labels as t (project_id, merge_request_id, label_id, name, synced_at)
    select distinct on (project_id, merge_request_id, label_id) project_id, merge_request_id, label_id, name, $4
      from (
        select n.project_id, n.merge_request_id, n.name
             , coalesce(g.id, -1 - (('x' || substr(md5(n.name), 1, 16))::bit(64)::bigint & 4611686018427387903)) as label_id
          from unnest($1::bigint[], $2::bigint[], $3::text[]) as n(project_id, merge_request_id, name)
          left join gitlab_labels g
            on g.project_id = n.project_id and g.name = n.name and g.deleted_at is null
      ) named
     order by project_id, merge_request_id, label_id
        on conflict (project_id, merge_request_id, label_id) do update
       set name = excluded.name, synced_at = excluded.synced_at, deleted_at = null, deleted_reason = null
     where t.synced_at <= excluded.synced_at
       and (t.name <> excluded.name or t.deleted_at is not null)";

const UNLINK_NAMED: &str = "
    update gitlab_merge_request_labels t
       set deleted_at = $4, deleted_reason = 'removed', synced_at = $4
     where (t.project_id, t.merge_request_id) in (select p, m from unnest($1::bigint[], $2::bigint[]) as u(p, m))
       and t.deleted_at is null
       and t.synced_at <= $4
       and not exists (
         select from unnest($1::bigint[], $2::bigint[], $3::text[]) as n(project_id, merge_request_id, name)
          where n.project_id = t.project_id and n.merge_request_id = t.merge_request_id and n.name = t.name
       )";

impl Store {
    /// Fills `gitlab_labels.group_id` from the groups' own listings. Gives how many labels changed.
    pub async fn assign_label_groups(&self, sent_at: DateTime<Utc>) -> Result<u64, StoreError> {
        let assigned = sqlx::query(
            "update gitlab_labels l
                set group_id = o.group_id, synced_at = greatest(l.synced_at, $1)
               from (
                 select l.project_id, l.id, g.group_id
                   from gitlab_labels l
                   left join weir.group_labels g on g.label_id = l.id and g.deleted_at is null
                  where not l.is_project_label
                    and l.deleted_at is null
                    and l.group_id is distinct from g.group_id
               ) o
              where l.project_id = o.project_id
                and l.id = o.id",
        );
        Ok(assigned.bind(sent_at).execute(&self.pool).await?.rows_affected())
    }
}
