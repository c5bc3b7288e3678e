-- Whether webhooks tell what changes: the hooks as GitLab last showed them, what they have named, and what was refused.

create table weir.webhooks (
  instance bigint not null references weir.instances (number),
  place text not null check (place in ('project', 'group', 'system')),
  place_id bigint not null,
  hook_id bigint not null,
  path text not null,
  url text not null,
  events text[] not null,
  alert_status text,
  disabled_until timestamptz,
  problems text[] not null,
  token_id bigint,
  signing_token_id bigint,
  created_at timestamptz,
  checked_at timestamptz not null,
  primary key (instance, place, place_id, hook_id)
);
comment on table weir.webhooks is 'Hooks in GitLab that lead to Weir, as weir webhooks install and weir webhooks check last saw them.';
comment on column weir.webhooks.instance is 'The GitLab (weir.instances.number).';
comment on column weir.webhooks.place is 'project, group or system.';
comment on column weir.webhooks.place_id is 'The project or group (Weir''s id); 0 for the whole instance.';
comment on column weir.webhooks.hook_id is 'GitLab''s id of the hook.';
comment on column weir.webhooks.path is 'Path of the project or group; empty for the whole instance.';
comment on column weir.webhooks.url is 'Where GitLab delivers to.';
comment on column weir.webhooks.events is 'What it is told of, in GitLab''s words.';
comment on column weir.webhooks.alert_status is 'executable, temporarily_disabled or disabled, where GitLab tells.';
comment on column weir.webhooks.disabled_until is 'When GitLab delivers again.';
comment on column weir.webhooks.problems is 'What was wrong with it, each as a sentence.';
comment on column weir.webhooks.token_id is 'The secret token that Weir gave it (weir.webhook_secrets.id); null where somebody else did.';
comment on column weir.webhooks.signing_token_id is 'The signing token that Weir gave it (weir.webhook_secrets.id).';
comment on column weir.webhooks.created_at is 'When it was made.';
comment on column weir.webhooks.checked_at is 'When it was last seen.';

create table weir.webhook_hints (
  project_id bigint not null,
  kind text not null check (kind in ('merge_request', 'issue', 'pipeline')),
  number bigint not null,
  received_at timestamptz not null,
  primary key (project_id, kind, number)
);
comment on table weir.webhook_hints is 'What webhooks have named in the last seven days.';
comment on column weir.webhook_hints.project_id is 'The project (Weir''s id).';
comment on column weir.webhook_hints.kind is 'merge_request, issue or pipeline.';
comment on column weir.webhook_hints.number is 'Number within the project; of a pipeline GitLab''s id.';
comment on column weir.webhook_hints.received_at is 'When the last delivery came that named it.';

create table weir.webhook_refusals (
  hour timestamptz not null,
  reason text not null,
  count bigint not null,
  last_at timestamptz not null,
  primary key (hour, reason)
);
comment on table weir.webhook_refusals is 'Webhook deliveries that were not taken in the last seven days, counted.';
comment on column weir.webhook_refusals.hour is 'The hour in which they came.';
comment on column weir.webhook_refusals.reason is 'no_secret, wrong_secret, wrong_signature, stale_signature, too_large, too_slow, malformed, database, or stranger: without a secret and not from a GitLab.';
comment on column weir.webhook_refusals.count is 'How many.';
comment on column weir.webhook_refusals.last_at is 'When the last of them came.';

-- What moved lately is asked for in every look for gaps.
create index gitlab_merge_requests_updated_at on gitlab_merge_requests (updated_at);
