//! What GitLab counts: issues, pipelines and deployments. Its count against ours, and where they differ windows of time,
//! halved until one is small enough to be read again whole.

use std::collections::BTreeSet;

use catalogue::issues::COUNT_ISSUES_QUERY;
use catalogue::pipelines::{COUNT_PIPELINES_QUERY, PIPELINES};
use catalogue::{Connector, Document};
use chrono::{DateTime, TimeDelta, Utc};
use gitlab_client::Request;
use store::{Count, Counted, Proof, Stored};

use super::known::{Known, Reach};
use super::theirs::Told;
use super::windows::{self, Window, middle};
use super::{Verdict, authors, evidence, proof};
use crate::engine::{Engine, Halt};
use crate::listing::{self, Listing};
use crate::pipelines::CHILDREN;
use crate::sight::Found;
use crate::{deployments, issues, pipelines};

/// A window with no more than this, ours and theirs together, is read again.
const SMALL: i64 = 200;
/// So many are asked for one by one before they are marked; of more, the first.
const SINGLY: usize = 10;

/// A kind of thing that GitLab counts.
pub(super) struct Kind {
    pub(super) listing: &'static Listing,
    pub(super) stored: Counted,
    /// How many GitLab last changed within a window, where GraphQL tells.
    pub(super) query: Option<&'static Document>,
    /// Where one of them is asked for alone, by its number or GitLab's id.
    single: (&'static str, fn(&Engine, &Stored) -> i64),
    /// The resource under whose name a refusal is kept.
    refused_as: &'static str,
    /// Whether a low role sees only some of them.
    partly_hidden: bool,
    /// Whether it is switched off in a project.
    off: fn(&Found) -> bool,
}

fn id(engine: &Engine, stored: &Stored) -> i64 {
    engine.instance.source_id(stored.id)
}

/// All of them.
pub(super) static KINDS: [Kind; 4] = [
    Kind {
        listing: &issues::LISTING,
        stored: store::ISSUES,
        query: Some(&COUNT_ISSUES_QUERY),
        single: ("projects/{project}/issues/{iid}", |_, it| it.iid),
        refused_as: "issues",
        partly_hidden: true,
        off: |it| it.issues_off,
    },
    Kind {
        listing: &pipelines::LISTING,
        stored: store::PIPELINES,
        query: Some(&COUNT_PIPELINES_QUERY),
        single: ("projects/{project}/pipelines/{pipeline}", id),
        refused_as: PIPELINES.name,
        partly_hidden: false,
        off: |it| it.builds_off,
    },
    Kind {
        listing: &CHILDREN,
        stored: store::CHILD_PIPELINES,
        query: Some(&COUNT_PIPELINES_QUERY),
        single: ("projects/{project}/pipelines/{pipeline}", id),
        refused_as: PIPELINES.name,
        partly_hidden: false,
        off: |it| it.builds_off,
    },
    Kind {
        listing: &deployments::LISTING,
        stored: store::DEPLOYMENTS,
        query: None,
        single: ("projects/{project}/deployments/{deployment}", id),
        refused_as: "deployments",
        partly_hidden: false,
        off: |it| it.builds_off || it.environments_off,
    },
];

impl Kind {
    /// Whether it is to be compared in a project.
    pub(super) fn concerns(&self, engine: &Engine, project: &Found, known: &Known) -> bool {
        let off = (self.off)(project) || known.is_off(self.refused_as, engine.instance.id(project.source_id));
        engine.reads(self.listing.resource) && !off
    }

    /// Whether only REST counts it: that costs a request for each project.
    fn is_dear(&self) -> bool {
        self.listing.resource.connector == Connector::GitlabDeployments
    }
}

/// One kind in one project.
struct Comparison<'c> {
    engine: &'c Engine,
    project: &'c Found,
    kind: &'static Kind,
    /// From where on it is stored to now. Whatever moves from now on is found by the next way forward.
    window: Window,
    mends: bool,
}

/// Compares a kind in a project. None where there is nothing to compare.
pub(super) async fn compare(
    engine: &Engine,
    project: &Found,
    kind: &'static Kind,
    theirs: Option<&Told>,
    known: &Known,
    mends: Option<i64>,
) -> Result<Option<Proof>, Halt> {
    let name = kind.listing.resource.name;
    let project_id = engine.instance.id(project.source_id);
    let proof = proof(engine, project, name);
    if let Some(refusal) = known.refusal(kind.refused_as, project_id) {
        return Ok(Some(proof.unproved(refusal)));
    }
    let held = engine.store.counts(kind.stored, &[project_id]).await?;
    let held = held.get(&project_id).copied().unwrap_or_default();
    let from = match known.reach(name, project_id) {
        Reach::Unread => return Ok(Some(proof.unproved("It was not read yet."))),
        Reach::From(from) => Some(from),
        // Every deployment is found by its environment, and these are listed whole.
        Reach::Whole if kind.is_dear() && held.total == 0 => return Ok(None),
        Reach::Whole => None,
    };
    let window = (from.unwrap_or(DateTime::UNIX_EPOCH), engine.started);
    let comparison = Comparison { engine, project, kind, window, mends: mends.is_some() };
    match from {
        None => comparison.whole(proof, theirs.copied(), held).await.map(Some),
        Some(_) => comparison.part(proof).await.map(Some),
    }
}

