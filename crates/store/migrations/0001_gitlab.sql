-- The tables that hold what GitLab says. One block per table: the table, its comment, then a comment for each
-- column; the schema explorer and docs/schema.md are made from these comments.

create table gitlab_groups (
  id bigint primary key,
  source_id bigint not null,
  parent_id bigint,
  name text not null,
  path text not null,
  full_path text not null,
  visibility text,
  created_at timestamptz,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text
);
comment on table gitlab_groups is 'Groups and subgroups within the sight of the credentials.';
comment on column gitlab_groups.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_groups.source_id is 'GitLab''s id of the group.';
comment on column gitlab_groups.parent_id is 'The group above (gitlab_groups.id); null for a top-level group. It may lie outside the sight of the credentials.';
comment on column gitlab_groups.name is 'Display name.';
comment on column gitlab_groups.path is 'Last part of the path.';
comment on column gitlab_groups.full_path is 'Whole path, from the top-level group down.';
comment on column gitlab_groups.visibility is 'private, internal or public.';
comment on column gitlab_groups.created_at is 'When the group was created.';

create table gitlab_projects (
  id bigint primary key,
  source_id bigint not null,
  group_id bigint,
  namespace_id bigint,
  namespace_full_path text,
  name text not null,
  path text not null,
  path_with_namespace text not null,
  description text,
  default_branch text,
  visibility text,
  archived boolean,
  topics text[],
  source_url text,
  empty_repo boolean,
  forked_from_project_id bigint,
  merge_requests_access_level text,
  builds_access_level text,
  marked_for_deletion_on date,
  created_at timestamptz,
  last_activity_at timestamptz,
  api_accessible boolean not null default true,
  inaccessible_since timestamptz,
  inaccessible_reason text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text
);
comment on table gitlab_projects is 'Projects (repositories) within the sight of the credentials, now or earlier.';
comment on column gitlab_projects.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_projects.source_id is 'GitLab''s id of the project; it survives renames and transfers.';
comment on column gitlab_projects.group_id is 'The group that holds the project (gitlab_groups.id); null in a user''s namespace.';
comment on column gitlab_projects.namespace_id is 'GitLab''s namespace (group or user) as instance number * 2^44 + namespace id.';
comment on column gitlab_projects.namespace_full_path is 'Path of the namespace.';
comment on column gitlab_projects.name is 'Display name.';
comment on column gitlab_projects.path is 'Last part of the path.';
comment on column gitlab_projects.path_with_namespace is 'Whole path, namespace included.';
comment on column gitlab_projects.description is 'Description shown on the project''s page.';
comment on column gitlab_projects.default_branch is 'Default branch; null for an empty repository or without access to code.';
comment on column gitlab_projects.visibility is 'private, internal or public.';
comment on column gitlab_projects.archived is 'Whether the project is archived: readable, without new work.';
comment on column gitlab_projects.topics is 'Topics, as GitLab orders them.';
comment on column gitlab_projects.source_url is 'Address of the project''s page.';
comment on column gitlab_projects.empty_repo is 'Whether the repository has no commit.';
comment on column gitlab_projects.forked_from_project_id is 'The project this one was forked from (gitlab_projects.id), where GitLab tells; it may lie outside the sight of the credentials.';
comment on column gitlab_projects.merge_requests_access_level is 'disabled, private or enabled: who can use merge requests.';
comment on column gitlab_projects.builds_access_level is 'disabled, private or enabled: who can use CI/CD.';
comment on column gitlab_projects.marked_for_deletion_on is 'Day on which the project was marked for deletion; null otherwise.';
comment on column gitlab_projects.created_at is 'When the project was created.';
comment on column gitlab_projects.last_activity_at is 'Last activity as GitLab counts it; it lags by up to an hour.';
comment on column gitlab_projects.api_accessible is 'Whether the last sync that looked for the project could see it.';
comment on column gitlab_projects.inaccessible_since is 'When the project was first found out of sight; null while it is in sight.';
comment on column gitlab_projects.inaccessible_reason is 'Why it is out of sight: not_found_or_no_access, forbidden.';

create table gitlab_users (
  id bigint primary key,
  source_id bigint not null,
  username text,
  name text,
  state text,
  bot boolean,
  type text,
  source_url text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text
);
comment on table gitlab_users is 'People and bots that appear in the data read: members, authors, assignees, reviewers, approvers. Never an enumeration of the instance.';
comment on column gitlab_users.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_users.source_id is 'GitLab''s id of the user.';
comment on column gitlab_users.username is 'User name, without the @.';
comment on column gitlab_users.name is 'Display name.';
comment on column gitlab_users.state is 'active, blocked, deactivated, banned, ...';
comment on column gitlab_users.bot is 'Whether GitLab calls the account a bot (access-token bots and service accounts included).';
comment on column gitlab_users.type is 'human, bot or ai_bot. A bot of GitLab Duo is an ai_bot; what is not a bot is human, the ghost user included.';
comment on column gitlab_users.source_url is 'Address of the user''s page.';

