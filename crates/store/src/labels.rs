//! What follows from labels: links carry the label's name and end with it, and a label knows the group that owns it.

use catalogue::{Instance, Rows};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::children::Parent;
use crate::{Store, StoreError};

/// A table of labels on something.
pub(crate) struct Links {
    /// The table.
    pub(crate) table: &'static str,
    /// The column that names what the labels are on.
    parent: &'static str,
    /// What that is.
    pub(crate) on: Parent,
}

/// Labels on merge requests and on issues.
pub(crate) static LINKS: [Links; 2] = [
    Links { table: "gitlab_merge_request_labels", parent: "merge_request_id", on: Parent::MergeRequest },
    Links { table: "gitlab_issue_labels", parent: "issue_id", on: Parent::Issue },
];

impl Links {
    /// Those that a page knows by name alone.
    pub(crate) fn named<'r>(&self, rows: &'r Rows) -> &'r [(i64, i64, String)] {
        if self.parent == "issue_id" { &rows.named_issue_labels } else { &rows.named_labels }
    }

    /// A statement about this table.
    fn about(&self, statement: &str) -> AssertSqlSafe<String> {
        let statement = statement.replace("{table}", self.table).replace("{parent}", self.parent);
        AssertSqlSafe(statement.replace("{made}", MADE))
    }

    /// Lets these projects' links follow renamed and deleted labels.
    pub(crate) async fn follow(
        &self,
        connection: &mut PgConnection,
        projects: &[i64],
        sent_at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        // A new name leaves synced_at alone: by it a complete list knows which links it may take away.
        let renaming = sqlx::query(self.about(RENAME)).bind(projects);
        let renamed = renaming.execute(&mut *connection).await?.rows_affected();
        let ending = sqlx::query(self.about(END)).bind(projects).bind(sent_at);
        Ok(renamed + ending.execute(connection).await?.rows_affected())
    }

    /// Links labels that a page knew by name alone, and ends the links whose name it no longer holds. A name that no
    /// label of the project bears is kept under a negative id made from it.
    pub(crate) async fn link_named(
        &self,
        connection: &mut PgConnection,
        named: &[(i64, i64, String)],
        sent_at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let projects: Vec<i64> = named.iter().map(|it| it.0).collect();
        let parents: Vec<i64> = named.iter().map(|it| it.1).collect();
        let names: Vec<&str> = named.iter().map(|it| it.2.as_str()).collect();
        let mut linked = 0;
        for statement in [LINK_NAMED, UNLINK_NAMED] {
            let linking = sqlx::query(self.about(statement));
            let linking = linking.bind(&projects).bind(&parents).bind(&names).bind(sent_at);
            linked += linking.execute(&mut *connection).await?.rows_affected();
        }
        Ok(linked)
    }

    /// Gives links whose name was masked the id that is made from what they are called now, for their next page brings that.
    pub(crate) async fn make_ids_again(&self, pool: &PgPool) -> Result<(), StoreError> {
        for statement in [DROP_TWINS, MAKE_AGAIN] {
            sqlx::query(self.about(statement)).execute(pool).await?;
        }
        Ok(())
    }
}

/// The negative id of a label of which only the name is known.
const MADE: &str = "-1 - (('x' || substr(md5(n.name), 1, 16))::bit(64)::bigint & 4611686018427387903)";

const RENAME: &str = "
    update {table} l
       set name = g.name
      from gitlab_labels g
     where g.project_id = any($1)
       and l.project_id = g.project_id
       and l.label_id = g.id
       and l.deleted_at is null
       and g.deleted_at is null
       and l.name <> g.name";

const END: &str = "
    update {table} l
       set deleted_at = $2, deleted_reason = 'parent_deleted', synced_at = $2
      from gitlab_labels g
     where g.project_id = any($1)
       and l.project_id = g.project_id
       and l.label_id = g.id
       and l.deleted_at is null
       and l.synced_at <= $2
       and g.deleted_at is not null";

const LINK_NAMED: &str = "
    insert into {table} as t (project_id, {parent}, label_id, name, synced_at)
    select distinct on (project_id, parent, label_id) project_id, parent, label_id, name, $4
      from (
        select n.project_id, n.parent, n.name
             , coalesce(g.id, {made}) as label_id
          from unnest($1::bigint[], $2::bigint[], $3::text[]) as n(project_id, parent, name)
          left join gitlab_labels g
            on g.project_id = n.project_id and g.name = n.name and g.deleted_at is null
      ) named
     order by project_id, parent, label_id
        on conflict (project_id, {parent}, label_id) do update
       set name = excluded.name, synced_at = excluded.synced_at, deleted_at = null, deleted_reason = null
     where t.synced_at <= excluded.synced_at
       and (t.name <> excluded.name or t.deleted_at is not null)";

const UNLINK_NAMED: &str = "
    update {table} t
       set deleted_at = $4, deleted_reason = 'removed', synced_at = $4
     where (t.project_id, t.{parent}) in (select p, m from unnest($1::bigint[], $2::bigint[]) as u(p, m))
       and t.deleted_at is null
       and t.synced_at <= $4
       and not exists (
         select from unnest($1::bigint[], $2::bigint[], $3::text[]) as n(project_id, parent, name)
          where n.project_id = t.project_id and n.parent = t.{parent} and n.name = t.name
       )";

const DROP_TWINS: &str = "
    delete from {table} n
     using {table} o
     where n.label_id < 0
       and n.name like '%erased-%'
       and n.label_id <> {made}
       and o.project_id = n.project_id
       and o.{parent} = n.{parent}
       and o.name = n.name
       and (o.label_id = {made} or o.label_id < n.label_id)";

const MAKE_AGAIN: &str = "
    update {table} n
       set label_id = {made}
     where n.label_id < 0
       and n.name like '%erased-%'
       and n.label_id <> {made}";

impl Store {
    /// Fills `gitlab_labels.group_id` from the groups' own listings. Gives how many labels changed.
    pub async fn assign_label_groups(
        &self,
        instance: i64,
        sent_at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let assigned = sqlx::query(
            "update gitlab_labels l
                set group_id = o.group_id, synced_at = greatest(l.synced_at, $1)
               from (
                 select l.project_id, l.id, g.group_id
                   from gitlab_labels l
                   left join weir.group_labels g on g.label_id = l.id and g.deleted_at is null
                  where l.project_id between $2 and $3
                    and not l.is_project_label
                    and l.deleted_at is null
                    and l.group_id is distinct from g.group_id
               ) o
              where l.project_id = o.project_id
                and l.id = o.id",
        );
        let (first, last) = (Instance(instance).id(0), Instance(instance).id(Instance::SPAN - 1));
        let assigned = assigned.bind(sent_at).bind(first).bind(last);
        Ok(assigned.execute(&self.pool).await?.rows_affected())
    }
}
