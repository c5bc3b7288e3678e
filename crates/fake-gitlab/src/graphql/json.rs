//! Writing JSON straight into the answer's bytes.

use std::io::Write;

use chrono::{Datelike, NaiveDate, Timelike};

use super::plan::{Branch, Node};
use crate::world::model::{Id, Time};

pub(super) type Out = Vec<u8>;

pub(super) fn raw(out: &mut Out, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn null(out: &mut Out) {
    raw(out, "null");
}

pub(super) fn boolean(out: &mut Out, value: bool) {
    raw(out, if value { "true" } else { "false" });
}

pub(super) fn integer(out: &mut Out, value: i64) {
    // Writing into a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// For enumerations, ids and the like: text that needs no escaping.
pub(super) fn plain(out: &mut Out, text: &str) {
    out.push(b'"');
    raw(out, text);
    out.push(b'"');
}

pub(super) fn string(out: &mut Out, text: &str) {
    // Writing into a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// A number as GraphQL's ID or String, in quotes.
pub(super) fn quoted(out: &mut Out, value: i64) {
    out.push(b'"');
    integer(out, value);
    out.push(b'"');
}

/// A global id: `gid://gitlab/Project/7`.
pub(super) fn gid(out: &mut Out, kind: &str, id: Id) {
    raw(out, "\"gid://gitlab/");
    raw(out, kind);
    out.push(b'/');
    integer(out, id);
    out.push(b'"');
}

/// A time in whole seconds: `2025-06-13T00:58:27Z`.
pub(super) fn time(out: &mut Out, time: Time) {
    out.push(b'"');
    day(out, time.date_naive());
    out.push(b'T');
    two(out, time.hour());
    out.push(b':');
    two(out, time.minute());
    out.push(b':');
    two(out, time.second());
    raw(out, "Z\"");
}

pub(super) fn date(out: &mut Out, date: NaiveDate) {
    out.push(b'"');
    day(out, date);
    out.push(b'"');
}

fn day(out: &mut Out, date: NaiveDate) {
    let year = date.year().unsigned_abs();
    two(out, year / 100);
    two(out, year % 100);
    out.push(b'-');
    two(out, date.month());
    out.push(b'-');
    two(out, date.day());
}

fn two(out: &mut Out, number: u32) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

/// Writes a value or null.
pub(super) fn option<T>(out: &mut Out, value: Option<T>, write: impl FnOnce(&mut Out, T)) {
    match value {
        Some(value) => write(out, value),
        None => null(out),
    }
}

/// An array, element by element.
pub(super) fn array<T>(
    out: &mut Out,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Out, T),
) {
    out.push(b'[');
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// The object a branch asks for; `field` writes the value of everything but `__typename`.
pub(super) fn object<'p>(out: &mut Out, branch: &'p Branch, mut field: impl FnMut(&'p Node, &mut Out)) {
    out.push(b'{');
    for (position, node) in branch.nodes.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        plain(out, &node.key);
        out.push(b':');
        match node.name.as_str() {
            "__typename" => plain(out, &branch.on),
            _ => field(node, out),
        }
    }
    out.push(b'}');
}

/// The object a field leads to, when its type is concrete.
pub(super) fn child<'p>(out: &mut Out, node: &'p Node, field: impl FnMut(&'p Node, &mut Out)) {
    match node.branches.first() {
        Some(branch) => object(out, branch, field),
        None => null(out),
    }
}
