-- When an approval was given, from the notes GitLab wrote about it, unless /approvals told.
-- $1 project, $2 merge requests
-- synced_at stays: it says when the row itself was read, by which a complete list knows what it may take away.
update gitlab_merge_request_approvals a
   set approved_at = n.approved_at
     , approved_at_source = case when n.approved_at is not null then 'note' end
  from (
    select a.merge_request_id, a.user_id
         , (select case when n.action = 'approved' then n.created_at end
              from gitlab_merge_request_notes n
             where n.project_id = a.project_id
               and n.merge_request_id = a.merge_request_id
               and n.user_id = a.user_id
               and n.system
               and n.action in ('approved', 'unapproved')
               and n.deleted_at is null
             order by date_bin('1 second', n.created_at, timestamptz 'epoch') desc, n.id desc
             limit 1) as approved_at
      from gitlab_merge_request_approvals a
     where a.project_id = $1
       and a.merge_request_id = any($2)
       and a.deleted_at is null
       and a.approved_at_source is distinct from 'approvals'
  ) n
 where a.project_id = $1
   and a.merge_request_id = n.merge_request_id
   and a.user_id = n.user_id
   and a.approved_at is distinct from n.approved_at
