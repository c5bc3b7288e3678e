-- Weir's own tables: what it knows of each GitLab, how far it has read, and what it could not read.

create schema weir;

create table weir.instances (
  number bigint primary key,
  base_url text not null unique,
  version text,
  graphql boolean,
  schema_fields jsonb,
  schema_version text,
  checked_at timestamptz
);
comment on table weir.instances is 'The GitLab servers that data was read from.';
comment on column weir.instances.number is 'Number in the ids of everything read from it; the first is 0.';
comment on column weir.instances.base_url is 'Normalised base address.';
comment on column weir.instances.version is 'Version it last told, where it tells.';
comment on column weir.instances.graphql is 'Whether its GraphQL answers.';
comment on column weir.instances.schema_fields is 'The GraphQL fields Weir can do without, and whether this GitLab has them.';
comment on column weir.instances.schema_version is 'The version at which schema_fields was asked for.';
comment on column weir.instances.checked_at is 'When it was last asked.';

create table weir.syncs (
  id bigint generated always as identity primary key,
  instance bigint not null references weir.instances (number),
  connectors text[] not null,
  scope text not null,
  state text not null check (state in ('running', 'complete', 'stopped', 'failed')),
  phase text not null default 'discovery',
  owner text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  requests bigint not null default 0,
  bytes bigint not null default 0,
  waited_seconds double precision not null default 0,
  resources jsonb not null default '{}',
  error jsonb
);
create index syncs_running on weir.syncs (instance) where state = 'running';
comment on table weir.syncs is 'Each run of a sync: what it covered, what it cost and how it ended.';
comment on column weir.syncs.id is 'Number of the sync.';
comment on column weir.syncs.instance is 'The GitLab (weir.instances.number).';
comment on column weir.syncs.connectors is 'The connectors it ran.';
comment on column weir.syncs.scope is 'What it was limited to, as given on the command line; empty for everything.';
comment on column weir.syncs.state is 'running, complete, stopped (resumable) or failed.';
comment on column weir.syncs.phase is 'What it is doing: discovery, partitions, finishing.';
comment on column weir.syncs.owner is 'The process that leads it.';
comment on column weir.syncs.started_at is 'When it started.';
comment on column weir.syncs.finished_at is 'When it ended.';
comment on column weir.syncs.requests is 'Requests sent.';
comment on column weir.syncs.bytes is 'Bytes of answers read.';
comment on column weir.syncs.waited_seconds is 'Seconds it was told to wait by GitLab.';
comment on column weir.syncs.resources is 'Rows read, written, unchanged and rejected, by table.';
comment on column weir.syncs.error is 'Why it failed or stopped: code, reason, message.';

create table weir.partitions (
  instance bigint not null,
  resource text not null,
  reader text not null,
  parent_id bigint not null,
  complete_to timestamptz,
  complete_from timestamptz,
  backfill_cursor text,
  total bigint,
  confirmed_at timestamptz,
  primary key (instance, resource, reader, parent_id)
);
comment on table weir.partitions is 'How far each reader of a resource has got within each parent.';
comment on column weir.partitions.instance is 'The GitLab (weir.instances.number).';
comment on column weir.partitions.resource is 'Name of the resource.';
comment on column weir.partitions.reader is 'graphql or rest.';
comment on column weir.partitions.parent_id is 'The project or group (Weir''s id); 0 for the instance.';
comment on column weir.partitions.complete_to is 'Everything GitLab moved up to here is stored, back to complete_from.';
comment on column weir.partitions.complete_from is 'How far back it is stored; -infinity once the beginning was reached, null before the first page.';
comment on column weir.partitions.backfill_cursor is 'GraphQL''s cursor from which the way back goes on.';
comment on column weir.partitions.total is 'How many rows GitLab counts, where it was asked.';
comment on column weir.partitions.confirmed_at is 'When the partition was last found to be up to date.';

create table weir.leases (
  sync_id bigint not null references weir.syncs (id) on delete cascade,
  resource text not null,
  parent_id bigint not null,
  state text not null check (state in ('due', 'leased', 'done')),
  priority integer not null default 0,
  owner text,
  until timestamptz,
  primary key (sync_id, resource, parent_id)
);
create index leases_due on weir.leases (sync_id, priority, parent_id) where state <> 'done';
comment on table weir.leases is 'The work of a running sync: one row per resource and parent, taken by one process at a time.';
comment on column weir.leases.sync_id is 'The sync (weir.syncs.id).';
comment on column weir.leases.resource is 'Name of the resource.';
comment on column weir.leases.parent_id is 'The project or group (Weir''s id).';
comment on column weir.leases.state is 'due, leased or done.';
comment on column weir.leases.priority is 'Lower goes first; what is older than the first window waits.';
comment on column weir.leases.owner is 'The worker that holds it.';
comment on column weir.leases.until is 'When the lease lapses unless it is renewed.';

