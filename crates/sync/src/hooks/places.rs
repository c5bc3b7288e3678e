//! Where hooks are: a project, a group, or the whole instance.

use gitlab_client::{Client, Request};
use serde::{Deserialize, Serialize};

use super::hook::Hook;
use super::words;
use crate::Failure;

/// Hooks of a page.
const PER_PAGE: u32 = 100;

/// What a hook belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A project.
    Project,
    /// A group, and every project below it.
    Group,
    /// The whole instance.
    System,
}

/// A place as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A project, by id or path.
    Project(String),
    /// A group, by id or path.
    Group(String),
    /// The whole instance.
    System,
}

/// A place that GitLab knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// GitLab's id; 0 for the whole instance.
    pub id: i64,
    /// Its path; empty for the whole instance.
    pub path: String,
}

impl Kind {
    /// The word for it in the database.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Project => "project",
            Kind::Group => "group",
            Kind::System => "system",
        }
    }

    /// The kind of that word.
    pub(super) fn of_word(word: &str) -> Option<Kind> {
        [Kind::Project, Kind::Group, Kind::System].into_iter().find(|it| it.word() == word)
    }

    fn template(self) -> &'static str {
        match self {
            Kind::Project => "projects/{project}/hooks",
            Kind::Group => "groups/{group}/hooks",
            Kind::System => "hooks",
        }
    }
}

impl Place {
    /// The whole instance.
    pub fn system() -> Place {
        Place { kind: Kind::System, id: 0, path: String::new() }
    }

    /// What people call it.
    pub fn words(&self) -> String {
        match self.kind {
            Kind::Project => format!("project {}", self.path),
            Kind::Group => format!("group {}", self.path),
            Kind::System => "system hooks".to_owned(),
        }
    }

    /// Whether what happens in the project of this path is told to hooks of this place.
    pub fn covers(&self, project: &str) -> bool {
        match self.kind {
            Kind::System => true,
            Kind::Project => self.path == project,
            Kind::Group => project.strip_prefix(&self.path).is_some_and(|it| it.starts_with('/')),
        }
    }

    /// A request about its hooks, or about one of them.
    pub(super) fn request(&self, tail: &str) -> Request {
        let request = Request::new(format!("{}{tail}", self.kind.template()));
        if self.kind == Kind::System { request } else { request.value(self.id) }
    }

    /// Its hooks, as far as the token may see them.
    pub(super) async fn hooks(&self, client: &Client) -> Result<Vec<Hook>, Failure> {
        let told = |error| words::refused(&error, self, words::Doing::Reading);
        let mut answer = client.get(&self.request("").query("per_page", PER_PAGE)).await.map_err(told)?;
        let mut hooks = Vec::new();
        loop {
            let page: Vec<Hook> =
                serde_json::from_slice(&answer.body).map_err(|_| words::unreadable(self))?;
            hooks.extend(page);
            let Some(next) = answer.next.take() else { return Ok(hooks) };
            answer = client.get_next(&next).await.map_err(told)?;
        }
    }
}

impl Named {
    /// Asks GitLab which place this is.
    pub async fn find(&self, client: &Client) -> Result<Place, Failure> {
        #[derive(Deserialize)]
        struct Head {
            id: i64,
            #[serde(alias = "path_with_namespace")]
            full_path: String,
        }
        let (kind, name, template) = match self {
            Named::Project(name) => (Kind::Project, name, "projects/{project}"),
            Named::Group(name) => (Kind::Group, name, "groups/{group}"),
            Named::System => return Ok(Place::system()),
        };
        let name = name.trim().trim_matches('/');
        let mut request = Request::new(template).value(name);
        if kind == Kind::Group {
            request = request.query("with_projects", false);
        }
        let answer = client.get(&request).await.map_err(|it| words::not_found(&it, kind, name))?;
        let head: Head = serde_json::from_slice(&answer.body)
            .map_err(|_| words::unreadable(&Place { kind, id: 0, path: name.to_owned() }))?;
        Ok(Place { kind, id: head.id, path: head.full_path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_covers_what_is_below_it_and_nothing_else() {
        let group = Place { kind: Kind::Group, id: 1, path: "acme/team".to_owned() };
        assert!(group.covers("acme/team/shop") && group.covers("acme/team/sub/shop"));
        assert!(!group.covers("acme/teams/shop") && !group.covers("acme/team") && !group.covers("acme/x"));
        assert!(Place::system().covers("anything"));
    }
}
