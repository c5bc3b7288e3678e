//! What may be asked and changed where webhooks are handled. It is a list of its own: what reads has none of these rules,
//! and what handles webhooks reads nothing of what is imported.

use gitlab_client::EndpointRule;

/// Where hooks are.
const PLACES: [&str; 3] = ["projects/{project}/hooks", "groups/{group}/hooks", "hooks"];

/// Every endpoint that handling webhooks takes.
pub fn allowed_endpoints() -> Vec<EndpointRule> {
    let mut rules: Vec<EndpointRule> =
        ["version", "projects/{project}", "groups/{group}"].into_iter().map(EndpointRule::get).collect();
    for place in PLACES {
        rules.extend([
            EndpointRule::get(place),
            EndpointRule::post(place),
            EndpointRule::put(&format!("{place}/{{hook}}")),
        ]);
    }
    for place in &PLACES[..2] {
        rules.push(EndpointRule::get(&format!("{place}/{{hook}}/events")));
        rules.push(EndpointRule::post(&format!("{place}/{{hook}}/test/{{trigger}}")));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_can_change_nothing() {
        let writing: Vec<_> = crate::allowed_endpoints().into_iter().filter(EndpointRule::writes).collect();
        assert_eq!(writing, []);
    }

    #[test]
    fn what_handles_webhooks_changes_hooks_and_nothing_else() {
        let rules = allowed_endpoints();
        assert!(rules.iter().filter(|it| it.writes()).all(|it| it.template.contains("hooks")));
        assert!(!rules.contains(&EndpointRule::graphql()));
    }
}
