//! Pages: by offset for every list, by keyset for projects.

use std::ops::Range;

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::params::{Declared, Source};
use super::{Answer, Ask, Problem, Reply};

const DEFAULT_PER_PAGE: usize = 20;
const MAX_PER_PAGE: usize = 100;

/// One page of a list, by offset.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The page asked for, from 1.
    pub number: usize,
    /// Rows of a page.
    pub size: usize,
    /// Rows of the whole list.
    pub total: usize,
}

impl Page {
    /// The rows that are on it.
    pub fn range(&self) -> Range<usize> {
        let start = (self.number - 1).saturating_mul(self.size).min(self.total);
        start..start.saturating_add(self.size).min(self.total)
    }

    /// Pages there are; one even when the list is empty.
    fn last(&self) -> usize {
        self.total.div_ceil(self.size).max(1)
    }

    fn next(&self) -> Option<usize> {
        (self.number < self.last()).then_some(self.number + 1)
    }

    fn prev(&self) -> Option<usize> {
        (self.number > 1 && self.number <= self.last()).then(|| self.number - 1)
    }
}

/// Rows of a page, from `per_page`.
pub fn page_size(ask: &Ask<'_>) -> Result<usize, Problem> {
    match ask.query.number("per_page")? {
        None => Ok(DEFAULT_PER_PAGE),
        Some(number) if number >= 1 => Ok((number as usize).min(MAX_PER_PAGE)),
        Some(_) => Err(Problem::BadRequest("per_page does not have a valid value".to_owned())),
    }
}

impl Ask<'_> {
    /// The page asked for of a list with so many rows.
    pub fn page(&self, total: usize) -> Result<Page, Problem> {
        let number = self.query.number("page")?.unwrap_or(1).max(1) as usize;
        Ok(Page { number, size: page_size(self)?, total })
    }

    /// The same for kinds of rows that have keyset pagination too, where GitLab bounds the offset.
    pub fn bounded_page(&self, total: usize, kind: &'static str) -> Result<Page, Problem> {
        let page = self.page(total)?;
        let limit = self.settings.max_offset;
        if limit > 0 && page.number.saturating_mul(page.size) > limit {
            return Err(Problem::OffsetTooHigh(limit, kind));
        }
        Ok(page)
    }

    /// Answers with one page out of all rows; only those on the page are rendered.
    pub fn paged<T: Copy, S: Serialize>(
        &self,
        declared: &[Declared],
        page: Page,
        rows: &[T],
        render: impl FnMut(T) -> S,
    ) -> Answer {
        let body: Vec<S> = rows[page.range()].iter().copied().map(render).collect();
        let mut reply = Reply::object(&body);
        reply.items = body.len();
        Ok(self.with_page_headers(reply, declared, page))
    }

    fn with_page_headers(&self, reply: Reply, declared: &[Declared], page: Page) -> Reply {
        self.headed(reply, declared, page, page.total <= self.settings.totals_up_to)
    }

    /// The headers of a page of a list whose length GitLab does not know.
    pub fn without_totals(&self, reply: Reply, declared: &[Declared], page: Page) -> Reply {
        self.headed(reply, declared, page, false)
    }

    /// The same for lists GitLab does not count: no totals, whatever their length.
    pub fn paged_uncounted<T: Copy, S: Serialize>(
        &self,
        declared: &[Declared],
        page: Page,
        rows: &[T],
        render: impl FnMut(T) -> S,
    ) -> Answer {
        let body: Vec<S> = rows[page.range()].iter().copied().map(render).collect();
        let mut reply = Reply::object(&body);
        reply.items = body.len();
        Ok(self.headed(reply, declared, page, false))
    }

    fn headed(&self, reply: Reply, declared: &[Declared], page: Page, counted: bool) -> Reply {
        let text = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut reply = reply
            .with_header("link", self.links(declared, page, counted))
            .with_header("x-next-page", text(page.next()))
            .with_header("x-page", page.number.to_string())
            .with_header("x-per-page", page.size.to_string())
            .with_header("x-prev-page", text(page.prev()));
        if counted {
            reply = reply
                .with_header("x-total", page.total.to_string())
                .with_header("x-total-pages", page.last().to_string());
        }
        reply
    }

    fn links(&self, declared: &[Declared], page: Page, counted: bool) -> String {
        let last = counted.then(|| page.last());
        let all = [("prev", page.prev()), ("next", page.next()), ("first", Some(1)), ("last", last)];
        let link = |(rel, number): (&str, Option<usize>)| {
            let own = [("page", number?.to_string()), ("per_page", page.size.to_string())];
            Some(format!("<{}>; rel=\"{rel}\"", self.link(declared, &own)))
        };
        all.into_iter().filter_map(link).collect::<Vec<_>>().join(", ")
    }

    /// The request's address with every declared parameter, and these instead of the request's own.
    pub fn link(&self, declared: &[Declared], own: &[(&str, String)]) -> String {
        let mut pairs: Vec<(String, String)> =
            own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for param in declared.iter().filter(|param| !own.iter().any(|(name, _)| *name == param.name)) {
            self.push_declared(param, &mut pairs);
        }
        pairs.sort();
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}{}?{query}", self.world.url, self.raw_path)
    }

    fn push_declared(&self, param: &Declared, pairs: &mut Vec<(String, String)>) {
        let array = format!("{}[]", param.name);
        let before = pairs.len();
        let given = self.query.0.iter().filter(|(key, _)| key == param.name || *key == array);
        pairs.extend(given.cloned());
        match param.value {
            Source::Path(part) => pairs.push((param.name.to_owned(), self.part(part).to_owned())),
            Source::Or(default) if pairs.len() == before => {
                pairs.push((param.name.to_owned(), default.to_owned()));
            }
            _ => {}
        }
    }
}