create table gitlab_group_members (
  group_id bigint not null,
  user_id bigint not null,
  access_level integer not null,
  created_at timestamptz,
  expires_at date,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (group_id, user_id)
);
comment on table gitlab_group_members is 'Direct members of groups.';
comment on column gitlab_group_members.group_id is 'The group (gitlab_groups.id).';
comment on column gitlab_group_members.user_id is 'The member (gitlab_users.id).';
comment on column gitlab_group_members.access_level is '5 minimal, 10 guest, 15 planner, 20 reporter, 30 developer, 40 maintainer, 50 owner.';
comment on column gitlab_group_members.created_at is 'When the membership began.';
comment on column gitlab_group_members.expires_at is 'Day on which the membership ends; null for never.';

create table gitlab_project_members (
  project_id bigint not null,
  user_id bigint not null,
  access_level integer not null,
  created_at timestamptz,
  expires_at date,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, user_id)
);
comment on table gitlab_project_members is 'Direct members of projects.';
comment on column gitlab_project_members.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_project_members.user_id is 'The member (gitlab_users.id).';
comment on column gitlab_project_members.access_level is '5 minimal, 10 guest, 15 planner, 20 reporter, 30 developer, 40 maintainer, 50 owner.';
comment on column gitlab_project_members.created_at is 'When the membership began.';
comment on column gitlab_project_members.expires_at is 'Day on which the membership ends; null for never.';

