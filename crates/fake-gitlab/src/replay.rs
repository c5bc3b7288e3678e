//! A GitLab made of recorded answers. The recordings are taken apart into their elements (projects, merge requests,
//! notes, ...), the newest of each wins, and lists, pages, filters and single reads are answered anew from these, so
//! that a client meets real data behind a server that behaves. What was never recorded is not found.

mod answer;
mod library;
mod listing;
mod paging;
mod place;
mod recordings;

use std::path::Path;
use std::sync::Arc;

use axum::Router;

/// The REST API over a folder of recordings: exchanges (`{request, response}`), tables with `data` and `url` columns,
/// bodies stored by their path below a `projects` folder, and, as far as their shape tells what they are, bare bodies.
/// A folder with a `rest` folder in it is read from there. An unreadable folder is an error, an unreadable file too.
pub fn router(dir: impl AsRef<Path>) -> anyhow::Result<Router> {
    let dir = dir.as_ref();
    let rest = dir.join("rest");
    let recordings = recordings::read(if rest.is_dir() { &rest } else { dir })?;
    let library = Arc::new(library::Library::new(recordings));
    Ok(Router::new().fallback(answer::answer).with_state(library))
}
