-- What keeps Weir right when something else goes wrong: wishes that are not forgotten, and deliveries that are read again by those alone
-- who have not read them.

alter table weir.tasks add column wished boolean not null default false;
comment on column weir.tasks.wished is 'Whether somebody asked for it since it last started: then it is due again as soon as it ends.';

alter table weir.inbox add column read_by bigint[] not null default '{}';
comment on column weir.inbox.read_by is 'Connections (weir.connections.id) that have read what it names, while others could not yet.';

alter table weir.credentials
  add column warned_days integer,
  add column rotated_at timestamptz,
  add column rotation_began_at timestamptz,
  add column rotation_owner text,
  add column rotation_until timestamptz,
  add column rotation_failed_at timestamptz,
  add column rotation_error text;
comment on column weir.credentials.warned_days is 'Of which number of days before its end (30, 14 or 3) was warned last; null where of none.';
comment on column weir.credentials.rotated_at is 'When Weir last rotated the token by itself.';
comment on column weir.credentials.rotation_began_at is 'Since when Weir is rotating the token; it is not worked with meanwhile. Null otherwise.';
comment on column weir.credentials.rotation_owner is 'The process that rotates it.';
comment on column weir.credentials.rotation_until is 'When that process counts as gone; another one then finds out what became of the token.';
comment on column weir.credentials.rotation_failed_at is 'When a rotation last failed and left the token as it was; null after one that did not.';
comment on column weir.credentials.rotation_error is 'Why, as a sentence.';

alter table weir.connections
  add column purge_asked_at timestamptz,
  add column purged_at timestamptz,
  add column purged_rows bigint not null default 0,
  add column purge_owner text,
  add column purge_until timestamptz;
comment on column weir.connections.purge_asked_at is 'When it was asked to remove what the deleted connection brought; null where that stays.';
comment on column weir.connections.purged_at is 'When all of it was removed.';
comment on column weir.connections.purged_rows is 'How many rows were removed so far.';
comment on column weir.connections.purge_owner is 'The worker that removes them now.';
comment on column weir.connections.purge_until is 'When that worker counts as gone.';

create table weir.erased_people (
  user_id bigint primary key,
  erased_at timestamptz not null
);
comment on table weir.erased_people is 'People whose name, username and addresses were erased, and do not come back.';
comment on column weir.erased_people.user_id is 'The person (gitlab_users.id).';
comment on column weir.erased_people.erased_at is 'When that was first asked for.';

create table weir.erased_words (
  digest bytea not null,
  words integer not null,
  user_id bigint not null references weir.erased_people (user_id),
  primary key (digest, user_id)
);
comment on table weir.erased_words is 'What is not to be stored of erased people, as digests: incoming texts are held against them.';
comment on column weir.erased_words.digest is 'SHA-256 of the kind (username, name or email) and the word in small letters.';
comment on column weir.erased_words.words is 'Of how many words it is made.';
comment on column weir.erased_words.user_id is 'Whose it is (gitlab_users.id).';
