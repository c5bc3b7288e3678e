-- What is asked for while somebody reads it is read again, as the reading under way may have begun too early; and what is open is
-- looked at at its own pace.

create sequence weir.wishes;
comment on sequence weir.wishes is 'Numbers wishes for lists to be read: whoever has read one fulfils no later wish.';
alter table weir.pending add column wish bigint not null default nextval('weir.wishes');
comment on column weir.pending.wish is 'The last wish for it (weir.wishes). A reading that began before it does not fulfil it.';
create index pending_by_project on weir.pending (instance, project);

-- Where it does not matter whether an extractor deals with them.
create index inbox_waiting on weir.inbox (due_at, id) where state = 'due';

alter table weir.connections add column open_set_at timestamptz;
comment on column weir.connections.open_set_at is 'When a sync that was completed last began to look at what changes unseen in open merge requests and running pipelines.';
