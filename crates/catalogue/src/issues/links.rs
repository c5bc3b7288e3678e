//! What a text names: merge requests and issues of this GitLab, keys of issues in other trackers, and addresses.
//!
//! A small part of what GitLab itself understands, chosen so that every link means something:
//!
//! * `!12`, `#7` and `GL-7`: of the project the text is in; `group/project!12` and `group/project#7`: of another one.
//!   A single word before the sign (`project!12`) says too little, and is nothing. A path is kept as it is written, the
//!   project's own too: what is read does not depend on what a project is called at that time.
//! * Addresses of merge requests and issues on this GitLab are the same as those references; its other pages are nothing.
//! * Other addresses that begin with `http://` or `https://` are kept without query, fragment and credentials, which may
//!   hold secrets. One that is longer than [`LONGEST`] is cut to its host.
//! * `ABC-123`, alone or as a part of such an address: how Jira, Linear, YouTrack and others number their issues.
//!
//! Code, fenced or between backticks, names nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Bytes of the longest address that is kept whole: it is part of a key, and keys are short.
const LONGEST: usize = 500;

/// What looks like a key of a tracker and is none.
const NO_TRACKER: [&str; 18] = [
    "AES", "CVE", "CWE", "GHSA", "GL", "GPT", "HTTP", "IEC", "IEEE", "ISO", "MD", "PEP", "RFC", "RSA", "SHA",
    "TLS", "UTC", "UTF",
];

/// Where a text stands.
#[derive(Debug, Default)]
pub(super) struct Place<'a> {
    /// Address of the GitLab, ending in a slash; empty where it is not known.
    base: &'a str,
}

impl<'a> Place<'a> {
    /// From an issue's address and its full reference (`group/project#7`).
    pub(super) fn of(web_url: &'a str, reference: &'a str) -> Place<'a> {
        let path = reference.rsplit_once('#').map_or("", |(path, _)| path);
        let project = web_url.find("/-/").or_else(|| web_url.rfind("/issues/")).map(|at| &web_url[..at]);
        let base = project.filter(|_| !path.is_empty()).and_then(|it| it.strip_suffix(path));
        Place { base: base.unwrap_or_default() }
    }
}

/// Something that a text names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// A merge request (`!`) or an issue (`#`).
    Reference { sign: char, path: Option<String>, iid: i64 },
    /// An issue of another tracker.
    Key(String),
    /// An address outside.
    Url { url: String, host: String },
}

impl Link {
    /// Its kind, as stored.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Link::Reference { sign: '!', .. } => "merge_request",
            Link::Reference { .. } => "issue",
            Link::Key(_) => "issue_key",
            Link::Url { .. } => "url",
        }
    }

    /// What it names, in one way of writing.
    pub(super) fn target(&self) -> Cow<'_, str> {
        match self {
            Link::Reference { sign, path, iid } => {
                format!("{}{sign}{iid}", path.as_deref().unwrap_or_default()).into()
            }
            Link::Key(key) => key.into(),
            Link::Url { url, .. } => url.into(),
        }
    }
}

/// Everything that these texts name, once each.
pub(super) fn of<'t>(texts: impl IntoIterator<Item = &'t str>, place: &Place) -> BTreeSet<Link> {
    let mut found = BTreeSet::new();
    for text in texts {
        for line in outside_fences(text) {
            outside_code(line, |piece| scan(piece, place, &mut found));
        }
    }
    found
}

/// Lines that do not stand between two lines of three backticks or tildes.
fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    text.lines().filter(move |line| {
        let mark = ["```", "~~~"].into_iter().find(|it| line.trim_start().starts_with(it));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(close)) if open == close => fence = None,
            (None, None) => return true,
            (Some(_), _) => {}
        }
        false
    })
}

/// The parts of a line that do not stand between backticks.
fn outside_code<'t>(line: &'t str, mut each: impl FnMut(&'t str)) {
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let marks = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let (mark, after) = (&rest[at..at + marks], &rest[at + marks..]);
        each(&rest[..at]);
        rest = after.find(mark).map_or(after, |end| &after[end + marks..]);
    }
    each(rest);
}

fn scan(piece: &str, place: &Place, found: &mut BTreeSet<Link>) {
    let mut rest = piece;
    while let Some(at) = rest.find("http") {
        let address = &rest[at..];
        if !address.starts_with("http://") && !address.starts_with("https://") {
            words(&rest[..at + 4], found);
            rest = &rest[at + 4..];
            continue;
        }
        words(&rest[..at], found);
        let end = address.find(ends_address).unwrap_or(address.len());
        take_address(trimmed(&address[..end]), place, found);
        rest = &address[end..];
    }
    words(rest, found);
    found.retain(|it| !matches!(it, Link::Reference { path: Some(path), .. } if path.len() > LONGEST));
}

