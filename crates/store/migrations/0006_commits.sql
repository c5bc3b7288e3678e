-- Commits of merge requests and of default branches, and how far each of them is read.

create table gitlab_merge_request_commits (
  project_id bigint not null,
  merge_request_id bigint not null,
  sha text not null,
  author_name text,
  author_email text,
  authored_at timestamptz,
  committed_at timestamptz,
  title text,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, sha)
);
comment on table gitlab_merge_request_commits is 'Commits of merge requests, as each lists them now.';
comment on column gitlab_merge_request_commits.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_commits.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_commits.sha is 'The commit.';
comment on column gitlab_merge_request_commits.author_name is 'Who wrote it, in the words of the author''s git.';
comment on column gitlab_merge_request_commits.author_email is 'The author''s address, in the words of the author''s git.';
comment on column gitlab_merge_request_commits.authored_at is 'When it was written.';
comment on column gitlab_merge_request_commits.committed_at is 'When it was committed; a rebase moves it.';
comment on column gitlab_merge_request_commits.title is 'The first line of its message, whole.';
comment on column gitlab_merge_request_commits.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_merge_request_commits.deleted_at is 'When the row was found to be gone from GitLab, as by a forced push; null while it lives.';
comment on column gitlab_merge_request_commits.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table gitlab_commits (
  project_id bigint not null,
  sha text not null,
  author_name text,
  author_email text,
  authored_at timestamptz,
  committer_name text,
  committer_email text,
  committed_at timestamptz not null,
  title text,
  parent_shas text[] not null,
  additions bigint,
  deletions bigint,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, sha)
);
create index gitlab_commits_committed on gitlab_commits (project_id, committed_at);
comment on table gitlab_commits is 'Commits of default branches: all that can be reached from their heads.';
comment on column gitlab_commits.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_commits.sha is 'The commit.';
comment on column gitlab_commits.author_name is 'Who wrote it, in the words of the author''s git.';
comment on column gitlab_commits.author_email is 'The author''s address, in the words of the author''s git.';
comment on column gitlab_commits.authored_at is 'When it was written.';
comment on column gitlab_commits.committer_name is 'Who committed it, in the words of the committer''s git.';
comment on column gitlab_commits.committer_email is 'The committer''s address, in the words of the committer''s git.';
comment on column gitlab_commits.committed_at is 'When it was committed; it may have been pushed much later.';
comment on column gitlab_commits.title is 'The first line of its message, whole.';
comment on column gitlab_commits.parent_shas is 'The commits it stands on: none for a first commit, several for a merge.';
comment on column gitlab_commits.additions is 'Lines added; null unless read with --commit-statistics.';
comment on column gitlab_commits.deletions is 'Lines deleted; null unless read with --commit-statistics.';
comment on column gitlab_commits.synced_at is 'When the read was sent that last changed this row.';
comment on column gitlab_commits.deleted_at is 'When the default branch was found not to lead to it any more; null while it lives.';
comment on column gitlab_commits.deleted_reason is 'Why it is gone: deleted, removed, parent_deleted, project_deleted.';

create table weir.merge_request_heads (
  project_id bigint not null,
  id bigint not null,
  iid bigint not null,
  state text not null,
  sha text,
  updated_at timestamptz,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, id)
);
create index merge_request_heads_open on weir.merge_request_heads (project_id) where state in ('opened', 'locked');
comment on table weir.merge_request_heads is 'In which commit each merge request ended when its commits were read: a push that moves nothing else is known by it.';
comment on column weir.merge_request_heads.project_id is 'The project (gitlab_projects.id).';
comment on column weir.merge_request_heads.id is 'The merge request (gitlab_merge_requests.id).';
comment on column weir.merge_request_heads.iid is 'Its number within the project.';
comment on column weir.merge_request_heads.state is 'opened, closed, merged or locked.';
comment on column weir.merge_request_heads.sha is 'Its head commit.';
comment on column weir.merge_request_heads.updated_at is 'When GitLab last moved the merge request.';
comment on column weir.merge_request_heads.synced_at is 'When the read was sent that last changed this row.';
comment on column weir.merge_request_heads.deleted_at is 'When the row was found to be gone from GitLab; null while it lives.';
comment on column weir.merge_request_heads.deleted_reason is 'Why it is gone.';

create table weir.trunks (
  project_id bigint primary key,
  default_branch text,
  commit_count bigint,
  last_activity_at timestamptz,
  due boolean not null default false,
  head text,
  read_at timestamptz,
  read_from timestamptz,
  statistics boolean not null default false,
  walk jsonb
);
comment on table weir.trunks is 'How far the default branch of each project is read, and what GitLab told of the project then.';
comment on column weir.trunks.project_id is 'The project (gitlab_projects.id).';
comment on column weir.trunks.default_branch is 'The name of the branch, as GitLab told when it was last to be read.';
comment on column weir.trunks.commit_count is 'How many commits GitLab counted then; null where it does not tell.';
comment on column weir.trunks.last_activity_at is 'When something had last happened in the project then.';
comment on column weir.trunks.due is 'Whether it is still to be read.';
comment on column weir.trunks.head is 'The commit in which the branch ended when it was last read; all that can be reached from it is stored.';
comment on column weir.trunks.read_at is 'When the last reading that came to its end began; null before the first.';
comment on column weir.trunks.read_from is 'How far back it is read, by --since; null for all of it.';
comment on column weir.trunks.statistics is 'Whether every commit was read with its additions and deletions.';
comment on column weir.trunks.walk is 'A reading that was cut short: where it goes on.';

comment on column weir.pending.list is 'notes, labels, assignees, reviewers, approvals, approval_rules or commits_of_merge_request of a merge request; jobs of a pipeline, or the pipeline itself.';
