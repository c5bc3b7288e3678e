-- Operation: whether a task gets anywhere, since when it fails, and how far each resource of a connection is up to date.

alter table weir.tasks
  add column progress_at timestamptz,
  add column succeeded_at timestamptz,
  add column failing_since timestamptz;
comment on column weir.tasks.progress_at is 'When its worker last got anywhere with it: an answer of GitLab, a row, another phase, or a wait that GitLab asked for.';
comment on column weir.tasks.succeeded_at is 'When it last ended complete.';
comment on column weir.tasks.failing_since is 'When the first of its failures in a row ended; null while it does not fail.';

create table weir.resource_states (
  connection_id bigint not null references weir.connections (id),
  resource text not null,
  last_synced_at timestamptz not null,
  primary key (connection_id, resource)
);
comment on table weir.resource_states is 'Up to when each resource of a connection is known to be up to date.';
comment on column weir.resource_states.connection_id is 'The connection (weir.connections.id).';
comment on column weir.resource_states.resource is 'Name of the resource.';
comment on column weir.resource_states.last_synced_at is 'Everything of it that GitLab had at this time is stored, apart from what weir.skips lists and older parts of a first import.';