/// References and keys.
fn words(text: &str, found: &mut BTreeSet<Link>) {
    for (at, sign) in text.match_indices(['!', '#']) {
        let Some(iid) = number(&text[at + 1..]) else { continue };
        let before = text[..at].trim_end_matches(in_path);
        let glued = before.ends_with(|it: char| it.is_alphanumeric() || "&#!@~%$\\".contains(it));
        let path = &text[before.len()..at];
        let sign = if sign == "!" { '!' } else { '#' };
        if glued {
        } else if path.is_empty() {
            found.insert(Link::Reference { sign, path: None, iid });
        } else if is_path(path) {
            found.insert(Link::Reference { sign, path: Some(path.to_owned()), iid });
        }
    }
    for word in text.split(|it: char| !it.is_alphanumeric() && it != '_' && it != '-') {
        if let Some(iid) = word.strip_prefix("GL-").and_then(number) {
            found.insert(Link::Reference { sign: '#', path: None, iid });
        } else if is_key(word) {
            found.insert(Link::Key(word.to_owned()));
        }
    }
}

/// The number that a text begins with, unless a word goes on after it.
fn number(text: &str) -> Option<i64> {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let goes_on = text[end..].starts_with(|it: char| it.is_alphanumeric() || it == '_');
    text[..end].parse().ok().filter(|it| *it > 0 && !goes_on)
}

fn in_path(it: char) -> bool {
    it.is_ascii_alphanumeric() || "_.-/".contains(it)
}

/// A group and a project at least.
fn is_path(text: &str) -> bool {
    let begins = |it: &str| it.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_');
    text.contains('/') && text.split('/').all(begins)
}

fn is_key(word: &str) -> bool {
    let Some((tracker, number)) = word.split_once('-') else { return false };
    (2..=10).contains(&tracker.len())
        && tracker.starts_with(|it: char| it.is_ascii_uppercase())
        && tracker.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
        && (1..=10).contains(&number.len())
        && !number.starts_with('0')
        && number.chars().all(|it| it.is_ascii_digit())
        && !NO_TRACKER.contains(&tracker)
}

fn ends_address(it: char) -> bool {
    it.is_whitespace() || it.is_control() || "<>\"|\\^{}".contains(it)
}

/// An address without the punctuation of the sentence it stands in.
fn trimmed(mut address: &str) -> &str {
    loop {
        let opened = |open, close| address.matches(open).count() >= address.matches(close).count();
        address = match address.chars().last() {
            Some('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~') => &address[..address.len() - 1],
            Some(')') if !opened('(', ')') => &address[..address.len() - 1],
            Some(']') if !opened('[', ']') => &address[..address.len() - 1],
            _ => return address,
        }
    }
}

fn take_address(address: &str, place: &Place, found: &mut BTreeSet<Link>) {
    let plain = address.split(['?', '#']).next().unwrap_or_default();
    let inside = plain.get(..place.base.len()).filter(|it| it.eq_ignore_ascii_case(place.base));
    if inside.is_some_and(|it| !it.is_empty()) {
        found.extend(page(&plain[place.base.len()..]));
        return;
    }
    let Some((scheme, rest)) = plain.split_once("://") else { return };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default().to_lowercase();
    if !host.starts_with(|it: char| it.is_alphanumeric() || it == '[') || host.len() > 255 {
        return;
    }
    found.extend(path.split('/').filter(|it| is_key(it)).map(|it| Link::Key(it.to_owned())));
    let url = format!("{scheme}://{host}{path}");
    let url = if url.len() > LONGEST { format!("{scheme}://{host}") } else { url };
    found.insert(Link::Url { url, host });
}

/// The merge request or issue whose page this is: `group/project/-/issues/7`, without the dash in old versions.
fn page(path: &str) -> Option<Link> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().rposition(|it| ["merge_requests", "issues", "work_items"].contains(it))?;
    let iid = number(parts.get(at + 1)?)?;
    let project = parts[..at].strip_suffix(&["-"]).unwrap_or(&parts[..at]).join("/");
    let sign = if parts[at] == "merge_requests" { '!' } else { '#' };
    is_path(&project).then_some(Link::Reference { sign, path: Some(project), iid })
}

#[cfg(test)]
mod tests;
