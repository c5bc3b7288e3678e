//! One page of a branch's commits.

use catalogue::commits::{COMMITS, Lineage, STATISTICS_READER};
use catalogue::{Reader, Rows};
use chrono::{DateTime, SecondsFormat, Utc};
use gitlab_client::{Answer, Error, ErrorKind, Request};
use serde_json::value::RawValue;
use store::Reject;

use super::Reading;
use super::walk::{Listed, Walk};
use crate::engine::Halt;
use crate::fetch::{PER_PAGE, read_all, request};

/// A page as answered.
pub(super) struct Fetched {
    pub(super) rows: Rows,
    pub(super) rejects: Vec<Reject>,
    pub(super) sent_at: DateTime<Utc>,
    /// None where GitLab has no such list.
    pub(super) listed: Option<Listed>,
    /// Whether it held something that cannot be understood.
    pub(super) holes: bool,
}

impl Reading<'_> {
    /// Fetches the page that a walk asks for.
    pub(super) async fn fetch(&self, walk: &Walk) -> Result<Fetched, Halt> {
        let (reader, request) = self.request(walk)?;
        match self.engine.client.get(&request).await {
            Ok(answer) => self.understand(reader, &answer),
            Err(error) => self.refused(walk, &error).await,
        }
    }

    fn request(&self, walk: &Walk) -> Result<(&'static Reader, Request), Halt> {
        let name = if walk.statistics { STATISTICS_READER } else { "rest" };
        let project = self.engine.instance.source_id(self.trunk.signs.project_id);
        let reader = COMMITS.reader(name);
        let found = reader.and_then(|reader| Some((reader, request(reader, &[project])?)));
        let (reader, mut request) = found.ok_or(Halt::Skipped)?;
        request = request.query("per_page", PER_PAGE).query("page", walk.page);
        if let Some(from) = &walk.from {
            request = request.query("ref_name", from);
        }
        if let Some(since) = walk.since {
            request = request.query("since", since.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        Ok((reader, request))
    }

    fn understand(&self, reader: &'static Reader, answer: &Answer) -> Result<Fetched, Halt> {
        let project_id = self.trunk.signs.project_id;
        let found: Vec<&RawValue> =
            serde_json::from_slice(&answer.body).map_err(|it| Halt::Later(it.to_string()))?;
        let read = |it: &&RawValue| serde_json::from_str::<Lineage>(it.get()).ok();
        let commits: Vec<Lineage> = found.iter().filter_map(read).collect();
        let strange = commits.len() < found.len();
        let more = answer.next.is_some() && !found.is_empty();
        let mut rows = Rows::default();
        let origin = self.engine.origin().project(self.engine.instance.source_id(project_id));
        let rejects = read_all(COMMITS.name, reader, &origin, project_id, found, &mut rows);
        let holes = strange || !rejects.is_empty();
        Ok(Fetched { rows, rejects, sent_at: answer.sent_at, listed: Some(Listed { commits, more }), holes })
    }

    /// GitLab answers 404 for a repository without a branch, as it does for what may not be seen.
    async fn refused(&self, walk: &Walk, error: &Error) -> Result<Fetched, Halt> {
        let missed = matches!(error.kind, ErrorKind::NotFound);
        match &walk.from {
            None if missed && self.trunk.signs.default_branch.is_none() => Ok(self.nothing()),
            Some(from) if missed && walk.head.as_ref() != Some(from) => Ok(self.nothing()),
            Some(_) if missed && self.resumes => Err(self.discard().await?),
            _ => Err(self.engine.halt(error, COMMITS.name, self.trunk.signs.project_id)),
        }
    }

    fn nothing(&self) -> Fetched {
        Fetched {
            rows: Rows::default(),
            rejects: Vec::new(),
            sent_at: self.engine.now(),
            listed: None,
            holes: false,
        }
    }
}
