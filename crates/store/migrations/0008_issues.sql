-- Issues with their labels, assignees and links.

create table gitlab_issues (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  iid bigint not null,
  title text not null,
  state text not null,
  type text,
  severity text,
  confidential boolean,
  user_id bigint,
  milestone_id bigint,
  created_at timestamptz,
  updated_at timestamptz,
  closed_at timestamptz,
  closed_by_user_id bigint,
  due_date date,
  description text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_issues_updated_at on gitlab_issues (updated_at);
comment on table gitlab_issues is 'Issues, incidents and tasks.';
comment on column gitlab_issues.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_issues.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_issues.source_id is 'GitLab''s id of the issue.';
comment on column gitlab_issues.iid is 'Its number within the project, as in #7.';
comment on column gitlab_issues.title is 'Title.';
comment on column gitlab_issues.state is 'opened or closed.';
comment on column gitlab_issues.type is 'issue, incident, task, test_case, requirement, ticket, ...';
comment on column gitlab_issues.severity is 'How bad an incident is: critical, high, medium, low or unknown; null for everything else.';
comment on column gitlab_issues.confidential is 'Whether only those who take part and members from Planner or Reporter on see it. A token with a lower role does not read such issues.';
comment on column gitlab_issues.user_id is 'Who opened it (gitlab_users.id).';
comment on column gitlab_issues.milestone_id is 'Its milestone (gitlab_milestones.id, with the same project_id).';
comment on column gitlab_issues.created_at is 'When it was opened first.';
comment on column gitlab_issues.updated_at is 'When GitLab last changed it. A second change within a minute does not always move it.';
comment on column gitlab_issues.closed_at is 'When it was closed; null while it is open.';
comment on column gitlab_issues.closed_by_user_id is 'Who closed it (gitlab_users.id). Only REST tells: null where GraphQL is read.';
comment on column gitlab_issues.due_date is 'Day on which it is due.';
comment on column gitlab_issues.description is 'Its text; null unless texts are kept (--keep-bodies).';
comment on column gitlab_issues.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_issues.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_issues.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table gitlab_issue_labels (
  project_id bigint not null,
  issue_id bigint not null,
  label_id bigint not null,
  name text not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, issue_id, label_id)
);
create index gitlab_issue_labels_label on gitlab_issue_labels (project_id, label_id);
comment on table gitlab_issue_labels is 'Labels on issues.';
comment on column gitlab_issue_labels.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_issue_labels.issue_id is 'The issue (gitlab_issues.id).';
comment on column gitlab_issue_labels.label_id is 'The label (gitlab_labels.id, with the same project_id); negative where GitLab told only its name.';
comment on column gitlab_issue_labels.name is 'The label''s text; it follows a renamed label.';
comment on column gitlab_issue_labels.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_issue_labels.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_issue_labels.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table gitlab_issue_assignees (
  project_id bigint not null,
  issue_id bigint not null,
  user_id bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, issue_id, user_id)
);
comment on table gitlab_issue_assignees is 'Assignees of issues.';
comment on column gitlab_issue_assignees.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_issue_assignees.issue_id is 'The issue (gitlab_issues.id).';
comment on column gitlab_issue_assignees.user_id is 'The assignee (gitlab_users.id).';
comment on column gitlab_issue_assignees.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_issue_assignees.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_issue_assignees.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table gitlab_issue_links (
  project_id bigint not null,
  issue_id bigint not null,
  kind text not null,
  target text not null,
  target_project_id bigint,
  target_project_path text,
  target_iid bigint,
  host text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, issue_id, kind, target)
);
create index gitlab_issue_links_target on gitlab_issue_links (kind, target_iid) where target_iid is not null;
comment on table gitlab_issue_links is 'What title and description of an issue name: merge requests and issues of this GitLab, keys of issues in other trackers, and addresses outside. The text itself is not kept for this. Code names nothing.';
comment on column gitlab_issue_links.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_issue_links.issue_id is 'The issue (gitlab_issues.id).';
comment on column gitlab_issue_links.kind is 'merge_request, issue, issue_key (ABC-123, as Jira and others number their issues) or url.';
comment on column gitlab_issue_links.target is 'What is named: !12 or #7 in the same project, group/project!12 in another, ABC-123, or the address without query, fragment and credentials; an address of more than 500 bytes is cut to its host.';
comment on column gitlab_issue_links.target_project_id is 'For a reference within the project: the project (gitlab_projects.id).';
comment on column gitlab_issue_links.target_project_path is 'For a reference to another project: its path as written, which may be an old one (weir.project_paths), or none at all.';
comment on column gitlab_issue_links.target_iid is 'For a reference: number of the merge request or issue. Whether there is one is not checked.';
comment on column gitlab_issue_links.host is 'For an address: its host in lower case, with the port where one is written.';
comment on column gitlab_issue_links.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_issue_links.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_issue_links.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

alter table gitlab_projects add column issues_access_level text;
comment on column gitlab_projects.issues_access_level is 'disabled, private or enabled: who can use issues.';

comment on table weir.pending is 'Lists below merge requests, issues and pipelines that did not fit into a page, or are read by requests of their own.';
comment on column weir.pending.list is 'notes, labels, assignees, reviewers, approvals or approval_rules of a merge request; issue_labels or issue_assignees of an issue; jobs of a pipeline, or the pipeline itself.';
comment on column weir.pending.parent is 'GitLab''s id of the merge request, issue or pipeline.';
