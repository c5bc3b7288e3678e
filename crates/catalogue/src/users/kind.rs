//! What kind of account it is, and which rule says so.
//!
//! Names decide first, because both REST and GraphQL tell them: so both give the same rule. GitLab's own type of a user,
//! which GraphQL alone tells, is needed only for an AI account with a name of its own.

/// What kind of account it is, and which rule says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// `human`, `bot` or `ai_bot`.
    pub(super) r#type: &'static str,
    /// The rule.
    pub(super) rule: &'static str,
}

/// Types that GitLab gives to AI accounts.
const AI_TYPES: [&str; 2] = ["LLM_BOT", "DUO_CODE_REVIEW_BOT"];

/// The first rule that fits. A name alone makes nobody a bot: GitLab's flag does.
pub(super) fn of(bot: bool, username: &str, user_type: Option<&str>) -> Kind {
    let name = username.to_lowercase();
    let (r#type, rule) = match (bot, user_type) {
        (true, _) if name == "gitlabduo" || name.starts_with("duo-") => ("ai_bot", "duo_account"),
        (_, Some(it)) if AI_TYPES.contains(&it) => ("ai_bot", "user_type"),
        (true, _) if is_token_bot(&name) => ("bot", "token_bot"),
        (true, _) if name.starts_with("service_account_") => ("bot", "service_account"),
        (true, _) => ("bot", "bot_flag"),
        (false, None | Some("GHOST")) if name == "ghost" => ("human", "ghost"),
        (false, _) => ("human", "bot_flag"),
    };
    Kind { r#type, rule }
}

/// `project_12_bot`, `group_12_bot_0a1b2c`: the names GitLab gives to the bots of access tokens.
fn is_token_bot(name: &str) -> bool {
    let of = |kind: &str| {
        let rest = name.strip_prefix(kind)?;
        let after = rest.trim_start_matches(|it: char| it.is_ascii_digit());
        (after.len() < rest.len()).then_some(after.strip_prefix("_bot")?)
    };
    let tail = of("project_").or_else(|| of("group_"));
    tail.is_some_and(|it| it.chars().all(|it| it.is_ascii_hexdigit() || it == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bot: bool, username: &str, user_type: Option<&str>, wanted: (&str, &str)) {
        let kind = of(bot, username, user_type);
        assert_eq!((kind.r#type, kind.rule), wanted, "{username} {user_type:?}");
    }

    #[test]
    fn both_readers_give_the_same_rule_where_names_or_the_flag_tell() {
        for (bot, username, user_type, wanted) in [
            (true, "GitLabDuo", "DUO_CODE_REVIEW_BOT", ("ai_bot", "duo_account")),
            (true, "duo-developer", "SERVICE_ACCOUNT", ("ai_bot", "duo_account")),
            (true, "project_12_bot", "PROJECT_BOT", ("bot", "token_bot")),
            (true, "project_12_bot1", "PROJECT_BOT", ("bot", "token_bot")),
            (true, "group_7_bot_4ffca233d8298ea1", "PROJECT_BOT", ("bot", "token_bot")),
            (true, "service_account_group_7_ab12", "SERVICE_ACCOUNT", ("bot", "service_account")),
            (true, "renovate", "PROJECT_BOT", ("bot", "bot_flag")),
            (true, "support-bot", "SUPPORT_BOT", ("bot", "bot_flag")),
            (false, "ghost", "GHOST", ("human", "ghost")),
            (false, "ada", "HUMAN", ("human", "bot_flag")),
        ] {
            check(bot, username, None, wanted);
            check(bot, username, Some(user_type), wanted);
        }
    }

    #[test]
    fn an_ai_account_with_a_name_of_its_own_is_known_by_its_type() {
        check(true, "marvin", Some("LLM_BOT"), ("ai_bot", "user_type"));
        check(true, "marvin", None, ("bot", "bot_flag"));
    }

    #[test]
    fn a_name_alone_makes_nobody_a_bot() {
        for name in ["duo-lingo", "project_12_bot", "service_account_x", "GitLabDuo"] {
            check(false, name, Some("HUMAN"), ("human", "bot_flag"));
            check(false, name, None, ("human", "bot_flag"));
        }
        check(true, "project_x_bot", None, ("bot", "bot_flag"));
        check(true, "project_12_bottle", None, ("bot", "bot_flag"));
        check(false, "ghost", Some("HUMAN"), ("human", "bot_flag"));
    }
}
