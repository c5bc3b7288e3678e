-- Approval rules of merge requests, which are read where they are asked for.

create table gitlab_merge_request_approval_rules (
  project_id bigint not null,
  merge_request_id bigint not null,
  id bigint not null,
  source_id bigint,
  name text not null,
  rule_type text,
  report_type text,
  section text,
  approvals_required integer,
  eligible_approvers integer,
  approved boolean,
  code_owner boolean,
  overridden boolean,
  contains_hidden_groups boolean,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, id)
);
comment on table gitlab_merge_request_approval_rules is 'Approval rules of each merge request, a project''s rule once per merge request it applies to. Read with --approval-rules; a merged merge request keeps the rules of when it was merged.';
comment on column gitlab_merge_request_approval_rules.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_approval_rules.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_approval_rules.id is 'Tells the rule from others of its merge request: Weir''s id, which is instance number * 2^44 + GitLab''s id; negative for rules that GitLab makes from code owners and reports, because it numbers these apart; made from type, section and name where GitLab gives no id.';
comment on column gitlab_merge_request_approval_rules.source_id is 'GitLab''s id of the rule: the project''s own where the merge request does not override it; null where GitLab gives none.';
comment on column gitlab_merge_request_approval_rules.name is 'Name; for code owners the pattern of paths.';
comment on column gitlab_merge_request_approval_rules.rule_type is 'any_approver, regular, code_owner or report_approver.';
comment on column gitlab_merge_request_approval_rules.report_type is 'The report that a report_approver rule is about, such as code_coverage or scan_finding; null for others.';
comment on column gitlab_merge_request_approval_rules.section is 'The section of the CODEOWNERS file; null for other rules.';
comment on column gitlab_merge_request_approval_rules.approvals_required is 'How many approvals the rule asks for.';
comment on column gitlab_merge_request_approval_rules.eligible_approvers is 'How many people GitLab names who may approve under the rule; it may name none where anybody may.';
comment on column gitlab_merge_request_approval_rules.approved is 'Whether the rule is satisfied.';
comment on column gitlab_merge_request_approval_rules.code_owner is 'Whether the rule comes from a CODEOWNERS file.';
comment on column gitlab_merge_request_approval_rules.overridden is 'Whether the merge request changes the project''s rule it comes from.';
comment on column gitlab_merge_request_approval_rules.contains_hidden_groups is 'Whether the rule names groups that the token does not see.';

create table gitlab_merge_request_approval_rule_approvals (
  project_id bigint not null,
  merge_request_id bigint not null,
  rule_id bigint not null,
  user_id bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  deleted_reason text,
  primary key (project_id, merge_request_id, rule_id, user_id)
);
comment on table gitlab_merge_request_approval_rule_approvals is 'Who approved under which approval rule: one approval counts for every rule the person is eligible for.';
comment on column gitlab_merge_request_approval_rule_approvals.project_id is 'The project (gitlab_projects.id).';
comment on column gitlab_merge_request_approval_rule_approvals.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column gitlab_merge_request_approval_rule_approvals.rule_id is 'The rule (gitlab_merge_request_approval_rules.id).';
comment on column gitlab_merge_request_approval_rule_approvals.user_id is 'Who approved (gitlab_users.id).';

do $$
declare t text;
begin
  foreach t in array array['gitlab_merge_request_approval_rules', 'gitlab_merge_request_approval_rule_approvals'] loop
    execute format('comment on column %I.synced_at is %L', t, 'When the read was sent that last changed this row.');
    execute format('comment on column %I.deleted_at is %L', t, 'When the row was found to be gone from GitLab; null while it lives.');
    execute format('comment on column %I.deleted_reason is %L', t, 'Why it is gone: deleted, removed, parent_deleted, project_deleted.');
  end loop;
end $$;

create table weir.approval_rules (
  project_id bigint not null,
  merge_request_id bigint not null,
  updated_at timestamptz not null,
  primary key (project_id, merge_request_id)
);
comment on table weir.approval_rules is 'Merge requests whose approval rules were asked for. One that is missing here, or has moved since, was read without --approval-rules: the next sync that wants rules asks for its own.';
comment on column weir.approval_rules.project_id is 'The project (gitlab_projects.id).';
comment on column weir.approval_rules.merge_request_id is 'The merge request (gitlab_merge_requests.id).';
comment on column weir.approval_rules.updated_at is 'gitlab_merge_requests.updated_at when they were asked for, in whole seconds.';

comment on column weir.pending.list is 'notes, labels, assignees, reviewers, approvals or approval_rules.';
comment on column weir.skips.reason is 'feature_disabled, forbidden, not_found_or_no_access, tier_missing, job_token, graphql_off, ...';
