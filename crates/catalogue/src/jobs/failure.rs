//! Why a job failed. REST tells a word; GraphQL tells only the sentence that GitLab shows beside a failed job:
//! `Failed - (script failure)`, with ` (allowed to fail)` and ` (retried)` behind it where that is so.

/// GitLab's sentences that are not the word with blanks for underscores, and the words they stand for.
const SENTENCES: &[(&str, &str)] = &[
    ("api failure", "api_failure"),
    ("unsupported runner", "runner_unsupported"),
    ("job would create infinitely looping pipelines", "pipeline_loop_detected"),
    ("downstream pipeline trigger definition is invalid", "invalid_bridge_trigger"),
    ("downstream project could not be found", "downstream_bridge_project_not_found"),
    ("upstream project could not be found", "upstream_bridge_project_not_found"),
    ("no permissions to trigger downstream pipeline", "insufficient_bridge_permissions"),
    ("no permissions to read upstream project", "insufficient_upstream_permissions"),
    (
        "creation of child pipeline not allowed from another child pipeline",
        "bridge_pipeline_is_child_pipeline",
    ),
    ("downstream pipeline can not be created", "downstream_pipeline_creation_failed"),
    ("secrets provider can not be found", "secrets_provider_not_found"),
    ("reached maximum depth of child pipelines", "reached_max_descendant_pipelines_depth"),
    ("downstream pipeline tree is too large", "reached_max_pipeline_hierarchy_size"),
    ("pipeline project was deleted", "project_deleted"),
    ("pipeline user was blocked", "user_blocked"),
    ("no more ci minutes available", "ci_quota_exceeded"),
    ("no more compute minutes available", "ci_quota_exceeded"),
    ("no matching runner available", "no_matching_runner"),
    ("log size limit exceeded", "trace_size_exceeded"),
    ("project builds are disabled", "builds_disabled"),
    ("ip address restriction failure", "ip_restriction_failure"),
];

/// Sentences that are the word with blanks for underscores.
const WORDS: &[&str] = &[
    "unknown_failure",
    "script_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "forward_deployment_failure",
    "protected_environment_failure",
    "environment_creation_failure",
    "deployment_rejected",
    "failed_outdated_deployment_job",
    "runner_configuration_error",
];

/// The word for what a tooltip says. None where the sentence is not known: it is not guessed.
pub(super) fn reason(tooltip: &str) -> Option<&'static str> {
    let inside = tooltip.split_once(" - (")?.1;
    let inside = inside.strip_suffix(" (retried)").unwrap_or(inside);
    let sentence = inside.strip_suffix(" (allowed to fail)").unwrap_or(inside).strip_suffix(')')?;
    // A bridge adds what its pipeline said, behind a comma.
    let sentence = sentence.split_once(", ").map_or(sentence, |it| it.0).to_ascii_lowercase();
    if sentence.starts_with("too many downstream pipelines triggered") {
        return Some("reached_downstream_pipeline_trigger_rate_limit");
    }
    let known = SENTENCES.iter().find(|(it, _)| *it == sentence).map(|(_, word)| *word);
    known.or_else(|| WORDS.iter().copied().find(|it| it.replace('_', " ") == sentence))
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn the_sentence_beside_a_failed_job_is_the_word_that_rest_tells() {
        assert_eq!(reason("failed - (script failure)"), Some("script_failure"));
        assert_eq!(reason("Failed - (API failure)"), Some("api_failure"));
        assert_eq!(reason("Failed - (API failure) (allowed to fail) (retried)"), Some("api_failure"));
        assert_eq!(reason("failed - (script failure) (allowed to fail)"), Some("script_failure"));
        assert_eq!(reason("failed - (unsupported runner)"), Some("runner_unsupported"));
        let bridge =
            "failed - (downstream pipeline can not be created, jobs config should contain a visible job)";
        assert_eq!(reason(bridge), Some("downstream_pipeline_creation_failed"));
        let limit = "failed - (Too many downstream pipelines triggered in the last minute. Try again later.)";
        assert_eq!(reason(limit), Some("reached_downstream_pipeline_trigger_rate_limit"));
    }

    #[test]
    fn a_sentence_that_is_not_known_is_not_guessed() {
        assert_eq!(reason("failed - (a reason of tomorrow)"), None);
        assert_eq!(reason("passed"), None);
        assert_eq!(reason(""), None);
    }
}
