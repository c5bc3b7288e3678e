//! Moments as people write them.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::problem::Problem;

/// Reads the value of `--since`: a date, a time, or so many days or weeks ago.
pub fn since(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let moment = parse(text.trim(), now).ok_or_else(|| {
        Problem::usage(format!(
            "--since {text:?} is not a date. Write it as 2026-01-31, 2026-01-31T12:00:00Z or 90d (days ago)."
        ))
    })?;
    if moment > now {
        return Err(Problem::usage(format!(
            "--since {text:?} lies in the future, where there is nothing to read. Give a date that has been."
        )));
    }
    Ok(moment)
}

fn parse(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let days = match unit {
        "d" => 1,
        "w" => 7,
        _ => return None,
    };
    let ago = number.parse::<u32>().ok().and_then(|it| TimeDelta::try_days(i64::from(it) * days))?;
    now.checked_sub_signed(ago)
}

/// A moment for people.
pub fn show(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn dates_times_and_days_ago_are_read() {
        let now = at("2026-06-01T12:00:00Z");
        assert_eq!(since("2026-01-31", now).unwrap(), at("2026-01-31T00:00:00Z"));
        assert_eq!(since("2026-01-31T12:00:00+02:00", now).unwrap(), at("2026-01-31T10:00:00Z"));
        assert_eq!(since("31d", now).unwrap(), at("2026-05-01T12:00:00Z"));
        assert_eq!(since("2w", now).unwrap(), at("2026-05-18T12:00:00Z"));
    }

    #[test]
    fn what_is_no_date_or_yet_to_come_is_explained() {
        let now = at("2026-06-01T12:00:00Z");
        for text in ["tomorrow", "", "d", "-3d", "2026-13-01", "99999999999d", "é"] {
            assert!(since(text, now).unwrap_err().0.message.contains("is not a date"), "{text}");
        }
        assert!(since("2026-06-02", now).unwrap_err().0.message.contains("future"));
    }
}
