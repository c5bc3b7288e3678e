-- Complete listings that GitLab is asked for only if they changed.

create table weir.etags (
  table_name text not null,
  parent_id bigint not null,
  seal text not null,
  etag text not null,
  content text not null,
  primary key (table_name, parent_id, seal)
);
comment on table weir.etags is 'Answers of complete listings that fit into one page, by the name GitLab gave them: it is asked again only for what is no longer this (If-None-Match).';
comment on column weir.etags.table_name is 'The table the listing fills.';
comment on column weir.etags.parent_id is 'The project or group it belongs to (Weir''s id).';
comment on column weir.etags.seal is 'Digest of the request, of the token that sent it, and of what this Weir makes of an answer: another of these gets no use of the name.';
comment on column weir.etags.etag is 'GitLab''s name of the answer.';
comment on column weir.etags.content is 'Digest of the rows as they were stored from the answer: once they differ, the listing is read again.';

alter table weir.syncs add column not_modified bigint not null default 0;
comment on column weir.syncs.not_modified is 'Answers that said the content is as it was (304).';
