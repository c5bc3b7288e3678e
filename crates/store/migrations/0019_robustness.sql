-- What keeps Weir right when something else goes wrong: wishes that are not forgotten, and deliveries that are read again by those alone
-- who have not read them.

alter table weir.tasks add column wished boolean not null default false;
comment on column weir.tasks.wished is 'Whether somebody asked for it since it last started: then it is due again as soon as it ends.';

alter table weir.inbox add column read_by bigint[] not null default '{}';
comment on column weir.inbox.read_by is 'Connections (weir.connections.id) that have read what it names, while others could not yet.';
