//! Tokens: how they are sent, what they may do, and how GitLab refuses them.

use axum::http::{HeaderMap, StatusCode};
use chrono::NaiveDate;
use serde_json::json;

use crate::rest::Reply;
use crate::rotations::ROTATE;
use crate::state::State;
use crate::world::access::Viewer;
use crate::world::model::{Id, World};

/// What made the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A person's access token.
    Personal,
    /// Token of a project's bot.
    Project,
    /// Token of a group's bot.
    Group,
    /// Token of a service account.
    ServiceAccount,
    /// `CI_JOB_TOKEN`: sent as JOB-TOKEN, reads few endpoints of one project.
    Job,
    /// OAuth: sent as bearer only.
    OAuth,
}

/// Whether the token still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It works.
    Active,
    /// Its day has come.
    Expired,
    /// Someone revoked it.
    Revoked,
    /// Its user is blocked.
    Blocked,
}

/// A token the fake knows.
#[derive(Debug, Clone)]
pub struct TokenSpec {
    /// The secret itself.
    pub token: String,
    /// What made it.
    pub kind: TokenKind,
    /// The user it acts for.
    pub user_id: Id,
    /// Scopes, such as `read_api`.
    pub scopes: Vec<String>,
    /// The day at whose beginning (UTC) it dies.
    pub expires_at: Option<NaiveDate>,
    /// Whether it works.
    pub state: TokenState,
    /// The project of a job token.
    pub project_id: Option<Id>,
}

impl TokenSpec {
    /// An active personal token with the scope `read_api`.
    pub fn personal(token: &str, user_id: Id) -> Self {
        Self {
            token: token.to_owned(),
            kind: TokenKind::Personal,
            user_id,
            scopes: vec!["read_api".to_owned()],
            expires_at: None,
            state: TokenState::Active,
            project_id: None,
        }
    }

    /// The token of a running job of a project.
    pub fn job(token: &str, user_id: Id, project_id: Id) -> Self {
        Self { kind: TokenKind::Job, project_id: Some(project_id), ..Self::personal(token, user_id) }
    }

    /// Who it acts for.
    pub fn viewer(&self) -> Viewer {
        let job_project_id = self.project_id.filter(|_| self.kind == TokenKind::Job);
        Viewer { user_id: self.user_id, job_project_id }
    }
}

/// How a secret was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Private,
    Bearer,
    Job,
}

fn sent(headers: &HeaderMap) -> Option<(Carrier, &str)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
    });
    let private = text("private-token").map(|secret| (Carrier::Private, secret));
    let job = text("job-token").map(|secret| (Carrier::Job, secret));
    private.or(job).or(bearer.map(|secret| (Carrier::Bearer, secret)))
}

/// The secret of a request, however it was sent.
pub fn secret(headers: &HeaderMap) -> Option<&str> {
    sent(headers).map(|(_, secret)| secret)
}

/// Finds the token of a request, or says how GitLab refuses it.
pub fn authenticate(headers: &HeaderMap, state: &State) -> Result<TokenSpec, Reply> {
    let Some((carrier, secret)) = sent(headers) else { return Err(unauthorized()) };
    let Some(spec) = state.token(secret).filter(|spec| carries(carrier, spec.kind)) else {
        return Err(if carrier == Carrier::Bearer { invalid("Bad Access Token.") } else { unauthorized() });
    };
    check_state(&spec, &state.world()).map(|()| spec)
}

fn carries(carrier: Carrier, kind: TokenKind) -> bool {
    match carrier {
        Carrier::Private => !matches!(kind, TokenKind::Job | TokenKind::OAuth),
        Carrier::Bearer => kind != TokenKind::Job,
        Carrier::Job => kind == TokenKind::Job,
    }
}

fn check_state(spec: &TokenSpec, world: &World) -> Result<(), Reply> {
    let expired = spec.expires_at.is_some_and(|day| day <= world.now.date_naive());
    let user = world.users.get(&spec.user_id).map_or("deleted", |user| &user.state);
    match (spec.state, user) {
        (TokenState::Revoked, _) => {
            Err(invalid("Token was revoked. You have to re-authorize from the user."))
        }
        (TokenState::Expired, _) => Err(expired_token()),
        _ if expired => Err(expired_token()),
        (TokenState::Blocked, _) | (_, "blocked") => Err(blocked("blocked")),
        (_, "deactivated") => Err(blocked("deactivated")),
        (_, "deleted") => Err(unauthorized()),
        (TokenState::Active, _) => Ok(()),
    }
}

fn expired_token() -> Reply {
    invalid("Token is expired. You can either do re-authorization or token refresh.")
}

fn unauthorized() -> Reply {
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "message": "401 Unauthorized" }))
}

fn invalid(description: &str) -> Reply {
    let body = json!({ "error": "invalid_token", "error_description": description });
    let realm = format!(
        r#"Bearer realm="Protected by OAuth 2.0", error="invalid_token", error_description="{description}""#
    );
    Reply::json(StatusCode::UNAUTHORIZED, &body).with_header("www-authenticate", realm)
}

fn blocked(how: &str) -> Reply {
    let message = format!("403 Forbidden - Your account has been {how} by your administrator.");
    Reply::json(StatusCode::FORBIDDEN, &json!({ "message": message }))
}

/// Whether one of the token's scopes allows reading this endpoint.
pub fn check_scope(spec: &TokenSpec, template: &str) -> Result<(), Reply> {
    let reads_users = matches!(template, "/user" | "/users/{id}" | "/version" | "/metadata");
    let own_token = template == "/personal_access_tokens/self";
    if template == ROTATE {
        let may = spec.scopes.iter().any(|it| it == "api" || it == "self_rotate");
        return if may { Ok(()) } else { Err(insufficient("api self_rotate")) };
    }
    let allowed = spec.scopes.iter().any(|scope| match scope.as_str() {
        "api" | "read_api" => true,
        "read_user" => reads_users || own_token,
        _ => own_token,
    });
    let wanted = if reads_users { "api read_api read_user" } else { "api read_api" };
    if allowed { Ok(()) } else { Err(insufficient(wanted)) }
}

/// Whether the token may write: `read_api` is not enough.
pub fn check_writing_scope(spec: &TokenSpec) -> Result<(), Reply> {
    if spec.scopes.iter().any(|scope| scope == "api") { Ok(()) } else { Err(insufficient("api")) }
}

fn insufficient(scope: &str) -> Reply {
    let body = json!({
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": scope,
    });
    Reply::json(StatusCode::FORBIDDEN, &body)
}

/// Whether a job token may read the endpoint; to all others GitLab answers as if there were no token.
pub fn check_job_token(spec: &TokenSpec, template: &str) -> Result<(), Reply> {
    const READABLE: &[&str] = &[
        "/projects/{id}/merge_requests",
        "/projects/{id}/merge_requests/{iid}",
        "/projects/{id}/merge_requests/{iid}/notes",
        "/projects/{id}/merge_requests/{iid}/notes/{note_id}",
        "/projects/{id}/repository/commits/{sha}",
        "/projects/{id}/jobs",
        "/projects/{id}/pipelines/{pipeline_id}/jobs",
    ];
    if spec.kind != TokenKind::Job || READABLE.contains(&template) { Ok(()) } else { Err(unauthorized()) }
}
