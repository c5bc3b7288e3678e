//! Three questions that the demonstration answers.

use store::Store;

use crate::commands::sql::text;
use crate::problem::Problem;
use crate::terminal;

/// A question with the query that answers it.
struct Question {
    title: &'static str,
    sql: &'static str,
}

const QUESTIONS: [Question; 3] = [
    Question {
        title: "How long do merge requests wait for their first review?",
        sql: "\
select p.path_with_namespace as project
     , count(*) as merge_requests
     , round(percentile_cont(0.5) within group (order by m.open_to_first_review)::numeric / 3600, 1) as median_hours
     , round(percentile_cont(0.9) within group (order by m.open_to_first_review)::numeric / 3600, 1) as slowest_tenth_hours
  from gitlab_merge_requests m
  join gitlab_projects p on p.id = m.project_id
 where m.open_to_first_review is not null and m.deleted_at is null
 group by 1
 order by 3 desc
 limit 8",
    },
    Question {
        title: "How many merge requests are merged each week?",
        sql: "\
select date_trunc('week', merged_at)::date as week
     , count(*) as merged
     , count(distinct user_id) as authors
  from gitlab_merge_requests
 where merged_at is not null and deleted_at is null
 group by 1
 order by 1 desc
 limit 8",
    },
    Question {
        title: "Who reviews the most?",
        sql: "\
select u.name as reviewer
     , count(*) as reviews
     , count(*) filter (where r.approved) as approvals
     , count(distinct r.project_id) as projects
  from gitlab_reviews r
  join gitlab_users u on u.id = r.user_id
 where r.deleted_at is null and u.type = 'human'
 group by 1
 order by 2 desc
 limit 8",
    },
];

/// Asks them all and shows the answers.
pub async fn ask(store: &Store) -> Result<(), Problem> {
    for Question { title, sql } in QUESTIONS {
        let answer = store.query(sql).await?;
        terminal::print(&format!("{title}\n\n{}\n\n{}\n", indented(sql), text::text(&answer)));
    }
    Ok(())
}

fn indented(sql: &str) -> String {
    sql.lines().map(|it| format!("    {it}")).collect::<Vec<_>>().join("\n")
}
