-- Extractors: readers in networks that may only call out.

create table weir.extractors (
  id bigint generated always as identity primary key,
  name text not null unique,
  instance bigint not null references weir.instances (number),
  connectors text[] not null default '{}',
  version text,
  session text,
  connected_at timestamptz,
  heard_at timestamptz,
  created_at timestamptz not null
);
comment on table weir.extractors is 'Processes that read a GitLab from within its network and push what they read here.';
comment on column weir.extractors.id is 'Number of the extractor.';
comment on column weir.extractors.name is 'What it is called: its EXTRACTOR_ID.';
comment on column weir.extractors.instance is 'The GitLab that it reads (weir.instances.number), and no other.';
comment on column weir.extractors.connectors is 'The connectors that it runs.';
comment on column weir.extractors.version is 'Version of the program that last connected.';
comment on column weir.extractors.session is 'Word of the process that last connected; one before it is not listened to any more.';
comment on column weir.extractors.connected_at is 'When that process connected.';
comment on column weir.extractors.heard_at is 'When it was last heard, to ten seconds.';
comment on column weir.extractors.created_at is 'When it was first named.';

alter table weir.connections add column extractor_id bigint references weir.extractors (id);
comment on column weir.connections.extractor_id is 'The extractor that reads for it (weir.extractors.id); null where workers of this database do.';

alter table weir.api_keys add column extractor text;
comment on column weir.api_keys.extractor is 'The extractor (weir.extractors.name) that alone may come with it; null until one has, and where it is for other things.';

alter table weir.syncs add column until timestamptz;
comment on column weir.syncs.until is 'Until when an extractor that leads it counts as alive; null where the leader has a connection to the database.';

alter table weir.inbox add column extractor_id bigint;
drop index weir.inbox_due;
create index inbox_due on weir.inbox (due_at, id) where state = 'due' and extractor_id is null;
create index inbox_handed on weir.inbox (extractor_id, due_at, id) where state = 'due' and extractor_id is not null;
comment on column weir.inbox.extractor_id is 'The extractor that it was handed to (weir.extractors.id); null where workers of this database look at it.';

comment on column weir.audit_log.actor is 'api, command, worker, webhook or extractor.';
