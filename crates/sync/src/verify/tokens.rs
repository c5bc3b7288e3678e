//! What each token tells about itself.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gitlab_client::tokens::TokenInfo;
use gitlab_client::{BaseUrl, Client, Request};

use super::words::curl;
use super::{TokenReport, Verification};
use crate::Failure;

/// Asks each token about itself. Tokens that cannot be asked (OAuth) are not held against it.
pub(super) async fn ask(client: &Client, today: NaiveDate, report: &mut Verification) -> Result<(), Failure> {
    let mut missing = None;
    for state in client.credentials() {
        let mut token = TokenReport {
            label: state.label.clone(),
            scopes: Vec::new(),
            expires_at: None,
            user_id: None,
            note: None,
        };
        match client.get(&Request::new("personal_access_tokens/self").credential(state.id.clone())).await {
            Ok(answer) => {
                if let Ok(info) = TokenInfo::parse(&answer.body) {
                    missing = missing.or(describe(&mut token, &info, today, client.base_url()));
                }
            }
            Err(error) => token.note = Some(error.message.to_string()),
        }
        report.tokens.push(token);
    }
    share_a_limit(&mut report.tokens);
    let all_bad = !report.tokens.is_empty() && report.tokens.iter().all(|it| it.note.is_some());
    missing.filter(|_| all_bad).map_or(Ok(()), Err)
}

/// Fills in what a token told. Gives the failure when it may not read the API.
fn describe(token: &mut TokenReport, info: &TokenInfo, today: NaiveDate, base: &BaseUrl) -> Option<Failure> {
    token.scopes.clone_from(&info.scopes);
    token.expires_at = info.expires_at;
    token.user_id = Some(info.user_id);
    if !info.can_read_api() {
        let has = if info.scopes.is_empty() { "none".to_owned() } else { info.scopes.join(", ") };
        let message =
            format!("The token needs the scope read_api; it has {has}. Make a token with read_api.");
        token.note = Some(message.clone());
        let mut failure = Failure::new("invalid_permissions", "scope_missing", message);
        failure.curl = Some(curl(base, "personal_access_tokens/self"));
        return Some(failure);
    }
    let days = info.days_left(today).filter(|it| *it <= 30)?;
    token.note = Some(format!("It expires in {days} days: make a new one in time."));
    None
}

fn share_a_limit(tokens: &mut [TokenReport]) {
    let mut by_user: BTreeMap<i64, usize> = BTreeMap::new();
    for user in tokens.iter().filter_map(|it| it.user_id) {
        *by_user.entry(user).or_default() += 1;
    }
    for token in tokens.iter_mut().filter(|it| it.note.is_none()) {
        if token.user_id.is_some_and(|it| by_user[&it] > 1) {
            token.note =
                Some("Another token belongs to the same user: GitLab counts the two as one.".to_owned());
        }
    }
}
