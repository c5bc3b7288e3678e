-- What is asked for while somebody reads it is read again: the reading under way may have begun before what is known by now.

alter table weir.pending add column wishes integer not null default 0;
comment on column weir.pending.wishes is 'How often it was asked for again while somebody was reading it: then it is read once more.';
