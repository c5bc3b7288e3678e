-- A skip is tested again once a day, not in every sync.

alter table weir.skips add column tested_at timestamptz;
update weir.skips set tested_at = last_seen_at;
alter table weir.skips alter column tested_at set not null;
comment on column weir.skips.tested_at is 'When GitLab was last asked; between two tests the skip is only repeated.';
