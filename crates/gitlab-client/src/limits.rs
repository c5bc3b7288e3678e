//! What the headers of an answer say about limits and time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Whoever asks for more, a gateway in front of GitLab perhaps, is asked again after so long: what is waited for is kept in the
/// database, and holds for every process.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What the headers of an answer say about limits and time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Limits {
    /// The server's clock.
    pub(crate) date: Option<DateTime<Utc>>,
    /// Which of GitLab's throttles speaks.
    pub(crate) name: Option<String>,
    pub(crate) limit: Option<u32>,
    pub(crate) remaining: Option<u32>,
    /// How long until the window ends, by the server's own clock.
    pub(crate) reset_in: Option<Duration>,
    /// How long to wait, where it is said.
    pub(crate) retry_after: Option<Duration>,
}

impl Limits {
    /// Reads the headers. `now` stands in for the server's clock where it is not told.
    pub(crate) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let date = text(headers, DATE.as_str()).and_then(http_date);
        let now = date.unwrap_or(now);
        let reset = number::<i64>(headers, "ratelimit-reset").and_then(|it| DateTime::from_timestamp(it, 0));
        let reset = reset.or_else(|| text(headers, "ratelimit-resettime").and_then(http_date));
        Limits {
            date,
            name: text(headers, "ratelimit-name").map(str::to_owned),
            limit: number(headers, "ratelimit-limit"),
            remaining: number(headers, "ratelimit-remaining"),
            reset_in: reset.map(|reset| until(reset, now)),
            retry_after: text(headers, RETRY_AFTER.as_str()).and_then(|it| retry_after(it, now)),
        }
    }

    /// How long a 429 asks to wait; `None` if it does not say. Zero says nothing either.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.retry_after.or(self.reset_in).filter(|wait| !wait.is_zero())
    }
}

fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let seconds = text.parse().ok().map(|it| Duration::from_secs(it).min(LONGEST_WAIT));
    seconds.or_else(|| http_date(text).map(|date| until(date, now)))
}

fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (time - now).max(TimeDelta::zero()).to_std().unwrap_or_default().min(LONGEST_WAIT)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(text).ok().map(DateTime::from)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number<N: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Limits {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        Limits::read(&headers.collect(), DateTime::from_timestamp(0, 0).unwrap())
    }

    #[test]
    fn nobody_is_waited_for_longer_than_an_hour() {
        for told in ["31536000", "18446744073709551615", "Tue, 31 Dec 2999 23:59:59 GMT"] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, told.parse().unwrap());
            assert_eq!(Limits::read(&headers, DateTime::UNIX_EPOCH).wait(), Some(LONGEST_WAIT), "{told}");
        }
    }

    #[test]
    fn waits_are_measured_on_the_servers_clock() {
        let date = ("date", "Thu, 01 Jan 2026 00:00:00 GMT");
        let limits = read(&[date, ("ratelimit-reset", "1767225630"), ("ratelimit-remaining", "7")]);
        assert_eq!((limits.wait(), limits.remaining), (Some(Duration::from_secs(30)), Some(7)));
        let limits = read(&[date, ("retry-after", "Thu, 01 Jan 2026 00:00:05 GMT")]);
        assert_eq!(limits.wait(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_wait_of_zero_or_of_nonsense_says_nothing() {
        assert_eq!(read(&[("retry-after", "0")]).wait(), None);
        assert_eq!(read(&[("retry-after", "soon"), ("ratelimit-reset", "-")]).wait(), None);
        assert_eq!(read(&[]).wait(), None);
    }
}
