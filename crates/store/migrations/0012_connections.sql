-- What a server needs: connections with their credentials, keys of the API, and who used what.

create table weir.encryption_keys (
  id text primary key,
  witness bytea not null,
  created_at timestamptz not null
);
comment on table weir.encryption_keys is 'The keys that secrets in this database are sealed with. Never a key itself.';
comment on column weir.encryption_keys.id is 'Digest of the key, by which it is told from others.';
comment on column weir.encryption_keys.witness is 'A known text sealed with the key: whoever can open it has the key.';
comment on column weir.encryption_keys.created_at is 'When it was first used.';

create table weir.connections (
  id bigint generated always as identity primary key,
  type text not null,
  name text not null,
  instance bigint not null references weir.instances (number),
  settings jsonb not null,
  state text not null check (state in ('unverified', 'verified')),
  paused_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text,
  last_synced_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create index connections_live on weir.connections (type, id) where deleted_at is null;
comment on table weir.connections is 'What is imported unattended: one connector of one GitLab each.';
comment on column weir.connections.id is 'Number of the connection.';
comment on column weir.connections.type is 'Its connector: gitlab, gitlab_pipelines, gitlab_commits, gitlab_commits_trunk or gitlab_deployments.';
comment on column weir.connections.name is 'What people call it.';
comment on column weir.connections.instance is 'The GitLab (weir.instances.number).';
comment on column weir.connections.settings is 'What is imported and how. No secrets.';
comment on column weir.connections.state is 'unverified until a credential has been found to reach what the connector reads, then verified.';
comment on column weir.connections.paused_at is 'Since when nothing is scheduled for it, as somebody asked; null while it runs.';
comment on column weir.connections.disabled_at is 'Since when it cannot work; null while it can.';
comment on column weir.connections.disabled_reason is 'Why it cannot work, as a sentence.';
comment on column weir.connections.last_synced_at is 'When its last complete sync started.';
comment on column weir.connections.created_at is 'When it was made.';
comment on column weir.connections.updated_at is 'When it was last changed.';
comment on column weir.connections.deleted_at is 'When it was deleted; its data stays unless it was purged.';

create table weir.credentials (
  id bigint generated always as identity primary key,
  connection_id bigint not null references weir.connections (id),
  label text not null,
  settings jsonb not null,
  token bytea,
  fingerprint bytea,
  scopes text[],
  gitlab_user_id bigint,
  expiration_date date,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_used_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text,
  deleted_at timestamptz
);
create index credentials_live on weir.credentials (connection_id, id) where deleted_at is null;
create index credentials_same on weir.credentials (fingerprint) where deleted_at is null;
comment on table weir.credentials is 'The tokens of connections, sealed.';
comment on column weir.credentials.id is 'Number of the credential.';
comment on column weir.credentials.connection_id is 'The connection (weir.connections.id).';
comment on column weir.credentials.label is 'What people call it.';
comment on column weir.credentials.settings is 'How it is presented to GitLab: auth_kind is private, bearer or job.';
comment on column weir.credentials.token is 'The token, sealed with a key of weir.encryption_keys; null once the credential is deleted.';
comment on column weir.credentials.fingerprint is 'Keyed digest of the token, by which one token in two places is found.';
comment on column weir.credentials.scopes is 'What the token may do, where GitLab told.';
comment on column weir.credentials.gitlab_user_id is 'GitLab''s id of its user, where GitLab told: tokens of one user share one rate limit.';
comment on column weir.credentials.expiration_date is 'The day on which the token dies, as given or as GitLab told.';
comment on column weir.credentials.created_at is 'When it was added.';
comment on column weir.credentials.updated_at is 'When it was last changed.';
comment on column weir.credentials.last_used_at is 'When a sync last worked with it.';
comment on column weir.credentials.disabled_at is 'When GitLab refused it; null while it works.';
comment on column weir.credentials.disabled_reason is 'Why it is not used any more, as a sentence.';
comment on column weir.credentials.deleted_at is 'When it was deleted.';

create table weir.api_keys (
  id bigint generated always as identity primary key,
  name text not null,
  hint text not null,
  digest bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);
comment on table weir.api_keys is 'Keys of the API. A key itself is shown once and kept nowhere.';
comment on column weir.api_keys.id is 'Number of the key.';
comment on column weir.api_keys.name is 'What it is for.';
comment on column weir.api_keys.hint is 'Its first letters, by which people tell it from others.';
comment on column weir.api_keys.digest is 'SHA-256 of the key, which is 256 random bits.';
comment on column weir.api_keys.scopes is 'What it may do.';
comment on column weir.api_keys.created_at is 'When it was made.';
comment on column weir.api_keys.last_used_at is 'When it was last used, to the minute.';
comment on column weir.api_keys.revoked_at is 'When it was revoked; null while it works.';

create table weir.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  api_key_id bigint,
  actor text not null,
  action text not null,
  connection_id bigint,
  credential_id bigint,
  detail jsonb not null default '{}'
);
create index audit_log_connection on weir.audit_log (connection_id, id);
comment on table weir.audit_log is 'Who used which API key or credential for what.';
comment on column weir.audit_log.id is 'Number of the entry.';
comment on column weir.audit_log.at is 'When.';
comment on column weir.audit_log.api_key_id is 'The key that asked (weir.api_keys.id); null where Weir acted by itself or from the command line.';
comment on column weir.audit_log.actor is 'api, command, worker or webhook.';
comment on column weir.audit_log.action is 'What was done, such as credentials.create.';
comment on column weir.audit_log.connection_id is 'The connection it was about.';
comment on column weir.audit_log.credential_id is 'The credential it was about.';
comment on column weir.audit_log.detail is 'More about it. No secrets.';
