//! Commits of default branches. GitLab lists them in git's order, without a count and without a time of change, and a
//! push may bring commits of any date to any place in the list. What is certain is the graph: a commit never
//! changes, nor do the commits it stands on. So a branch is read from its head until everything that the new
//! commits stand on is stored; what the head does not lead to any more is gone.
//!
//! The first page tells the head; every other page is asked of that commit, not of the branch, so that the list does not
//! move while it is read, and goes on exactly where it was cut short.

pub(crate) mod heads;
mod page;
mod walk;

use catalogue::Rows;
use catalogue::commits::COMMITS;
use chrono::{DateTime, Utc};
use store::{Lease, Partition, PartitionKey, Trunk, TrunkStep, Unit};

use crate::engine::{Engine, Halt};
use crate::listing::{self, Done};
pub(crate) use heads::unmoved;
use page::Fetched;
use walk::{Next, Walk};

/// The unit of work for a project.
pub(crate) fn unit(project_id: i64) -> Unit {
    Unit { resource: COMMITS.name.to_owned(), parent_id: project_id, priority: 0 }
}

/// Whether what was read from a time on (none: from the beginning) is enough for a run that wants it from another.
pub(crate) fn reaches(read_from: Option<DateTime<Utc>>, wanted: Option<DateTime<Utc>>) -> bool {
    read_from.is_none_or(|from| wanted.is_some_and(|wanted| from <= wanted))
}

/// Brings the commits of a project's default branch up to date.
pub(crate) async fn project(engine: &Engine, lease: &Lease) -> Result<Done, Halt> {
    let trunk = engine.store.trunk(lease.unit.parent_id).await?;
    let mut reading = Reading { engine, lease, trunk, resumes: false };
    loop {
        let resumed = reading.resumed();
        reading.resumes = resumed.is_some();
        let walk = match resumed {
            Some(walk) => walk,
            None => reading.begin().await?,
        };
        let begun_now = walk.sync_id == lease.sync_id;
        match reading.follow(walk).await? {
            // The branch may have moved since that run.
            Done::Whole if !begun_now => {}
            done => return Ok(done),
        }
    }
}

/// Reading one branch.
struct Reading<'e> {
    engine: &'e Engine,
    lease: &'e Lease,
    trunk: Trunk,
    /// Whether the walk was begun before and cut short.
    resumes: bool,
}

