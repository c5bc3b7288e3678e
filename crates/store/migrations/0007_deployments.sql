-- Environments, deployments, and the merge requests that GitLab links to them.

create table gitlab_environments (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  name text not null,
  slug text,
  external_url text,
  state text,
  tier text,
  created_at timestamptz,
  updated_at timestamptz,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
comment on table gitlab_environments is 'The places a project deploys to.';
comment on column gitlab_environments.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_environments.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_environments.source_id is 'GitLab''s id of the environment.';
comment on column gitlab_environments.name is 'Name, with its folder: review/feature-1.';
comment on column gitlab_environments.slug is 'The name as it stands in addresses.';
comment on column gitlab_environments.external_url is 'Where what is deployed can be seen.';
comment on column gitlab_environments.state is 'available, stopping or stopped.';
comment on column gitlab_environments.tier is 'production, staging, testing, development or other; null where GitLab is too old to tell.';
comment on column gitlab_environments.created_at is 'When it was created.';
comment on column gitlab_environments.updated_at is 'When GitLab last changed it.';

create table gitlab_deployments (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  iid bigint not null,
  environment text,
  environment_id bigint,
  status text not null,
  ref text,
  sha text,
  user_id bigint,
  job_id bigint,
  created_at timestamptz not null,
  updated_at timestamptz,
  finished_at timestamptz,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_deployments_environment on gitlab_deployments (project_id, environment_id)
 where deleted_at is null;
-- What a look at a project has to find again when an environment ends or returns.
create index gitlab_deployments_ended on gitlab_deployments (project_id, environment_id)
 where deleted_reason = 'parent_deleted';
create index gitlab_deployments_unfinished on gitlab_deployments (project_id, updated_at)
 where status in ('created', 'running', 'blocked') and job_id is null and deleted_at is null;
comment on table gitlab_deployments is 'Deployments to environments, by jobs and by the API.';
comment on column gitlab_deployments.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_deployments.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_deployments.source_id is 'GitLab''s id of the deployment.';
comment on column gitlab_deployments.iid is 'Its number within the project.';
comment on column gitlab_deployments.environment is 'Name of the environment.';
comment on column gitlab_deployments.environment_id is 'The environment (gitlab_environments.id).';
comment on column gitlab_deployments.status is 'created, running, success, failed, canceled, skipped or blocked.';
comment on column gitlab_deployments.ref is 'The branch or tag that was deployed.';
comment on column gitlab_deployments.sha is 'The commit that was deployed.';
comment on column gitlab_deployments.user_id is 'Who deployed (gitlab_users.id).';
comment on column gitlab_deployments.job_id is 'The job that deployed (gitlab_jobs.id); null where the API made the deployment, or the job was deleted.';
comment on column gitlab_deployments.created_at is 'When it was created.';
comment on column gitlab_deployments.updated_at is 'When GitLab last changed it.';
comment on column gitlab_deployments.finished_at is 'When its job ended; null without a job, because REST does not tell when such a deployment ended.';

create table gitlab_deployment_merge_requests (
  project_id bigint not null,
  deployment_id bigint not null,
  merge_request_id bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, deployment_id, merge_request_id)
);
create index gitlab_deployment_merge_requests_ended on gitlab_deployment_merge_requests (project_id, deployment_id)
 where deleted_reason = 'parent_deleted';
comment on table gitlab_deployment_merge_requests is 'The merge requests that GitLab says a successful deployment brought to its environment. Read with --deployment-merge-requests.';
comment on column gitlab_deployment_merge_requests.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_deployment_merge_requests.deployment_id is 'The deployment (gitlab_deployments.id).';
comment on column gitlab_deployment_merge_requests.merge_request_id is 'The merge request (gitlab_merge_requests.id).';

do $$
declare t text;
begin
  foreach t in array array['gitlab_environments', 'gitlab_deployments', 'gitlab_deployment_merge_requests'] loop
    execute format('comment on column %I.synced_at is %L', t, 'When the read was sent that last changed this row.');
    execute format('comment on column %I.deleted_at is %L', t, 'When the row was found to be gone from GitLab; null while it lives.');
    execute format('comment on column %I.deleted_reason is %L', t, 'Why it is gone: deleted, removed, parent_deleted, project_deleted.');
  end loop;
end $$;

create table weir.deployment_merge_requests (
  project_id bigint not null,
  deployment_id bigint not null,
  updated_at timestamptz not null,
  primary key (project_id, deployment_id)
);
comment on table weir.deployment_merge_requests is 'Deployments whose merge requests were asked for. One that is missing here, or has moved since, was read without --deployment-merge-requests: the next sync that wants them asks for its own.';
comment on column weir.deployment_merge_requests.project_id is 'The project (gitlab_projects.id).';
comment on column weir.deployment_merge_requests.deployment_id is 'The deployment (gitlab_deployments.id).';
comment on column weir.deployment_merge_requests.updated_at is 'gitlab_deployments.updated_at when they were asked for, in whole seconds.';

comment on table weir.pending is 'Lists below merge requests, pipelines and deployments that did not fit into a page, or are read by requests of their own.';
comment on column weir.pending.list is 'notes, labels, assignees, reviewers, approvals or approval_rules of a merge request; jobs of a pipeline, or the pipeline itself; deployment_merge_requests of a deployment.';
comment on column weir.pending.parent is 'GitLab''s id of the merge request, pipeline or deployment.';
