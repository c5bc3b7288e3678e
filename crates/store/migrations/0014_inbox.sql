-- Webhooks: the secrets they are checked with, and every delivery as it came.

create table weir.webhook_secrets (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('token', 'signing')),
  secret bytea not null,
  created_at timestamptz not null,
  valid_until timestamptz
);
comment on table weir.webhook_secrets is 'What webhooks prove themselves with, sealed.';
comment on column weir.webhook_secrets.id is 'Number of the secret.';
comment on column weir.webhook_secrets.kind is 'token: sent as X-Gitlab-Token; signing: what deliveries are signed with.';
comment on column weir.webhook_secrets.secret is 'The secret, sealed with a key of weir.encryption_keys.';
comment on column weir.webhook_secrets.created_at is 'When it was made.';
comment on column weir.webhook_secrets.valid_until is 'Until when it is still taken beside its successor; null for the one in use.';

create table weir.inbox (
  id bigint generated always as identity primary key,
  key bytea not null unique,
  received_at timestamptz not null,
  sender text,
  event text not null,
  body text not null,
  state text not null default 'due' check (state in ('due', 'done', 'unknown', 'failed')),
  due_at timestamptz not null,
  attempts integer not null default 0,
  owner text,
  until timestamptz,
  done_at timestamptz,
  note text
);
create index inbox_due on weir.inbox (due_at, id) where state = 'due';
create index inbox_done on weir.inbox (done_at) where state <> 'due';
comment on table weir.inbox is 'Webhook deliveries as they came. A delivery is a hint: what it names is read again.';
comment on column weir.inbox.id is 'Number of the delivery, in the order of arrival.';
comment on column weir.inbox.key is 'Digest of what tells the delivery from others: one that comes twice is kept once.';
comment on column weir.inbox.received_at is 'When it came.';
comment on column weir.inbox.sender is 'The GitLab that says it sent it.';
comment on column weir.inbox.event is 'Kind of the event, such as merge_request.';
comment on column weir.inbox.body is 'The payload.';
comment on column weir.inbox.state is 'due; done; unknown: nothing that Weir reads; failed: given up after several attempts.';
comment on column weir.inbox.due_at is 'When it is to be looked at.';
comment on column weir.inbox.attempts is 'How often that has failed.';
comment on column weir.inbox.owner is 'The worker that looks at it now.';
comment on column weir.inbox.until is 'When that worker counts as gone.';
comment on column weir.inbox.done_at is 'When it was dealt with.';
comment on column weir.inbox.note is 'What became of it, where there is something to say.';
