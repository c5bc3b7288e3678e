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

/// Links labels that a page knew by name alone. Names that no label of the project bears stay unlinked.
pub(crate) async fn link_named(
    connection: &mut PgConnection,
    named: &[(i64, i64, String)],
    sent_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let projects: Vec<i64> = named.iter().map(|it| it.0).collect();
    let merge_requests: Vec<i64> = named.iter().map(|it| it.1).collect();
    let names: Vec<&str> = named.iter().map(|it| it.2.as_str()).collect();
    let linked = sqlx::query(
        "insert into gitlab_merge_request_labels (project_id, merge_request_id, label_id, name, synced_at)
         select distinct on (g.project_id, n.merge_request_id, g.id) g.project_id, n.merge_request_id, g.id, g.name, $4
           from unnest($1::bigint[], $2::bigint[], $3::text[]) as n(project_id, merge_request_id, name)
           join gitlab_labels g on g.project_id = n.project_id and g.name = n.name and g.deleted_at is null
          order by g.project_id, n.merge_request_id, g.id
             on conflict (project_id, merge_request_id, label_id) do nothing",
    );
    let linked = linked.bind(projects).bind(merge_requests).bind(names).bind(sent_at);
    Ok(linked.execute(connection).await?.rows_affected())
}

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
