-- What was last found when what is stored was held against what GitLab counts.

create table weir.proofs (
  instance bigint not null,
  project_id bigint not null,
  resource text not null,
  state text not null check (state in ('proved', 'differs', 'unproved')),
  theirs bigint,
  ours bigint not null,
  detail text not null default '',
  checked_at timestamptz not null,
  proved_at timestamptz,
  primary key (instance, project_id, resource)
);
comment on table weir.proofs is 'Per project and resource, whether what is stored is what GitLab has.';
comment on column weir.proofs.instance is 'The GitLab (weir.instances.number).';
comment on column weir.proofs.project_id is 'The project (gitlab_projects.id).';
comment on column weir.proofs.resource is 'Name of the resource.';
comment on column weir.proofs.state is 'proved, differs, or unproved where GitLab did not tell enough.';
comment on column weir.proofs.theirs is 'How many GitLab counts; null where it does not tell.';
comment on column weir.proofs.ours is 'How many are stored.';
comment on column weir.proofs.detail is 'What is missing, and why, for people; empty where nothing is.';
comment on column weir.proofs.checked_at is 'When it was last checked.';
comment on column weir.proofs.proved_at is 'When it was last proved; null for never.';

create index gitlab_merge_requests_milestone on gitlab_merge_requests (project_id, milestone_id) where milestone_id is not null;
create index gitlab_pipelines_updated on gitlab_pipelines (project_id, updated_at);