create table weir.pending (
  instance bigint not null,
  list text not null,
  project bigint not null,
  merge_request bigint not null,
  iid bigint not null,
  attempts integer not null default 0,
  owner text,
  until timestamptz,
  primary key (instance, merge_request, list)
);
comment on table weir.pending is 'Lists of merge requests that did not fit into a page, or are read by requests of their own.';
comment on column weir.pending.instance is 'The GitLab (weir.instances.number).';
comment on column weir.pending.list is 'notes, labels, assignees, reviewers or approvals.';
comment on column weir.pending.project is 'GitLab''s id of the project.';
comment on column weir.pending.merge_request is 'GitLab''s id of the merge request.';
comment on column weir.pending.iid is 'Its number within the project.';
comment on column weir.pending.attempts is 'How often reading it has failed.';
comment on column weir.pending.owner is 'The worker that reads it now.';
comment on column weir.pending.until is 'When that worker''s claim lapses.';

create table weir.skips (
  instance bigint not null,
  connector text not null,
  resource text not null,
  parent_id bigint not null,
  parent text not null,
  reason text not null,
  detail text not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (instance, connector, resource, parent_id, reason)
);
comment on table weir.skips is 'What could not be read, and why. A skip goes away when what it names is read.';
comment on column weir.skips.instance is 'The GitLab (weir.instances.number).';
comment on column weir.skips.connector is 'The connector that wanted it.';
comment on column weir.skips.resource is 'Name of the resource.';
comment on column weir.skips.parent_id is 'The project or group (Weir''s id); 0 for the instance.';
comment on column weir.skips.parent is 'Its path, for people.';
comment on column weir.skips.reason is 'feature_disabled, forbidden, not_found_or_no_access, job_token, graphql_off, ...';
comment on column weir.skips.detail is 'A sentence for people.';
comment on column weir.skips.first_seen_at is 'When it was first met.';
comment on column weir.skips.last_seen_at is 'When it was last met.';

create table weir.sync_rejects (
  id bigint generated always as identity primary key,
  instance bigint not null,
  resource text not null,
  reader text not null,
  parent_id bigint not null,
  error text not null,
  raw text not null,
  digest text not null,
  seen_at timestamptz not null,
  unique (instance, resource, parent_id, digest)
);
comment on table weir.sync_rejects is 'Elements of answers that could not be understood, kept as they came.';
comment on column weir.sync_rejects.id is 'Number.';
comment on column weir.sync_rejects.instance is 'The GitLab (weir.instances.number).';
comment on column weir.sync_rejects.resource is 'Name of the resource.';
comment on column weir.sync_rejects.reader is 'graphql or rest.';
comment on column weir.sync_rejects.parent_id is 'The project or group it was read under (Weir''s id).';
comment on column weir.sync_rejects.error is 'What was wrong.';
comment on column weir.sync_rejects.raw is 'The element.';
comment on column weir.sync_rejects.digest is 'Digest of the element, so that it is kept once.';
comment on column weir.sync_rejects.seen_at is 'When it was last met.';

create table weir.project_paths (
  project_id bigint not null,
  path text not null,
  first_seen_at timestamptz not null,
  primary key (project_id, path)
);
comment on table weir.project_paths is 'The paths a project has or had.';
comment on column weir.project_paths.project_id is 'The project (gitlab_projects.id).';
comment on column weir.project_paths.path is 'Whole path, namespace included.';
comment on column weir.project_paths.first_seen_at is 'When the path was first seen.';

create table weir.project_namespaces (
  project_id bigint primary key,
  namespace_id bigint not null
);
comment on table weir.project_namespaces is 'The namespace in which each project''s merge requests were read: when it changes, their labels are read again.';
comment on column weir.project_namespaces.project_id is 'The project (gitlab_projects.id).';
comment on column weir.project_namespaces.namespace_id is 'The namespace (gitlab_projects.namespace_id).';

create table weir.group_labels (
  group_id bigint not null,
  label_id bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (group_id, label_id)
);
comment on table weir.group_labels is 'Which group owns which label; gitlab_labels.group_id is filled from it.';
comment on column weir.group_labels.group_id is 'The group (gitlab_groups.id).';
comment on column weir.group_labels.label_id is 'The label (gitlab_labels.id).';
comment on column weir.group_labels.synced_at is 'When the read was sent that last changed this row.';
comment on column weir.group_labels.deleted_at is 'When the row was found to be gone from GitLab.';
comment on column weir.group_labels.deleted_reason is 'Why it is gone.';
