//! The filter of branches whose pushes a hook is told of.

/// Whether a branch fits a filter. Regular expressions are understood as far as letters, `.*` and anchors go.
pub(super) fn fits(strategy: &str, filter: &str, branch: &str) -> bool {
    match strategy {
        "all_branches" => true,
        "regex" => by_expression(filter, branch),
        _ => by_wildcard(filter, branch),
    }
}

fn by_expression(filter: &str, branch: &str) -> bool {
    let (open, filter) = (!filter.starts_with('^'), filter.trim_start_matches('^'));
    let (ends, filter) = (filter.ends_with('$'), filter.trim_end_matches('$'));
    let wildcard = filter.replace(".*", "*");
    let front = if open { "*" } else { "" };
    let back = if ends { "" } else { "*" };
    by_wildcard(&format!("{front}{wildcard}{back}"), branch)
}

/// `*` stands for any text.
fn by_wildcard(filter: &str, branch: &str) -> bool {
    let Some((front, rest)) = filter.split_once('*') else { return filter == branch };
    let Some(left) = branch.strip_prefix(front) else { return false };
    let ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    ends.into_iter().any(|at| by_wildcard(rest, &left[at..]))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_wildcard_stands_for_any_text() {
        assert!(fits("wildcard", "main", "main") && !fits("wildcard", "main", "maintenance"));
        assert!(fits("wildcard", "*-stable", "17-11-stable") && !fits("wildcard", "*-stable", "stable-1"));
        assert!(fits("wildcard", "a*b*c", "a/b/c") && fits("all_branches", "main", "other"));
    }

    #[test]
    fn an_expression_without_anchors_fits_anywhere() {
        assert!(fits("regex", "release", "the-release-1") && !fits("regex", "^release", "the-release-1"));
        assert!(fits("regex", "^v.*x$", "v1x") && !fits("regex", "^v.*x$", "v1xy"));
    }
}
