//! A request ready to be sent: its URL is known to be allowed.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::allow::{AllowList, GRAPHQL, Method};
use crate::auth::CredentialId;
use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::graphql;
use crate::paging::Next;
use crate::request::Request;

/// A request ready to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The template of the rule that allows it.
    pub(crate) endpoint: Arc<str>,
    /// What latency is compared by: the endpoint, or the query's name.
    pub(crate) what: Arc<str>,
    pub(crate) etag: Option<String>,
    pub(crate) etags: Vec<(CredentialId, String)>,
    pub(crate) credential: Option<CredentialId>,
    /// A GraphQL query, or what is to be made or changed.
    pub(crate) body: Option<Bytes>,
    /// How many times it is sent at most, if it fails.
    pub(crate) attempts: u32,
}

impl Call {
    pub(crate) fn read(request: &Request, base: &BaseUrl, allowed: &AllowList) -> Result<Call, Error> {
        let url = request.url(base)?;
        let endpoint = base.api_path(&url).and_then(|path| allowed.find(Method::Get, path));
        let endpoint = endpoint.ok_or_else(|| not_allowed(Method::Get, &request.template))?;
        Ok(Call {
            method: Method::Get,
            url,
            what: endpoint.clone(),
            endpoint,
            etag: request.etag.clone(),
            etags: request.etags.clone(),
            credential: request.credential.clone(),
            body: None,
            attempts: 1,
        })
    }

    pub(crate) fn next(next: &Next) -> Result<Call, Error> {
        let target = next.target.clone().map_err(|sentence| Error::refused(format!("{sentence}.")))?;
        Ok(Call {
            method: Method::Get,
            url: target.url,
            what: target.endpoint.clone(),
            endpoint: target.endpoint,
            etag: None,
            etags: Vec::new(),
            credential: next.credential.clone(),
            body: None,
            attempts: 1,
        })
    }

    pub(crate) fn query(
        document: &str,
        variables: &Value,
        base: &BaseUrl,
        allowed: &AllowList,
    ) -> Result<Call, Error> {
        let endpoint =
            allowed.find(Method::Post, GRAPHQL).ok_or_else(|| not_allowed(Method::Post, GRAPHQL))?;
        if !graphql::is_read_only(document) {
            return Err(Error::refused(
                "only queries may be sent, and this document would change something.",
            ));
        }
        let url = base.graphql().map_err(|error| Error::refused(format!("not an address: {error}.")))?;
        let what = graphql::operation_name(document).map_or_else(|| endpoint.clone(), Arc::from);
        let body = json!({ "query": document, "variables": variables }).to_string().into();
        let (etag, etags) = (None, Vec::new());
        let method = Method::Post;
        Ok(Call { method, url, endpoint, what, etag, etags, credential: None, body: Some(body), attempts: 1 })
    }

    /// Something that is to be made or changed.
    pub(crate) fn write(
        method: Method,
        request: &Request,
        body: &Value,
        base: &BaseUrl,
        allowed: &AllowList,
    ) -> Result<Call, Error> {
        let url = request.url(base)?;
        let endpoint = base.api_path(&url).and_then(|path| allowed.find(method, path));
        // The rule for queries is none for changes.
        let endpoint = endpoint.filter(|it| **it != *GRAPHQL);
        let endpoint = endpoint.ok_or_else(|| not_allowed(method, &request.template))?;
        Ok(Call {
            method,
            url,
            what: endpoint.clone(),
            endpoint,
            etag: None,
            etags: Vec::new(),
            credential: request.credential.clone(),
            body: Some(body.to_string().into()),
            attempts: 1,
        })
    }

    /// Whether it makes or changes something. Such a request is sent once: what became of one that failed is not known.
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::Get && *self.endpoint != *GRAPHQL
    }
}

impl Call {
    /// What this credential is to name as known to it.
    pub(crate) fn etag_for(&self, credential: &CredentialId) -> Option<&str> {
        let own = self.etags.iter().find(|(id, _)| id == credential).map(|(_, etag)| etag.as_str());
        self.etag.as_deref().or(own)
    }
}

fn not_allowed(method: Method, template: &str) -> Error {
    Error::refused(format!(
        "{method} {template} is not declared by any enabled connector, so it was not sent."
    ))
}
