//! Which GitLab is meant.

use gitlab_client::{BaseUrl, Hint};

use crate::problem::Problem;
use crate::settings::{Found, variable};
use crate::terminal;

/// The GitLab of those who name none.
const DEFAULT: &str = "https://gitlab.com";

/// The address of the GitLab: the one given, else the environment's, else gitlab.com.
pub fn find(given: Option<&str>, job_token: bool) -> Result<Found<BaseUrl>, Problem> {
    let Found { value, source } = text(given, job_token);
    let (value, hints) = BaseUrl::parse_with_hints(&value)
        .map_err(|it| Problem::usage(format!("The address in {source} cannot be used. {it}")))?;
    for hint in hints {
        // CI writes the bare name into GITLAB_HOST: that is not worth a word.
        if hint != Hint::AssumedHttps || source == "--url" {
            terminal::warning(&hint.to_string());
        }
    }
    Ok(Found { value, source })
}

fn text(given: Option<&str>, job_token: bool) -> Found<String> {
    let given = given.map(|it| Found { value: it.to_owned(), source: "--url" });
    let job = || job_token.then(|| variable("CI_SERVER_URL")).flatten();
    let default = || Found { value: DEFAULT.to_owned(), source: "the default" };
    given.or_else(|| variable("GITLAB_HOST")).or_else(job).unwrap_or_else(default)
}
