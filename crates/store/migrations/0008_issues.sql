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

-- Who is a member in effect.

create table gitlab_project_invited_groups (
  project_id bigint not null,
  group_id bigint not null,
  access_level integer not null,
  expires_at date,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, group_id)
);
comment on table gitlab_project_invited_groups is 'Groups that were invited into projects, as far as the token sees the groups. Groups invited into groups are not read: GitLab tells them for one group at a time only.';
comment on column gitlab_project_invited_groups.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_project_invited_groups.group_id is 'The group that was invited (gitlab_groups.id); it may lie outside the sight of the credentials.';
comment on column gitlab_project_invited_groups.access_level is 'The highest level that its members get in the project.';
comment on column gitlab_project_invited_groups.expires_at is 'Day on which the invitation ends; null for never.';
comment on column gitlab_project_invited_groups.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_project_invited_groups.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column gitlab_project_invited_groups.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create view gitlab_effective_group_members as
with recursive above (group_id, ancestor_id) as (
  select id, id from gitlab_groups where deleted_at is null
   union
  select a.group_id, g.parent_id
    from above a
    join gitlab_groups g on g.id = a.ancestor_id
   where g.parent_id is not null
)
select distinct on (a.group_id, m.user_id)
       a.group_id, m.user_id, m.access_level
     , case when a.ancestor_id = a.group_id then 'direct' else 'inherited' end as source
     , a.ancestor_id as source_id, m.expires_at
  from above a
  join gitlab_group_members m on m.group_id = a.ancestor_id
 where m.deleted_at is null
   and m.access_level > 5
 order by a.group_id, m.user_id, m.access_level desc, (a.ancestor_id = a.group_id) desc
        , coalesce(m.expires_at, 'infinity') desc, a.ancestor_id;

create view gitlab_effective_members as
select distinct on (project_id, user_id) project_id, user_id, access_level, source, source_id, expires_at
  from (
    select m.project_id, m.user_id, m.access_level, 1 as nearness, 'direct' as source, m.project_id as source_id, m.expires_at
      from gitlab_project_members m
      join gitlab_projects p on p.id = m.project_id
     where m.deleted_at is null
       and p.deleted_at is null
     union all
    select p.id, m.user_id, m.access_level, 2, 'inherited', m.source_id, m.expires_at
      from gitlab_projects p
      join gitlab_effective_group_members m on m.group_id = p.group_id
     where p.deleted_at is null
     union all
    select p.id, m.user_id, least(m.access_level, i.access_level), 3, 'invited', i.group_id, least(m.expires_at, i.expires_at)
      from gitlab_projects p
      join gitlab_project_invited_groups i on i.project_id = p.id
      join gitlab_effective_group_members m on m.group_id = i.group_id
     where p.deleted_at is null
       and i.deleted_at is null
  ) ways
 order by project_id, user_id, access_level desc, nearness, coalesce(expires_at, 'infinity') desc, source_id;

comment on view gitlab_effective_group_members is 'Who is a member of each group in effect: directly, or of a group above it. Each once, with the highest level. Not here: members of groups invited into a group, and of groups above that are out of sight of the token.';
comment on column gitlab_effective_group_members.group_id is 'The group (gitlab_groups.id).';
comment on column gitlab_effective_group_members.user_id is 'The member (gitlab_users.id).';
comment on column gitlab_effective_group_members.access_level is '10 guest, 15 planner, 20 reporter, 30 developer, 40 maintainer, 50 owner: the highest by any way. Minimal access (5) counts for nothing here.';
comment on column gitlab_effective_group_members.source is 'How this level comes: direct or inherited.';
comment on column gitlab_effective_group_members.source_id is 'The group whose member the user is (gitlab_groups.id).';
comment on column gitlab_effective_group_members.expires_at is 'Day on which that membership ends; null for never.';

comment on view gitlab_effective_members is 'Who is a member of each project in effect: directly, of its group or one above, or of a group that was invited into the project or one above that. Each once, with the highest level. Not here: members of groups that were invited into a group, which GitLab tells for one group at a time only, and of groups that are out of sight of the token.';
comment on column gitlab_effective_members.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_effective_members.user_id is 'The member (gitlab_users.id).';
comment on column gitlab_effective_members.access_level is '5 minimal, 10 guest, 15 planner, 20 reporter, 30 developer, 40 maintainer, 50 owner: the highest by any way.';
comment on column gitlab_effective_members.source is 'How this level comes: direct, inherited or invited; of equal ways the first of these.';
comment on column gitlab_effective_members.source_id is 'Where from: the project (gitlab_projects.id) where direct, the group whose member the user is (gitlab_groups.id) where inherited, the group that was invited (gitlab_groups.id) where invited.';
comment on column gitlab_effective_members.expires_at is 'Day on which that membership or invitation ends; null for never.';

-- What kind of account a user is, and why.

alter table gitlab_users add column type_rule text;
comment on table gitlab_users is 'People and bots that appear in the data read: members, authors, assignees, reviewers, approvers. With --all-users and the token of an administrator every user of the instance; never otherwise.';
comment on column gitlab_users.type is 'human, bot or ai_bot. A bot of GitLab Duo is an ai_bot; what is not a bot is human, the ghost user included. type_rule says why.';
comment on column gitlab_users.type_rule is 'The rule that decided on type, the first that fits. duo_account: GitLab''s bot flag and the name of a Duo account (GitLabDuo, duo-...); user_type: GitLab''s own type of the user, which GraphQL alone tells; token_bot: the flag and a name like project_12_bot_...; service_account: the flag and a name like service_account_...; bot_flag: the flag alone, set or not; ghost: the user to whom GitLab gives what deleted users leave behind; deleted_account: GitLab no longer knows the user, who counts as human. Null where GitLab has not told the flag yet.';
