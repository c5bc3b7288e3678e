-- Pipelines and their jobs; what is left to read may hang on a pipeline as well as on a merge request.

create table gitlab_pipelines (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  iid bigint,
  name text,
  status text not null,
  source text,
  ref text,
  sha text,
  user_id bigint,
  tag boolean,
  yaml_errors text,
  coverage double precision,
  created_at timestamptz,
  updated_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  committed_at timestamptz,
  duration_seconds bigint,
  queued_duration_seconds bigint,
  merge_request_iid bigint,
  merge_request_pipeline_type text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_pipelines_running on gitlab_pipelines (project_id) where status = 'running' and deleted_at is null;
comment on table gitlab_pipelines is 'CI/CD pipelines, child pipelines among them.';
comment on column gitlab_pipelines.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_pipelines.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_pipelines.source_id is 'GitLab''s id of the pipeline.';
comment on column gitlab_pipelines.iid is 'Its number within the project.';
comment on column gitlab_pipelines.name is 'Its name, where the configuration gives one (workflow:name).';
comment on column gitlab_pipelines.status is 'created, waiting_for_resource, preparing, pending, running, success, failed, canceling, canceled, skipped, manual, scheduled, ...';
comment on column gitlab_pipelines.source is 'What started it: push, web, schedule, api, merge_request_event, parent_pipeline, pipeline (another project), ...';
comment on column gitlab_pipelines.ref is 'Branch or tag; refs/merge-requests/... for a pipeline of a merge request.';
comment on column gitlab_pipelines.sha is 'The commit it ran for.';
comment on column gitlab_pipelines.user_id is 'Who started it (gitlab_users.id).';
comment on column gitlab_pipelines.tag is 'Whether it ran for a tag.';
comment on column gitlab_pipelines.yaml_errors is 'What was wrong with the configuration; null where nothing was.';
comment on column gitlab_pipelines.coverage is 'Test coverage in percent.';
comment on column gitlab_pipelines.created_at is 'When it was created.';
comment on column gitlab_pipelines.updated_at is 'When GitLab last changed it; a job that is retried or played moves it, also long after it has finished.';
comment on column gitlab_pipelines.started_at is 'When its first job began.';
comment on column gitlab_pipelines.finished_at is 'When it ended last.';
comment on column gitlab_pipelines.committed_at is 'When its commit was made, where GitLab tells.';
comment on column gitlab_pipelines.duration_seconds is 'How long it ran in seconds, waiting for manual jobs left out.';
comment on column gitlab_pipelines.queued_duration_seconds is 'How long it waited before it began, in whole seconds.';
comment on column gitlab_pipelines.merge_request_iid is 'Number of the merge request it ran for, from its ref.';
comment on column gitlab_pipelines.merge_request_pipeline_type is 'detached, merged_result or merge_train for a pipeline of a merge request; null for a branch or a tag.';
comment on column gitlab_pipelines.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_pipelines.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_pipelines.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table gitlab_jobs (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  pipeline_id bigint not null,
  name text,
  stage text,
  kind text not null,
  status text not null,
  retried boolean,
  allow_failure boolean,
  failure_reason text,
  ref text,
  tag boolean,
  coverage double precision,
  user_id bigint,
  runner_id bigint,
  runner_type text,
  tags text[],
  created_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  erased_at timestamptz,
  duration_seconds bigint,
  queued_duration_seconds bigint,
  downstream_project_id bigint,
  downstream_pipeline_id bigint,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_jobs_pipeline on gitlab_jobs (project_id, pipeline_id);
comment on table gitlab_jobs is 'Jobs of pipelines: every attempt, and the bridges that start other pipelines.';
comment on column gitlab_jobs.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_jobs.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_jobs.source_id is 'GitLab''s id of the job.';
comment on column gitlab_jobs.pipeline_id is 'The pipeline (gitlab_pipelines.id).';
comment on column gitlab_jobs.name is 'Its name.';
comment on column gitlab_jobs.stage is 'The stage it belongs to.';
comment on column gitlab_jobs.kind is 'build, or bridge for a job that triggers another pipeline.';
comment on column gitlab_jobs.status is 'created, pending, running, success, failed, canceled, skipped, manual, scheduled, ...';
comment on column gitlab_jobs.retried is 'Whether a later attempt of the same job took its place.';
comment on column gitlab_jobs.allow_failure is 'Whether the pipeline may succeed although this job fails.';
comment on column gitlab_jobs.failure_reason is 'Why it failed: script_failure, runner_system_failure, stuck_or_timeout_failure, ...; null unless it failed.';
comment on column gitlab_jobs.ref is 'Branch or tag.';
comment on column gitlab_jobs.tag is 'Whether it ran for a tag.';
comment on column gitlab_jobs.coverage is 'Test coverage in percent.';
comment on column gitlab_jobs.user_id is 'Who started the job (gitlab_users.id). Only REST tells: null where GraphQL is read.';
comment on column gitlab_jobs.runner_id is 'GitLab''s number of the runner; null before one took the job.';
comment on column gitlab_jobs.runner_type is 'instance_type, group_type or project_type.';
comment on column gitlab_jobs.tags is 'The tags that a runner needs to take it; null for a bridge.';
comment on column gitlab_jobs.created_at is 'When it was created.';
comment on column gitlab_jobs.started_at is 'When it began.';
comment on column gitlab_jobs.finished_at is 'When it ended.';
comment on column gitlab_jobs.erased_at is 'When its log and artifacts were erased.';
comment on column gitlab_jobs.duration_seconds is 'How long it ran, in whole seconds.';
comment on column gitlab_jobs.queued_duration_seconds is 'How long it waited for a runner, in whole seconds.';
comment on column gitlab_jobs.downstream_project_id is 'For a bridge: the project of the pipeline it started (gitlab_projects.id); null where the token does not see it, or REST does not tell.';
comment on column gitlab_jobs.downstream_pipeline_id is 'For a bridge: the pipeline it started (gitlab_pipelines.id).';
comment on column gitlab_jobs.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_jobs.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_jobs.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

alter table weir.pending rename column merge_request to parent;
comment on table weir.pending is 'Lists below merge requests and pipelines that did not fit into a page, or are read by requests of their own.';
comment on column weir.pending.list is 'notes, labels, assignees, reviewers, approvals or approval_rules of a merge request; jobs of a pipeline, or the pipeline itself.';
comment on column weir.pending.parent is 'GitLab''s id of the merge request or pipeline.';
