//! What a system note is about, told from GitLab's exact texts.

use crate::world::model::Note;

/// How a text is compared.
#[derive(Clone, Copy)]
enum Text {
    Exactly(&'static str),
    From(&'static str),
}

use Text::{Exactly, From};

/// The first line that fits names the action; what no line can tell stands in `by_form`.
const TEXTS: &[(Text, &str)] = &[
    (Exactly("approved this merge request"), "approved"),
    (Exactly("unapproved this merge request"), "unapproved"),
    (From("requested changes"), "requested_changes"),
    (From("requested review from "), "reviewer"),
    (From("removed review request for "), "reviewer"),
    (From("assigned to "), "assignee"),
    (From("unassigned "), "assignee"),
    (From("marked this merge request as **draft**"), "draft"),
    (From("marked as a **Work In Progress**"), "draft"),
    (From("marked this merge request as **ready**"), "ready"),
    (From("unmarked as a **Work In Progress**"), "ready"),
    (From("changed title from "), "title"),
    (From("changed the description"), "description"),
    (From("added ~"), "label"),
    (From("removed ~"), "label"),
    (From("changed milestone to "), "milestone"),
    (From("removed milestone"), "milestone"),
    (Exactly("merged"), "merged"),
    (From("merged manually"), "merged"),
    (Exactly("closed"), "closed"),
    (From("closed "), "closed"),
    (Exactly("reopened"), "opened"),
    (From("enabled an automatic merge"), "merge"),
    (From("canceled the automatic merge"), "merge"),
    (From("aborted the automatic merge"), "merge"),
    (From("resolved all threads"), "discussion"),
    (From("changed target branch from "), "branch"),
    (From("deleted source branch "), "branch"),
    (From("restored source branch "), "branch"),
    (From("mentioned in "), "cross_reference"),
    (From("changed this line in "), "outdated"),
    (From("left review comments without approving"), "reviewed"),
    (From("marked the checklist item "), "task"),
    (From("changed time estimate"), "time_tracking"),
];

/// The action of a note; none for people's notes. `metadata` is what GraphQL tells, where it is read.
pub fn action(note: &Note, metadata: bool) -> Option<&str> {
    if !note.system {
        return None;
    }
    let fits = |text: &Text| match text {
        Exactly(text) => note.body == *text,
        From(text) => note.body.starts_with(text),
    };
    let by_text = TEXTS.iter().find(|(text, _)| fits(text)).map(|(_, action)| *action);
    let by_metadata = || note.action.as_deref().filter(|_| metadata);
    by_text.or_else(|| by_form(&note.body)).or_else(by_metadata)
}

/// `added 12 commits`, and time spent.
fn by_form(body: &str) -> Option<&'static str> {
    let rest = body.strip_prefix("added ")?;
    let bare = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let word = bare.strip_prefix(" commits").or_else(|| bare.strip_prefix(" commit"));
    let ends = |tail: &str| !tail.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    if bare.len() < rest.len() && word.is_some_and(ends) {
        return Some("commit");
    }
    rest.contains("of time spent").then_some("time_tracking")
}
