-- What is asked for while somebody reads it is read again, as the reading under way may have begun too early; and what is open is
-- looked at at its own pace.

alter table weir.pending add column wishes integer not null default 0;
comment on column weir.pending.wishes is 'How often it was asked for again while somebody was reading it: then it is read once more.';

alter table weir.connections add column open_set_at timestamptz;
comment on column weir.connections.open_set_at is 'When a sync that was completed last began to look at what changes unseen in open merge requests and running pipelines.';
