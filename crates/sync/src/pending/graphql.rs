//! A list of one merge request, issue or pipeline by GraphQL, page by page. Long lists of notes are read from both ends at once, which
//! halves the chain of requests: a note is only ever added at the end, so the two ways meet.

use std::collections::HashSet;

use catalogue::{Answer, Connection, Document, Gid, Pending, Rows, gid};
use chrono::{DateTime, Utc};
use gitlab_client::{Client, GraphqlAnswer};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use store::Reject;

use super::{Read, below, complete, refused};
use crate::engine::{Engine, Halt};

/// Elements asked for from each end.
const TOGETHER: usize = 100;

/// The two ways through a list.
const BEGINNING: usize = 0;
const END: usize = 1;

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

/// A project, and in it the one merge request, issue or pipeline that was asked for.
#[derive(Deserialize)]
struct ProjectNode<'a> {
    #[serde(borrow, alias = "mergeRequest", alias = "issue", alias = "pipeline")]
    parent: Option<ListNode<'a>>,
}

/// The one list that the query asked for, from its beginning and, where the query asks for it, from its end.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListNode<'a> {
    #[serde(
        borrow,
        alias = "labels",
        alias = "assignees",
        alias = "reviewers",
        alias = "approvedBy",
        alias = "jobs"
    )]
    notes: Option<Connection<'a>>,
    #[serde(borrow, default)]
    newest: Option<Connection<'a>>,
}

#[derive(Deserialize)]
struct Head {
    id: Gid,
}

/// What became of a page.
enum Page {
    More,
    End,
    /// The parent is not there any more.
    Gone,
    NotWhole,
}

/// Reads the list whole. None when it cannot be read at all; the reason is noted.
pub(super) async fn read(engine: &Engine, pending: &Pending) -> Result<Option<Read>, Halt> {
    let Some(document) = pending.list.query() else { return Ok(None) };
    let mut walk = Walk::new(engine, pending);
    let mut sent_at: Option<DateTime<Utc>> = None;
    let mut blind = Vec::new();
    loop {
        let answer = match walk.ask(document).await {
            Ok(answer) => answer,
            Err(error) => return refused(engine, pending, &error),
        };
        // The first page is the oldest: the whole list is at least as new.
        let first_sent = *sent_at.get_or_insert(answer.sent_at);
        match walk.page(&answer.body) {
            Page::More => {}
            Page::End => return Ok(Some(walk.finish(first_sent))),
            Page::Gone => {
                blind.push(answer.credential);
                // It may be there for another user.
                let Some(client) = engine.client.of_another_user(&blind) else { return Ok(None) };
                walk.client = client;
            }
            Page::NotWhole if walk.first > 1 => walk.first /= 2,
            Page::NotWhole => return Err(Halt::Later("GitLab did not answer the whole list".to_owned())),
        }
    }
}

/// How far a list is read.
struct Walk<'e> {
    engine: &'e Engine,
    client: Client,
    pending: &'e Pending,
    first: usize,
    after: Option<String>,
    before: Option<String>,
    /// Elements read so far from the beginning, and from the end.
    seen: [HashSet<i64>; 2],
    rows: Rows,
    rejects: Vec<Reject>,
}

impl<'e> Walk<'e> {
    fn new(engine: &'e Engine, pending: &'e Pending) -> Self {
        Self {
            engine,
            client: engine.client.clone(),
            pending,
            first: TOGETHER,
            after: None,
            before: None,
            seen: Default::default(),
            rows: Rows::default(),
            rejects: Vec::new(),
        }
    }

    async fn ask(&self, document: &'static Document) -> Result<GraphqlAnswer, gitlab_client::Error> {
        let query = self.engine.capabilities.fit(document);
        let variables = json!({
            "ids": [gid("Project", self.pending.project)],
            "iid": self.pending.iid.to_string(),
            "first": self.first,
            "after": self.after,
            "before": self.before,
        });
        self.client.graphql(&query, &variables).await
    }

    fn page(&mut self, body: &[u8]) -> Page {
        let Ok(answer) = serde_json::from_slice::<Answer<Data>>(body) else { return Page::NotWhole };
        if answer.errors.is_some_and(|it| !it.is_empty()) {
            return Page::NotWhole;
        }
        let Some(projects) = answer.data.and_then(|it| it.projects) else { return Page::NotWhole };
        let node = projects.nodes.first().and_then(|it| serde_json::from_str::<ProjectNode>(it.get()).ok());
        let Some(node) = node.and_then(|it| it.parent) else { return Page::Gone };
        let Some(list) = node.notes else { return Page::Gone };
        if !list.is_whole() || node.newest.as_ref().is_some_and(|it| !it.is_whole()) {
            return Page::NotWhole;
        }
        self.advance(list, node.newest)
    }

    fn advance(&mut self, list: Connection, newest: Option<Connection>) -> Page {
        let mut ended = self.take(BEGINNING, &list.nodes) || !list.page_info.has_next_page;
        if let Some(newest) = newest.filter(|_| !ended) {
            ended = self.take(END, &newest.nodes) || !newest.page_info.has_previous_page;
            self.before = newest.page_info.start_cursor;
        }
        self.after = list.page_info.end_cursor;
        match (ended, &self.after) {
            (true, _) => Page::End,
            (false, Some(_)) => Page::More,
            // Another page follows, and GitLab does not say where it begins.
            (false, None) => Page::NotWhole,
        }
    }

    /// Takes the elements that are new. Gives whether some were read from the other end: then the two ways have met.
    fn take(&mut self, way: usize, nodes: &[&RawValue]) -> bool {
        let mut met = false;
        let origin = below(self.engine, self.pending);
        for node in nodes {
            if let Ok(Head { id }) = serde_json::from_str(node.get()) {
                self.seen[way].insert(id.id);
                if self.seen[1 - way].contains(&id.id) {
                    met = true;
                    continue;
                }
            }
            if let Err(error) = self.pending.list.read_node(&origin, node.get(), &mut self.rows) {
                self.reject(node, &error);
            }
        }
        met
    }

    fn reject(&mut self, node: &RawValue, error: &serde_json::Error) {
        self.rejects.push(Reject {
            resource: self.pending.list.name(),
            reader: "graphql",
            parent_id: self.engine.instance.id(self.pending.project),
            error: error.to_string(),
            raw: node.get().to_owned(),
        });
    }

    fn finish(mut self, sent_at: DateTime<Utc>) -> Read {
        if self.rejects.is_empty() {
            complete(self.engine, self.pending, &mut self.rows);
        }
        Read { rows: self.rows, rejects: self.rejects, sent_at }
    }
}
