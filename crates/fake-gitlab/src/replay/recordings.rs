//! Reads a folder of recordings in whatever layout it keeps them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// One recorded answer, or one element of one.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    /// The request's path below `/api/v4`, cut at its slashes and decoded; None where nobody wrote it down.
    pub path: Option<Vec<String>>,
    pub body: Value,
}

/// Everything the folder holds, in the order of its files' names.
pub(super) fn read(dir: &Path) -> anyhow::Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for file in files(dir)? {
        let found = match file.extension().and_then(|it| it.to_str()) {
            Some("json") => read_json(dir, &file),
            Some("csv") => read_table(&file),
            _ => Ok(Vec::new()),
        };
        recordings.extend(found.with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(recordings)
}

fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn read_json(dir: &Path, file: &Path) -> anyhow::Result<Vec<Recording>> {
    let body: Value = serde_json::from_slice(&fs::read(file)?)?;
    if let Some(path) = path_of_file(dir, file) {
        return Ok(vec![Recording { path: Some(path), body }]);
    }
    match body {
        Value::Array(items) if items.iter().any(is_exchange) => {
            Ok(items.iter().filter_map(exchange).collect())
        }
        body if is_exchange(&body) => Ok(exchange(&body).into_iter().collect()),
        body => Ok(vec![Recording { path: None, body }]),
    }
}

/// Bodies below a `projects` folder lie where their request went.
fn path_of_file(dir: &Path, file: &Path) -> Option<Vec<String>> {
    let relative = file.strip_prefix(dir).ok()?.with_extension("");
    let parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let start = parts.iter().position(|part| part == "projects")?;
    (start + 1 < parts.len()).then(|| parts[start..].to_vec())
}

fn is_exchange(value: &Value) -> bool {
    value.get("response").is_some_and(|response| response.get("body").is_some())
}

/// None for a refusal: its body is no element.
fn exchange(value: &Value) -> Option<Recording> {
    let response = value.get("response")?;
    let succeeded =
        response.get("status").and_then(Value::as_u64).is_none_or(|status| (200..300).contains(&status));
    let body = match response.get("body")? {
        Value::String(text) => serde_json::from_str(text).ok()?,
        body => body.clone(),
    };
    let url = value.get("request").and_then(|request| request.get("url")).and_then(Value::as_str);
    succeeded.then(|| Recording { path: url.and_then(path_of_url), body })
}

/// A table of elements: `data` is one element, `url` the request of the list it came in.
fn read_table(file: &Path) -> anyhow::Result<Vec<Recording>> {
    let mut reader = csv::Reader::from_path(file)?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(data), Some(url)) = (column("data"), column("url")) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row?;
        let Some(path) = row.get(url).and_then(path_of_url) else { continue };
        let element: Value = serde_json::from_str(row.get(data).unwrap_or_default())?;
        found.push(Recording { path: Some(path), body: Value::Array(vec![element]) });
    }
    Ok(found)
}

fn path_of_url(url: &str) -> Option<Vec<String>> {
    let path = url.split_once("/api/v4/")?.1;
    Some(segments(path.split(['?', '#']).next().unwrap_or_default()))
}

/// The decoded parts of a path.
pub(super) fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(decode).collect()
}

fn decode(part: &str) -> String {
    // Read as a form's value, which differs from a path only in what a plus sign means.
    let form = part.replace('+', "%2B").replace('&', "%26");
    url::form_urlencoded::parse(format!("={form}").as_bytes())
        .next()
        .map(|(_, it)| it.into_owned())
        .unwrap_or_default()
}
