-- People who turned out to be bots after their reviews were counted.

create table weir.people_due (
  user_id bigint primary key
);
comment on table weir.people_due is 'Users whose kind became known or changed after something was derived from it: what depends on them is computed again before a sync ends.';
comment on column weir.people_due.user_id is 'The user (gitlab_users.id).';