create table gitlab_labels (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  group_id bigint,
  is_project_label boolean,
  name text not null,
  color text,
  description text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
comment on table gitlab_labels is 'Labels usable in each project: its own and those of the groups above it, a group''s label once per project that sees it.';
comment on column gitlab_labels.project_id is 'The project that sees the label (gitlab_projects.id).';
comment on column gitlab_labels.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_labels.source_id is 'GitLab''s id of the label.';
comment on column gitlab_labels.group_id is 'The group that owns the label (gitlab_groups.id), where that group is within sight; null for a project''s own label.';
comment on column gitlab_labels.is_project_label is 'Whether the label belongs to the project itself.';
comment on column gitlab_labels.name is 'The label''s text.';
comment on column gitlab_labels.color is 'Background colour, as GitLab gives it.';
comment on column gitlab_labels.description is 'Description of the label.';

create table gitlab_milestones (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  iid bigint,
  group_id bigint,
  title text not null,
  state text,
  start_date date,
  due_date date,
  created_at timestamptz,
  updated_at timestamptz,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
comment on table gitlab_milestones is 'Milestones usable in each project: its own and those of the groups above it, a group''s milestone once per project that sees it.';
comment on column gitlab_milestones.project_id is 'The project that sees the milestone (gitlab_projects.id).';
comment on column gitlab_milestones.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_milestones.source_id is 'GitLab''s id of the milestone.';
comment on column gitlab_milestones.iid is 'Number of the milestone within its project or group.';
comment on column gitlab_milestones.group_id is 'The group that owns the milestone (gitlab_groups.id); null for a project''s own milestone.';
comment on column gitlab_milestones.title is 'Title.';
comment on column gitlab_milestones.state is 'active or closed.';
comment on column gitlab_milestones.start_date is 'First day.';
comment on column gitlab_milestones.due_date is 'Last day.';
comment on column gitlab_milestones.created_at is 'When the milestone was created.';
comment on column gitlab_milestones.updated_at is 'When GitLab last changed the milestone.';

create table gitlab_merge_requests (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  iid bigint not null,
  title text not null,
  state text not null,
  draft boolean,
  user_id bigint,
  source_branch text,
  target_branch text,
  source_project_id bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  merged_at timestamptz,
  closed_at timestamptz,
  sha text,
  merge_commit_sha text,
  squash_commit_sha text,
  merged_by_user_id bigint,
  closed_by_user_id bigint,
  milestone_id bigint,
  user_notes_count integer,
  additions integer,
  deletions integer,
  changed_files integer,
  ready_for_review timestamptz,
  first_review_at timestamptz,
  first_approval_at timestamptz,
  open_to_first_review bigint,
  open_to_first_approval bigint,
  open_to_merge bigint,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create unique index gitlab_merge_requests_iid on gitlab_merge_requests (project_id, iid);
create index gitlab_merge_requests_open on gitlab_merge_requests (project_id) where state in ('opened', 'locked');
comment on table gitlab_merge_requests is 'Merge requests.';
comment on column gitlab_merge_requests.project_id is 'The project the merge request lives in, which is its target (gitlab_projects.id).';
comment on column gitlab_merge_requests.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_merge_requests.source_id is 'GitLab''s id of the merge request, unique over the instance.';
comment on column gitlab_merge_requests.iid is 'Number within the project, as in !42.';
comment on column gitlab_merge_requests.title is 'Title.';
comment on column gitlab_merge_requests.state is 'opened, closed, locked (being merged) or merged.';
comment on column gitlab_merge_requests.draft is 'Whether it is a draft.';
comment on column gitlab_merge_requests.user_id is 'Author (gitlab_users.id).';
comment on column gitlab_merge_requests.source_branch is 'Branch to be merged.';
comment on column gitlab_merge_requests.target_branch is 'Branch it is to be merged into.';
comment on column gitlab_merge_requests.source_project_id is 'Project of the source branch (gitlab_projects.id); null when that fork was deleted. It may lie outside the sight of the credentials.';
comment on column gitlab_merge_requests.created_at is 'When it was opened.';
comment on column gitlab_merge_requests.updated_at is 'When GitLab last moved it; GitLab does not move it again within 60 seconds.';
comment on column gitlab_merge_requests.merged_at is 'When it was merged.';
comment on column gitlab_merge_requests.closed_at is 'When it was last closed; it may remain on a reopened merge request: trust state.';
comment on column gitlab_merge_requests.sha is 'Head commit of the source branch; null without a diff.';
comment on column gitlab_merge_requests.merge_commit_sha is 'Merge commit; null for fast-forward merges.';
comment on column gitlab_merge_requests.squash_commit_sha is 'Squash commit. Only REST tells it.';
comment on column gitlab_merge_requests.merged_by_user_id is 'Who merged it (gitlab_users.id); null unless merged.';
comment on column gitlab_merge_requests.closed_by_user_id is 'Who closed it (gitlab_users.id). Only REST tells it.';
comment on column gitlab_merge_requests.milestone_id is 'Milestone (gitlab_milestones.id).';
comment on column gitlab_merge_requests.user_notes_count is 'Comments by people, as GitLab counts them; system notes are not among them.';
comment on column gitlab_merge_requests.additions is 'Lines added. Only GraphQL tells it; null where GitLab has no diff statistics.';
comment on column gitlab_merge_requests.deletions is 'Lines removed. Only GraphQL tells it.';
comment on column gitlab_merge_requests.changed_files is 'Files changed. Only GraphQL tells it.';
comment on column gitlab_merge_requests.ready_for_review is 'When it last left draft; created_at if it never was one; null while it is a draft.';
comment on column gitlab_merge_requests.first_review_at is 'First review (comment or approval) by a person other than the author; bots do not count.';
comment on column gitlab_merge_requests.first_approval_at is 'First approval still standing, by a person other than the author; bots do not count.';
comment on column gitlab_merge_requests.open_to_first_review is 'Seconds from created_at to first_review_at, in whole seconds, never negative.';
comment on column gitlab_merge_requests.open_to_first_approval is 'Seconds from created_at to first_approval_at, in whole seconds, never negative.';
comment on column gitlab_merge_requests.open_to_merge is 'Seconds from created_at to merged_at, in whole seconds, never negative; null unless merged.';

create table gitlab_merge_request_labels (
  project_id bigint not null,
  merge_request_id bigint not null,
  label_id bigint not null,
  name text not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, label_id)
);
create index gitlab_merge_request_labels_label on gitlab_merge_request_labels (project_id, label_id);
comment on table gitlab_merge_request_labels is 'Labels on merge requests.';
comment on column gitlab_merge_request_labels.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_labels.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_labels.label_id is 'The label (gitlab_labels.id, with the same project_id); negative where GitLab told only its name.';
comment on column gitlab_merge_request_labels.name is 'The label''s text; it follows a renamed label.';

create table gitlab_merge_request_assignees (
  project_id bigint not null,
  merge_request_id bigint not null,
  user_id bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, user_id)
);
comment on table gitlab_merge_request_assignees is 'Assignees of merge requests.';
comment on column gitlab_merge_request_assignees.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_assignees.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_assignees.user_id is 'The assignee (gitlab_users.id).';

create table gitlab_merge_request_reviewers (
  project_id bigint not null,
  merge_request_id bigint not null,
  user_id bigint not null,
  state text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, user_id)
);
comment on table gitlab_merge_request_reviewers is 'Requested reviewers of merge requests, with the state of their review.';
comment on column gitlab_merge_request_reviewers.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_reviewers.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_reviewers.user_id is 'The reviewer (gitlab_users.id).';
comment on column gitlab_merge_request_reviewers.state is 'unreviewed, reviewed, requested_changes, approved, unapproved or review_started; null where GitLab does not tell.';

