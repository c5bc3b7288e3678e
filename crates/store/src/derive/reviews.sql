-- Reviews of merge requests and the columns derived from them, from the rows that are stored.
-- Times are cut to whole seconds, so that it does not matter whether REST or GraphQL brought them.
-- $1 project, $2 merge requests, $3 time of the read
with merge_request as materialized (
  select m.id, m.user_id as author_id, m.draft, m.state, m.created_at, m.merged_at
       , date_bin('1 second', m.created_at, timestamptz 'epoch') as opened
    from gitlab_merge_requests m
   where m.project_id = $1
     and m.id = any($2)
), note as materialized (
  select n.id, n.merge_request_id, n.user_id, n.system, n.action, n.created_at, n.updated_at, m.author_id
       , date_bin('1 second', n.created_at, timestamptz 'epoch') as second
    from gitlab_merge_request_notes n
    join merge_request m on m.id = n.merge_request_id
   where n.project_id = $1
     and n.merge_request_id = any($2)
     and n.deleted_at is null
), comment as (
  -- A sitting begins where more than 30 minutes passed since the comment before.
  select n.*
       , case when n.second - lag(n.second) over w <= interval '30 minutes' then 0 else 1 end as begins
    from note n
   where not n.system
     and n.user_id is not null
     and n.user_id is distinct from n.author_id
  window w as (partition by n.merge_request_id, n.user_id order by n.second, n.id)
), sitting as (
  select c.*
       , sum(c.begins) over (partition by c.merge_request_id, c.user_id order by c.second, c.id) as sitting
    from comment c
), commented as (
  select (array_agg(s.id order by s.second, s.id))[1] as id
       , s.merge_request_id, s.user_id
       , min(s.second) as created_at
       , date_bin('1 second', (array_agg(s.updated_at order by s.second desc, s.id desc))[1], timestamptz 'epoch') as updated_at
       , count(*)::integer as comment_count
    from sitting s
   group by s.merge_request_id, s.user_id, s.sitting
), said as (
  -- A person's last words about approving, as GitLab noted them.
  select n.merge_request_id, n.user_id
       , max(n.second) filter (where n.action = 'approved') as approved_at
       , max(n.second) filter (where n.action = 'unapproved') as unapproved_at
       , max(n.second) filter (where n.action = 'requested_changes') as requested_changes_at
    from note n
   where n.system
     and n.user_id is not null
     and n.action in ('approved', 'unapproved', 'requested_changes')
   group by n.merge_request_id, n.user_id
), approval as (
  select a.merge_request_id, a.user_id, date_bin('1 second', a.approved_at, timestamptz 'epoch') as approved_at
    from gitlab_merge_request_approvals a
   where a.project_id = $1
     and a.merge_request_id = any($2)
     and a.deleted_at is null
), requested as (
  select r.merge_request_id, r.user_id
    from gitlab_merge_request_reviewers r
   where r.project_id = $1
     and r.merge_request_id = any($2)
     and r.deleted_at is null
     and r.state = 'requested_changes'
), verdict as (
  select p.merge_request_id, p.user_id
       , case when a.user_id is not null then 'approved'
              when r.user_id is not null then 'changes_requested'
              else 'unapproved' end as review_type
       , case when a.user_id is not null then a.approved_at
              when r.user_id is not null then s.requested_changes_at
              else s.approved_at end as created_at
       , case when a.user_id is not null then a.approved_at
              when r.user_id is not null then s.requested_changes_at
              else greatest(s.approved_at, s.unapproved_at) end as updated_at
    from (
      select merge_request_id, user_id from approval
      union
      select merge_request_id, user_id from requested
      union
      select merge_request_id, user_id from said where approved_at is not null
    ) p
    left join approval a using (merge_request_id, user_id)
    left join requested r using (merge_request_id, user_id)
    left join said s using (merge_request_id, user_id)
), review as materialized (
  select c.id, c.merge_request_id, c.user_id, c.created_at, c.updated_at, false as approved, 'commented' as review_type
       , c.comment_count
    from commented c
  union all
  -- A negative id made from merge request and person: the same on every machine, and never a note's.
  select -1 - (('x' || substr(md5(v.merge_request_id || ':' || v.user_id), 1, 16))::bit(64)::bigint & 4611686018427387903)
       , v.merge_request_id, v.user_id, v.created_at, v.updated_at, v.review_type = 'approved', v.review_type, 0
    from verdict v
), timed as materialized (
  select r.*
       , greatest(0, extract(epoch from date_bin('1 second', r.created_at, timestamptz 'epoch') - m.opened))::bigint as since
       , coalesce(u.type, 'human') = 'human' and r.user_id is distinct from m.author_id as counts
    from review r
    join merge_request m on m.id = r.merge_request_id
    left join gitlab_users u on u.id = r.user_id
), written as (
  insert into gitlab_reviews as t
    (project_id, id, merge_request_id, user_id, created_at, updated_at, approved, review_type, comment_count,
     time_since_request, synced_at)
  select $1, id, merge_request_id, user_id, created_at, updated_at, approved, review_type, comment_count, since, $3
    from timed
   order by id
      on conflict (project_id, id) do update
     set merge_request_id = excluded.merge_request_id, user_id = excluded.user_id, created_at = excluded.created_at
       , updated_at = excluded.updated_at, approved = excluded.approved, review_type = excluded.review_type
       , comment_count = excluded.comment_count, time_since_request = excluded.time_since_request
       , synced_at = excluded.synced_at, deleted_at = null, deleted_reason = null
   where (t.merge_request_id, t.user_id, t.created_at, t.updated_at, t.approved, t.review_type, t.comment_count,
          t.time_since_request, t.deleted_at)
         is distinct from
         (excluded.merge_request_id, excluded.user_id, excluded.created_at, excluded.updated_at, excluded.approved,
          excluded.review_type, excluded.comment_count, excluded.time_since_request, null::timestamptz)
  returning 1
), gone as (
  update gitlab_reviews t
     set deleted_at = $3, deleted_reason = 'deleted', synced_at = $3
   where t.project_id = $1
     and t.merge_request_id = any($2)
     and t.deleted_at is null
     -- Uncorrelated, so that it is hashed once.
     and t.id not in (select r.id from review r)
  returning 1
), ready as (
  select n.merge_request_id, max(n.second) as ready_at
    from note n
   where n.action = 'ready'
   group by n.merge_request_id
), derived as (
  select m.id
       , case when m.draft then null
              else coalesce(max(r.ready_at), m.opened) end as ready_for_review
       , min(t.created_at) filter (where t.counts) as first_review_at
       , min(t.created_at) filter (where t.counts and t.approved) as first_approval_at
       , min(t.since) filter (where t.counts) as open_to_first_review
       , min(t.since) filter (where t.counts and t.approved) as open_to_first_approval
       , case when m.state = 'merged' then
           greatest(0, extract(epoch from date_bin('1 second', m.merged_at, timestamptz 'epoch') - m.opened))::bigint
         end as open_to_merge
    from merge_request m
    left join timed t on t.merge_request_id = m.id
    left join ready r on r.merge_request_id = m.id
   group by m.id, m.draft, m.created_at, m.opened, m.state, m.merged_at
), updated as (
  update gitlab_merge_requests m
     set ready_for_review = d.ready_for_review, first_review_at = d.first_review_at
       , first_approval_at = d.first_approval_at, open_to_first_review = d.open_to_first_review
       , open_to_first_approval = d.open_to_first_approval, open_to_merge = d.open_to_merge
    from derived d
   where m.project_id = $1
     and m.id = d.id
     and (m.ready_for_review, m.first_review_at, m.first_approval_at, m.open_to_first_review, m.open_to_first_approval,
          m.open_to_merge)
         is distinct from
         (d.ready_for_review, d.first_review_at, d.first_approval_at, d.open_to_first_review, d.open_to_first_approval,
          d.open_to_merge)
  returning 1
)
select (select count(*) from review) as read
     , (select count(*) from written) as written
     , (select count(*) from gone) as gone
     , (select count(*) from updated) as merge_requests
