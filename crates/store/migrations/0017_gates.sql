-- What GitLab's rate limits leave to each user, shared by every process that asks with the user's tokens.

create table weir.gates (
  base_url text not null,
  whose text not null,
  user_id bigint,
  state jsonb not null default '{}',
  changed_at timestamptz not null,
  primary key (base_url, whose)
);
comment on table weir.gates is 'How much of its rate limit each user of a GitLab has left, and which processes may use it. Kept for a week after its last use.';
comment on column weir.gates.base_url is 'Address of the GitLab.';
comment on column weir.gates.whose is 'user with GitLab''s id of the user; where the user is not known, token with a digest of the token.';
comment on column weir.gates.user_id is 'GitLab''s id of the user of that token, once GitLab has told: the limit then stands in the row of the user.';
comment on column weir.gates.state is 'What GitLab last said (window), until when it asked to wait (paused_until, endpoints), and what each process may still send (holdings).';
comment on column weir.gates.changed_at is 'When it was last used.';