impl Reading<'_> {
    /// A walk that was cut short, where it brings what this run wants.
    fn resumed(&mut self) -> Option<Walk> {
        let stored = self.trunk.walk.take()?;
        let options = &self.engine.options;
        let fits = |it: &Walk| {
            reaches(it.since, options.scope.since) && (it.statistics || !options.commit_statistics)
        };
        let walk = serde_json::from_value(stored).ok().filter(fits);
        if walk.is_none() {
            // What it brought has gaps behind it, which another walk would take for the end.
            self.trunk.read_at = None;
        }
        walk
    }

    async fn begin(&self) -> Result<Walk, Halt> {
        let Engine { options, store, started, .. } = self.engine;
        let (trunk, since) = (&self.trunk, options.scope.since);
        let everything = trunk.read_at.is_none()
            || !reaches(trunk.read_from, since)
            || (options.commit_statistics && !trunk.statistics);
        let mut walk = Walk::new(*started, self.lease.sync_id);
        walk.fresh = !store.has_commits(trunk.signs.project_id).await?;
        walk.statistics = options.commit_statistics;
        // What is stored stays whole as far back as it goes, whatever this run wants.
        walk.since = if everything { since } else { trunk.read_from };
        walk.everything = everything;
        Ok(walk)
    }

    /// Follows a walk page by page. The next page is fetched while the one before is written.
    async fn follow(&mut self, mut walk: Walk) -> Result<Done, Halt> {
        let mut page = self.fetch(&walk).await?;
        loop {
            if self.engine.stop.asked() {
                return Err(Halt::Failed(crate::run::interrupted()));
            }
            if self.advance(&mut walk, &page).await? == Next::End {
                self.finish(&walk, &page).await?;
                return Ok(Done::Whole);
            }
            self.trunk.walk = serde_json::to_value(&walk).ok();
            if self.pauses(&walk, &page) {
                self.write(&page, None, None).await?;
                return Ok(Done::OlderLeft);
            }
            let (written, next) = tokio::join!(self.write(&page, None, None), self.fetch(&walk));
            written?;
            page = next?;
        }
    }

    async fn advance(&self, walk: &mut Walk, page: &Fetched) -> Result<Next, Halt> {
        let Some(listed) = &page.listed else { return Ok(walk.nothing()) };
        walk.holes |= page.holes;
        let project = self.trunk.signs.project_id;
        let living = match walk.everything {
            true => Vec::new(),
            false => {
                let named = listed.commits.iter().flat_map(|it| it.parents.iter().chain([&it.sha]));
                let named: Vec<&str> = named.map(String::as_str).collect();
                self.engine.store.living_commits(project, &named).await?
            }
        };
        Ok(walk.take(listed, &living.into_iter().collect(), self.trunk.head.as_deref()))
    }

    /// Whether the way back pauses here: other projects get their newer part first, or it is left to the next run.
    fn pauses(&self, walk: &Walk, page: &Fetched) -> bool {
        let last = page.listed.as_ref().and_then(|it| it.commits.last()?.committed_at);
        let older = last.is_some_and(|it| it < self.engine.started - listing::RECENT);
        let waits = self.lease.unit.priority < listing::OLDER || self.engine.older_is_over();
        walk.everything && older && waits
    }

    async fn finish(&mut self, walk: &Walk, page: &Fetched) -> Result<(), Halt> {
        let prune = walk.prune(self.trunk.head.as_deref());
        let trunk = &mut self.trunk;
        trunk.statistics = match walk.everything {
            true => walk.statistics,
            false => trunk.statistics && (walk.statistics || !walk.grew),
        };
        if walk.everything {
            trunk.read_from = walk.since;
        }
        trunk.head.clone_from(&walk.head);
        (trunk.read_at, trunk.due, trunk.walk) = (Some(walk.begun_at), false, None);
        let key = PartitionKey {
            instance: self.engine.instance.0,
            resource: COMMITS.name.to_owned(),
            reader: "rest".to_owned(),
            parent_id: trunk.signs.project_id,
        };
        let (read_from, whole) = (trunk.read_from, trunk.read_from.is_none());
        let partition = Partition {
            complete_to: Some(walk.begun_at),
            complete_from: read_from,
            whole,
            ..Partition::new(key)
        };
        self.write(page, prune, Some(&partition)).await
    }

    /// Writes a page with how far the branch is read.
    async fn write(
        &self,
        page: &Fetched,
        prune: Option<store::Prune>,
        progress: Option<&Partition>,
    ) -> Result<(), Halt> {
        let page = store::Page {
            progress,
            lease: Some(self.lease),
            rejects: &page.rejects,
            trunk: Some(TrunkStep { trunk: &self.trunk, prune }),
            ..self.engine.page(&page.rows, page.sent_at)
        };
        self.engine.write(&page).await?;
        Ok(())
    }

    /// The commit at which a walk stood is not to be had any more: GitLab clears away what nothing leads to. The branch
    /// is read again from its head.
    async fn discard(&self) -> Result<Halt, Halt> {
        let trunk = Trunk { read_at: None, walk: None, due: true, ..self.trunk.clone() };
        let (rows, sent_at) = (Rows::default(), self.engine.now());
        let step = Some(TrunkStep { trunk: &trunk, prune: None });
        let page = store::Page { lease: Some(self.lease), trunk: step, ..self.engine.page(&rows, sent_at) };
        self.engine.write(&page).await?;
        Ok(Halt::Later("the default branch was replaced while it was read".to_owned()))
    }
}
