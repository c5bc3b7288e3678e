//! Requests of a full import for each thing that is read, by resource. The fake tells which query was asked, so that
//! what all resources share (discovery, labels, members, people) is told apart.

use super::super::Programs;
use super::super::fake::{Asked, Fake};
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtMost, None};
use super::{EIGHT, JOBS, MERGE_REQUESTS, PIPELINES, PROJECTS};

const PROJECTS_WITH_DEPLOYMENTS: &str = "select count(distinct project_id) from gitlab_deployments";
const PROJECTS_WITH_COMMITS: &str = "select count(distinct project_id) from gitlab_commits";
const DEPLOYMENTS: &str = "select count(*) from gitlab_deployments";
const ENVIRONMENTS: &str = "select count(*) from gitlab_environments";
const COMMITS: &str = "select count(*) from gitlab_commits";
const ISSUES: &str = "select count(*) from gitlab_issues";

/// Which requests are asked for which resource.
struct Share {
    merge_requests: f64,
    commits: f64,
    pipelines: f64,
    deployments: f64,
    environments: f64,
    trunk: f64,
    issues: f64,
    all: f64,
}

impl Share {
    fn of(asked: &Asked) -> Share {
        let notes = ["notes", "labels", "assignees", "reviewers", "approvals"];
        let merge_requests = asked.queries("mergeRequests")
            + notes.into_iter().map(|it| asked.queries(it)).sum::<f64>()
            + asked.rest("/projects/{id}/merge_requests");
        let commits_by_rest = asked.rest("/projects/{id}/merge_requests/{iid}/commits");
        Share {
            merge_requests: merge_requests - commits_by_rest,
            commits: asked.queries("mergeRequestCommits") + commits_by_rest,
            pipelines: asked.queries("pipelines")
                + asked.queries("jobs")
                + asked.rest("/projects/{id}/pipelines")
                + asked.rest("/projects/{id}/jobs"),
            deployments: asked.rest("/projects/{id}/deployments"),
            environments: asked.rest("/projects/{id}/environments"),
            trunk: asked.rest("/projects/{id}/repository/commits"),
            issues: asked.queries("issues")
                + asked.queries("issueLabels")
                + asked.queries("issueAssignees")
                + asked.rest("/projects/{id}/issues"),
            all: asked.total,
        }
    }

    fn others(&self) -> f64 {
        self.all
            - self.merge_requests
            - self.commits
            - self.pipelines
            - self.deployments
            - self.environments
            - self.trunk
            - self.issues
    }
}

/// Projects that have a lot of everything, and pipelines of nearly a hundred jobs. Up to a hundred come with their
/// pipeline, attempts that were repeated included.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    everything(programs, table)?;
    large_pipelines(programs, table)
}

fn everything(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "full import, requests by resource";
    let counts = ["--ordinary", "--projects", "9", "--merge-requests", "300", "--commits", "2000"];
    let more = ["--pipelines", "500", "--jobs", "8", "--deployments", "1500", "--issues", "200"];
    let fake = Fake::start(&programs.fake, &[&["--scale", "medium"], &counts[..], &more[..]].concat())?;
    let place = Place::new(programs)?;
    place.import(&fake, EIGHT)?;
    let share = Share::of(&fake.asked()?);
    let per = |requests: f64, query: &str| Ok::<_, anyhow::Error>(requests / place.count(query)?);
    table.add(NAME, "per merge request", per(share.merge_requests, MERGE_REQUESTS)?, None);
    let with_commits = share.merge_requests + share.commits;
    table.add(NAME, "per merge request with its commits", per(with_commits, MERGE_REQUESTS)?, AtMost(0.1));
    table.add(NAME, "per pipeline with its jobs", per(share.pipelines, PIPELINES)?, AtMost(0.06));
    table.add(NAME, "per issue", per(share.issues, ISSUES)?, None);
    table.add(NAME, "per deployment", per(share.deployments, DEPLOYMENTS)?, None);
    let (deployments, deploying) = (place.count(DEPLOYMENTS)?, place.count(PROJECTS_WITH_DEPLOYMENTS)?);
    let name = "for all deployments (target 0.012 each, 1 per project)";
    table.add(NAME, name, share.deployments, AtMost(0.012 * deployments + deploying));
    // GitLab answers no question about the environments of many projects: each has to be asked.
    let name = format!("for all {} environments (target 1 per project)", place.count(ENVIRONMENTS)?);
    table.add(NAME, &name, share.environments, AtMost(place.count(PROJECTS)?));
    table.add(NAME, "per trunk commit", per(share.trunk, COMMITS)?, None);
    let (commits, pushed) = (place.count(COMMITS)?, place.count(PROJECTS_WITH_COMMITS)?);
    let name = "for all trunk commits (target 0.012 each, 1 per project)";
    table.add(NAME, name, share.trunk, AtMost(0.012 * commits + pushed));
    let name = format!("shared by all resources, {} projects", place.count(PROJECTS)?);
    table.add(NAME, &name, share.others(), None);
    Ok(())
}

fn large_pipelines(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "pipelines of 90 jobs";
    let counts = ["--ordinary", "--projects", "4", "--merge-requests", "1", "--commits", "1"];
    let more = ["--pipelines", "250", "--jobs", "90", "--deployments", "0", "--issues", "0"];
    let fake = Fake::start(&programs.fake, &[&["--scale", "medium"], &counts[..], &more[..]].concat())?;
    let place = Place::new(programs)?;
    place.import(&fake, &[EIGHT, &["--connector", "gitlab_pipelines"]].concat())?;
    let share = Share::of(&fake.asked()?);
    let pipelines = place.count(PIPELINES)?;
    table.add(NAME, "jobs per pipeline, retries included", place.count(JOBS)? / pipelines, None);
    table.add(NAME, "requests per pipeline", share.pipelines / pipelines, AtMost(0.06));
    Ok(())
}