create table gitlab_merge_request_approvals (
  project_id bigint not null,
  merge_request_id bigint not null,
  user_id bigint not null,
  approved_at timestamptz,
  approved_at_source text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, user_id)
);
comment on table gitlab_merge_request_approvals is 'Approvals that stand, one per person and merge request; a withdrawn one is marked deleted.';
comment on column gitlab_merge_request_approvals.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_approvals.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_approvals.user_id is 'Who approved (gitlab_users.id).';
comment on column gitlab_merge_request_approvals.approved_at is 'When; from /approvals where GitLab tells it there, else from the person''s last approval note not followed by a withdrawal, else null.';
comment on column gitlab_merge_request_approvals.approved_at_source is 'Where approved_at comes from: approvals or note; null when it is not known.';

create table gitlab_merge_request_notes (
  project_id bigint not null,
  id bigint not null,
  source_id bigint not null,
  merge_request_id bigint not null,
  user_id bigint,
  system boolean not null,
  action text,
  type text,
  discussion_id text,
  resolved boolean,
  internal boolean,
  created_at timestamptz not null,
  updated_at timestamptz,
  body text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_merge_request_notes_parent on gitlab_merge_request_notes (project_id, merge_request_id);
comment on table gitlab_merge_request_notes is 'Comments and system notes of merge requests.';
comment on column gitlab_merge_request_notes.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_notes.id is 'Weir''s id: instance number * 2^44 + GitLab''s id.';
comment on column gitlab_merge_request_notes.source_id is 'GitLab''s id of the note.';
comment on column gitlab_merge_request_notes.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_notes.user_id is 'Author (gitlab_users.id).';
comment on column gitlab_merge_request_notes.system is 'Whether GitLab wrote the note about an action.';
comment on column gitlab_merge_request_notes.action is 'What a system note is about (approved, unapproved, reviewer, assignee, label, title, draft, ready, commit, merged, closed, ...); null for comments.';
comment on column gitlab_merge_request_notes.type is 'DiffNote, DiscussionNote or LegacyDiffNote; null for a plain note.';
comment on column gitlab_merge_request_notes.discussion_id is 'The thread the note belongs to (40 hexadecimal digits).';
comment on column gitlab_merge_request_notes.resolved is 'Whether the note is resolved; null where it cannot be.';
comment on column gitlab_merge_request_notes.internal is 'Whether the note is hidden from outsiders; null where GitLab does not tell.';
comment on column gitlab_merge_request_notes.created_at is 'When it was written.';
comment on column gitlab_merge_request_notes.updated_at is 'When it was last changed.';
comment on column gitlab_merge_request_notes.body is 'The text; null unless bodies were asked for.';

create table gitlab_reviews (
  project_id bigint not null,
  id bigint not null,
  merge_request_id bigint not null,
  user_id bigint not null,
  created_at timestamptz,
  updated_at timestamptz,
  approved boolean not null,
  review_type text not null,
  comment_count integer not null,
  time_since_request bigint,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index gitlab_reviews_parent on gitlab_reviews (project_id, merge_request_id);
comment on table gitlab_reviews is 'Reviews: a person''s comments of one sitting (each at most 30 minutes after the one before), and a person''s verdict on a merge request. Computed from notes, approvals and reviewers.';
comment on column gitlab_reviews.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_reviews.id is 'Id of the first note for comments; for a verdict a negative number made from merge request and person.';
comment on column gitlab_reviews.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_reviews.user_id is 'The reviewer (gitlab_users.id); never the author of the merge request for comments.';
comment on column gitlab_reviews.created_at is 'First comment of the sitting; when the verdict was given, null where GitLab does not tell.';
comment on column gitlab_reviews.updated_at is 'Last change of the sitting''s last comment; when the verdict last changed, null where GitLab does not tell.';
comment on column gitlab_reviews.approved is 'Whether this is an approval that stands.';
comment on column gitlab_reviews.review_type is 'commented, approved, unapproved (withdrawn or reset) or changes_requested.';
comment on column gitlab_reviews.comment_count is 'Comments in the sitting; 0 for a verdict.';
comment on column gitlab_reviews.time_since_request is 'Seconds from the merge request''s created_at to this review''s created_at, in whole seconds, never negative.';

do $$
declare t text;
begin
  for t in select tablename from pg_tables where schemaname = 'public' and tablename like 'gitlab\_%' loop
    execute format('comment on column %I.synced_at is %L', t, 'When the read was sent that last changed this row.');
    execute format('comment on column %I.deleted_at is %L', t, 'When the row was found to be gone from GitLab; null while it lives.');
    execute format('comment on column %I.deleted_reason is %L', t, 'Why it is gone: deleted, removed, parent_deleted, project_deleted.');
  end loop;
end $$;