impl Comparison<'_> {
    fn project_id(&self) -> i64 {
        self.engine.instance.id(self.project.source_id)
    }

    /// Everything that GitLab counts against everything that is stored.
    async fn whole(&self, proof: Proof, theirs: Option<Told>, held: Count) -> Result<Proof, Halt> {
        let proof = Proof { ours: held.total, ..proof };
        let theirs = match theirs {
            Some(theirs) => Some(theirs),
            // Above ten thousand REST counts no more.
            None => {
                let everything = (self.window.0, self.window.1 + TimeDelta::days(1));
                let total = windows::total(self.engine, self.project.source_id, self.kind, everything);
                total.await?.map(|total| Told { total, ..Told::default() })
            }
        };
        let Some(theirs) = theirs else { return Ok(proof.unproved("GitLab did not count them.")) };
        let same = theirs.agrees(&held);
        let proof = Proof { theirs: Some(theirs.total), ..proof };
        self.judge(proof, same).await
    }

    /// What GitLab counts from where the stored part begins.
    async fn part(&self, proof: Proof) -> Result<Proof, Halt> {
        let ours =
            self.engine.store.stored_within(self.kind.stored, self.project_id(), self.window).await?.len();
        let theirs = windows::total(self.engine, self.project.source_id, self.kind, self.window).await?;
        let proof = Proof { ours: ours as i64, theirs, ..proof };
        match theirs {
            None => Ok(proof.unproved("GitLab did not count them.")),
            Some(theirs) => self.judge(proof, theirs == ours as i64).await,
        }
    }

    async fn judge(&self, proof: Proof, same: bool) -> Result<Proof, Halt> {
        let (theirs, ours) = (proof.theirs.unwrap_or_default(), proof.ours);
        if theirs == 0 && ours > 0 {
            return Ok(proof.unproved("GitLab counts none where some are stored: access may have been lost, or all were deleted. Nothing was marked."));
        }
        match same {
            true => Ok(proof),
            false if self.mends => self.mend(proof.differs("")).await,
            false if theirs == ours => {
                Ok(proof.differs("As many are stored as GitLab counts, and not the same."))
            }
            false => Ok(proof.differs(format!("{} more stored than GitLab counts", ours - theirs))),
        }
    }

    /// Finds the windows in which the counts differ and reads them again. What is stored there and was met nowhere is gone,
    /// if GitLab denies it: what moved meanwhile is in another window.
    async fn mend(&self, proof: Proof) -> Result<Proof, Halt> {
        let (engine, kind, project) = (self.engine, self.kind, self.project.source_id);
        let asked_at = engine.now();
        let (mut doubtful, mut met) = (Vec::new(), BTreeSet::new());
        let mut todo = vec![self.window];
        while let Some(window) = todo.pop() {
            let held = engine.store.stored_within(kind.stored, self.project_id(), window).await?;
            let count = match windows::count(engine, project, kind, window).await {
                windows::Told::Count(count) => Some(count),
                windows::Told::TooMany => None,
                windows::Told::Nothing => {
                    return Ok(proof.unproved("GitLab did not count them within a window of time."));
                }
            };
            if count.is_some_and(|it| it.agrees(&Count::of(&held))) {
                continue;
            }
            let large = count.is_none_or(|it| it.total + held.len() as i64 > SMALL);
            match middle(&held, window).filter(|_| large) {
                Some(middle) => todo.extend([(window.0, middle), (middle, window.1)]),
                None => {
                    met.extend(listing::within(engine, kind.listing, project, window).await?);
                    doubtful.extend(held);
                }
            }
        }
        let is_gone = |met: &BTreeSet<i64>, it: &Stored| !met.contains(&engine.instance.source_id(it.id));
        doubtful.retain(|it| is_gone(&met, it));
        if doubtful.is_empty() {
            return Ok(proof);
        }
        // One that moved while its window was read is in the newest one.
        let now = (engine.started - listing::OVERLAP, engine.now() + TimeDelta::days(1));
        met.extend(listing::within(engine, kind.listing, project, now).await?);
        doubtful.retain(|it| is_gone(&met, it));
        self.lose(doubtful, asked_at, proof).await
    }

    async fn lose(&self, gone: Vec<Stored>, asked_at: DateTime<Utc>, proof: Proof) -> Result<Proof, Halt> {
        if gone.is_empty() {
            return Ok(proof);
        }
        let (engine, kind, project) = (self.engine, self.kind, self.project.source_id);
        let what = kind.listing.resource.name.replace('_', " ");
        if kind.partly_hidden && !evidence::sees_everything(engine, project).await {
            return Ok(proof.unproved(format!(
                "{} {what} are not listed any more, and the token's role may not see all of them. Nothing was marked.",
                gone.len()
            )));
        }
        for it in gone.iter().take(SINGLY) {
            let (path, number) = kind.single;
            let request = Request::new(path).value(project).value(number(engine, it));
            if !evidence::denied(engine, request).await {
                let which = number(engine, it);
                return Ok(proof.unproved(format!(
                    "GitLab lists {which} of the {what} no more and does not deny it. Nothing was marked."
                )));
            }
        }
        let ids: Vec<i64> = gone.iter().map(|it| it.id).collect();
        let (fact, project) = (kind.stored.fact, proof.project_id);
        if kind.partly_hidden && authors::may_be_banned(engine, fact, project, &ids).await? {
            return Ok(proof.unproved(authors::MAY_BE_HIDDEN));
        }
        let marked = engine.store.mark_deleted(fact, project, &ids, asked_at, engine.now()).await?;
        engine.tally.marked(kind.stored.fact.table(), marked);
        Ok(Proof { detail: format!("{marked} were deleted in GitLab."), ..proof })
    }
}

impl Told {
    /// Whether what is stored is what GitLab counts, in everything it told.
    fn agrees(&self, held: &Count) -> bool {
        self.total == held.total
            && self.open.is_none_or(|it| it == held.open)
            && self.newest.is_none_or(|it| it == held.newest)
    }
}
