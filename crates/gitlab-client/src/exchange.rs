//! One attempt: a request goes out, an answer comes in.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_NONE_MATCH};
use tokio::time::Instant;

use crate::allow::Method;
use crate::body;
use crate::call::Call;
use crate::client::Inner;
use crate::network::Broken;
use crate::observer::Event;
use crate::pool::Ticket;

/// An answer, read to its end.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) sent_at: DateTime<Utc>,
    /// From sending to the first byte.
    pub(crate) latency: std::time::Duration,
}

impl Inner {
    /// Sends a request once.
    pub(crate) async fn exchange(&self, call: &Call, ticket: &Ticket) -> Result<Received, Broken> {
        let (sent_at, started) = (self.clock.now(), Instant::now());
        self.counters.sent();
        let outcome = self.send(call, ticket, sent_at, started).await;
        let status = outcome.as_ref().map_or(0, |received| received.status);
        self.observer.note(Event::Answered { graphql: call.body.is_some(), status });
        tracing::debug!(
            endpoint = &*call.endpoint,
            what = &*call.what,
            credential.id = %ticket.id,
            status,
            ms = started.elapsed().as_millis() as u64,
            "asked GitLab"
        );
        outcome
    }

    async fn send(
        &self,
        call: &Call,
        ticket: &Ticket,
        sent_at: DateTime<Utc>,
        started: Instant,
    ) -> Result<Received, Broken> {
        let response = self.prepare(call, ticket).send().await?;
        let latency = started.elapsed();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = body::read(response, self.body_limit).await?;
        self.counters.read(body.len());
        Ok(Received { status, headers, body: self.redactor.body(body), sent_at, latency })
    }

    fn prepare(&self, call: &Call, ticket: &Ticket) -> reqwest::RequestBuilder {
        let request = match call.method {
            Method::Get => self.http.get(call.url.clone()),
            Method::Post => self.http.post(call.url.clone()),
            Method::Put => self.http.put(call.url.clone()),
        };
        let request = call.body.iter().fold(request, |request, body| {
            request.header(CONTENT_TYPE, "application/json").body(body.clone())
        });
        let etag = call.etag_for(&ticket.id).and_then(|etag| HeaderValue::from_str(etag).ok());
        let request = etag.into_iter().fold(request, |request, etag| request.header(IF_NONE_MATCH, etag));
        let (name, value) = ticket.header.clone();
        request.headers(HeaderMap::from_iter([(name, value)]))
    }
}
