//! What an address of GitLab names.

use gitlab_client::BaseUrl;

use crate::Failure;

/// Something that can be read again on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Path of the project.
    pub project: String,
    /// What in it.
    pub part: Part,
}

/// A part of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The project itself, with its labels, members and milestones.
    Project,
    /// A merge request, by its number within the project.
    MergeRequest(i64),
    /// A pipeline, by GitLab's id.
    Pipeline(i64),
    /// A job, by GitLab's id: its pipeline is read again.
    Job(i64),
}

impl Target {
    /// Reads an address below the base address: that of a project, merge request, pipeline or job.
    pub fn parse(url: &str, base: &BaseUrl) -> Result<Target, Failure> {
        let below = url.strip_prefix(base.as_str()).and_then(|it| it.strip_prefix('/'));
        let below = below.map(|it| it.split(['?', '#']).next().unwrap_or(it).trim_end_matches('/'));
        let Some(below) = below.filter(|it| !it.is_empty()) else {
            return Err(unknown(url, &format!("is not an address below {}", base.as_str())));
        };
        // Addresses of before GitLab 12 have no /-/ in them.
        let (project, part) = below.split_once("/-/").unwrap_or((below, ""));
        if project.starts_with("-/") || !project.contains('/') {
            return Err(unknown(url, "names no project"));
        }
        let part = part_of(part).ok_or_else(|| unknown(url, "names nothing that is read on its own"))?;
        Ok(Target { project: project.to_owned(), part })
    }
}

fn part_of(text: &str) -> Option<Part> {
    let mut words = text.split('/');
    let (Some(kind), number) = (words.next(), words.next()) else { return Some(Part::Project) };
    let number = || number?.parse().ok();
    match kind {
        "" => Some(Part::Project),
        "merge_requests" => number().map(Part::MergeRequest),
        "pipelines" => number().map(Part::Pipeline),
        "jobs" => number().map(Part::Job),
        _ => None,
    }
}

fn unknown(url: &str, what: &str) -> Failure {
    let message = format!(
        "{url:?} {what}. Give the address of a project, a merge request, a pipeline or a job, as the browser shows it."
    );
    Failure::new("usage", "address", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Option<Target> {
        Target::parse(url, &BaseUrl::parse("https://gitlab.example.com/git").unwrap()).ok()
    }

    #[test]
    fn addresses_as_the_browser_shows_them_are_understood() {
        let target = |part| Some(Target { project: "shop/web/api".to_owned(), part });
        let base = "https://gitlab.example.com/git/shop/web/api";
        assert_eq!(parse(base), target(Part::Project));
        assert_eq!(parse(&format!("{base}/-/merge_requests/7")), target(Part::MergeRequest(7)));
        assert_eq!(
            parse(&format!("{base}/-/merge_requests/7/diffs?x=1#note_5")),
            target(Part::MergeRequest(7))
        );
        assert_eq!(parse(&format!("{base}/-/pipelines/12/builds")), target(Part::Pipeline(12)));
        assert_eq!(parse(&format!("{base}/-/jobs/99#L3")), target(Part::Job(99)));
    }

    #[test]
    fn what_names_nothing_that_is_read_is_refused() {
        assert_eq!(parse("https://elsewhere.example.com/shop/api"), None);
        assert_eq!(parse("https://gitlab.example.com/git"), None);
        assert_eq!(parse("https://gitlab.example.com/git/shop"), None);
        assert_eq!(parse("https://gitlab.example.com/git/shop/api/-/tree/main"), None);
        assert_eq!(parse("https://gitlab.example.com/git/shop/api/-/merge_requests/new"), None);
    }
}
