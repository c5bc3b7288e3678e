-- The schedule of connections: one row for each connection and activity, for as long as the connection lives.

create table weir.tasks (
  connection_id bigint not null references weir.connections (id),
  activity text not null check (activity in ('sync', 'sweep')),
  due_at timestamptz not null,
  owner text,
  until timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  outcome text check (outcome in ('complete', 'stopped', 'failed')),
  failures integer not null default 0,
  error jsonb,
  primary key (connection_id, activity)
);
create index tasks_due on weir.tasks (due_at);
comment on table weir.tasks is 'What is done for each connection, when it is due again, and how it last ended.';
comment on column weir.tasks.connection_id is 'The connection (weir.connections.id).';
comment on column weir.tasks.activity is 'sync, or sweep: a sync that also finds what was deleted.';
comment on column weir.tasks.due_at is 'When it is to start, unless it runs.';
comment on column weir.tasks.owner is 'The worker that runs it now.';
comment on column weir.tasks.until is 'When that worker counts as gone unless it says that it lives.';
comment on column weir.tasks.started_at is 'When it last started.';
comment on column weir.tasks.ended_at is 'When it last ended.';
comment on column weir.tasks.outcome is 'How it last ended: complete, stopped (to be gone on with) or failed.';
comment on column weir.tasks.failures is 'How often in a row it has failed.';
comment on column weir.tasks.error is 'Why it last failed: code, reason, message.';

alter table weir.syncs add column connection_id bigint;
create index syncs_of_connection on weir.syncs (connection_id, id) where connection_id is not null;
comment on column weir.syncs.connection_id is 'The connection it ran for (weir.connections.id); null where it was started from the command line.';
