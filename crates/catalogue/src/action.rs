//! What a system note is about, from GitLab's exact texts.
//!
//! REST gives no metadata with a note, GraphQL gives `systemNoteMetadata.action`; the texts are stable English, so
//! both readers derive the word from the text and agree. Texts: <https://docs.gitlab.com/api/notes/> and GitLab's
//! `app/services/system_notes`.

/// Texts that stand alone.
const EXACT: &[(&str, &str)] = &[
    ("approved this merge request", "approved"),
    ("unapproved this merge request", "unapproved"),
    ("merged", "merged"),
    ("closed", "closed"),
    ("reopened", "opened"),
    ("resolved all threads", "discussion"),
    ("marked this merge request as **draft**", "draft"),
    ("marked as a **Work In Progress**", "draft"),
    ("marked this merge request as **ready**", "ready"),
    ("unmarked as a **Work In Progress**", "ready"),
    ("unmarked this merge request as a **Work In Progress**", "ready"),
    ("marked this merge request as a **Work In Progress**", "draft"),
    ("removed milestone", "milestone"),
    ("left review comments without approving", "reviewed"),
];

/// Texts that go on with a name, a link or a list.
const PREFIXES: &[(&str, &str)] = &[
    ("requested changes", "requested_changes"),
    ("requested review from ", "reviewer"),
    ("removed review request for ", "reviewer"),
    ("assigned to ", "assignee"),
    ("unassigned ", "assignee"),
    ("changed title from ", "title"),
    ("changed the description", "description"),
    ("changed milestone to ", "milestone"),
    ("merged manually", "merged"),
    ("closed ", "closed"),
    ("enabled an automatic merge", "merge"),
    ("canceled the automatic merge", "merge"),
    ("aborted the automatic merge", "merge"),
    ("changed target branch from ", "branch"),
    ("deleted source branch ", "branch"),
    ("restored source branch ", "branch"),
    ("deleted the ", "branch"),
    ("restored the ", "branch"),
    ("mentioned in ", "cross_reference"),
    ("changed this line in ", "outdated"),
    ("marked the checklist item ", "task"),
    ("changed time estimate", "time_tracking"),
    ("removed time estimate", "time_tracking"),
    ("removed time spent", "time_tracking"),
];

/// The action of a system note with this text; none for a text that is not known here.
pub(crate) fn from_text(text: &str) -> Option<&'static str> {
    let text = text.trim_end();
    let exact = EXACT.iter().find(|(known, _)| text == *known);
    let prefix = || PREFIXES.iter().find(|(known, _)| text.starts_with(known));
    exact.or_else(prefix).map(|(_, action)| *action).or_else(|| listed(text))
}

/// `added 3 commits`, `added ~12 label`, `added 1h of time spent`.
fn listed(text: &str) -> Option<&'static str> {
    let rest = text.strip_prefix("added ").or_else(|| text.strip_prefix("removed "))?;
    let after_number = rest.trim_start_matches(|it: char| it.is_ascii_digit());
    if after_number.len() < rest.len() && after_number.starts_with(" commit") {
        return Some("commit");
    }
    if rest.starts_with('~') {
        return Some("label");
    }
    rest.contains("of time spent").then_some("time_tracking")
}

#[cfg(test)]
mod tests {
    use super::from_text;

    #[test]
    fn texts_give_their_actions() {
        for (text, action) in [
            ("approved this merge request", "approved"),
            ("unapproved this merge request", "unapproved"),
            ("requested review from @a, @b and @c", "reviewer"),
            ("added 1 commit\n\n<ul><li>x</li></ul>", "commit"),
            ("added ~123 label", "label"),
            ("added ~1 ~2 labels and removed ~3 label", "label"),
            ("removed ~9 label", "label"),
            ("changed title from **a** to **b**", "title"),
            ("marked this merge request as **ready**", "ready"),
            ("marked this merge request as **draft**", "draft"),
            ("closed via commit abc", "closed"),
            ("added 1h of time spent", "time_tracking"),
        ] {
            assert_eq!(from_text(text), Some(action), "{text}");
        }
    }

    #[test]
    fn an_unknown_text_has_no_action() {
        assert_eq!(from_text("added a new habit"), None);
        assert_eq!(from_text("approved this merge request, he said"), None);
    }
}
