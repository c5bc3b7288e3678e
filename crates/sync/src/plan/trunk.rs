//! Which projects' default branches have to be read. There is no list of what moved in them: GitLab's count of commits
//! and the time of the last activity are compared with those of the last reading.

use std::collections::{BTreeMap, HashMap};

use catalogue::commits::COMMITS;
use chrono::{DateTime, TimeDelta, Utc};
use store::{Joined, Trunk, TrunkSigns, Unit};

use crate::Progress;
use crate::engine::{Engine, Halt};
use crate::sight::{Found, Sight};
use crate::standing::Standing;
use crate::trunk::{self, reaches, unit};

/// GitLab does not move the last activity for what follows within an hour.
const ACTIVITY: TimeDelta = TimeDelta::hours(1);
/// A project of which nothing is told is read so often.
const DAILY: TimeDelta = TimeDelta::hours(24);

/// Lays out the units of work, and confirms the projects in which nothing moved.
pub(super) async fn plan(
    engine: &Engine,
    joined: &Joined,
    sight: &Sight,
    standings: &BTreeMap<i64, Standing>,
) -> Result<(), Halt> {
    if engine.options.job_token {
        engine.skip(COMMITS.name, 0, "job_token", "A job token may not list commits.");
        return Ok(());
    }
    let stored = engine.store.trunks(engine.instance.0).await?;
    let stored: HashMap<i64, Trunk> = stored.into_iter().map(|it| (it.signs.project_id, it)).collect();
    let (mut idle, mut due, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
    for found in sight.projects.values() {
        let id = engine.instance.id(found.source_id);
        if found.repository_off {
            let detail = format!("The repository of {} is switched off.", found.path);
            engine.skip(COMMITS.name, id, "feature_disabled", detail);
            continue;
        }
        if found.empty_repo || engine.refused_lately(COMMITS.name, id) {
            continue;
        }
        let signs = signs(id, found, standings.get(&found.source_id));
        match stored.get(&id) {
            Some(trunk) if is_idle(engine, trunk, &signs) => idle.push(id),
            Some(trunk) if is_doubtful(engine, trunk, &signs) => doubtful.push((signs, trunk)),
            _ => due.push(signs),
        }
    }
    let unmoved = trunk::unmoved(engine, doubtful, &mut due).await?;
    engine.store.trunks_unmoved(&unmoved, engine.started).await?;
    idle.extend(unmoved.iter().map(|it| it.project_id));
    engine.store.confirm(engine.instance.0, COMMITS.name, &idle, engine.started).await?;
    engine.store.trunks_due(&due).await?;
    let units: Vec<Unit> = due.iter().map(|it| unit(it.project_id)).collect();
    engine.store.add_units(joined.id, &units).await?;
    Progress::add(&engine.progress.projects, units.len() as u64);
    Ok(())
}

fn signs(project_id: i64, found: &Found, standing: Option<&Standing>) -> TrunkSigns {
    TrunkSigns {
        project_id,
        default_branch: found.default_branch.clone(),
        commit_count: standing.and_then(|it| it.commits),
        last_activity_at: found.last_activity_at,
    }
}

/// When a branch was read, where that was as this run wants it.
fn read_at(engine: &Engine, trunk: &Trunk) -> Option<DateTime<Utc>> {
    let wanted = reaches(trunk.read_from, engine.options.scope.since)
        && (trunk.statistics || !engine.options.commit_statistics);
    trunk.read_at.filter(|_| wanted && !trunk.due)
}

/// Whether a branch is read as this run wants it, and nothing shows that it has moved since.
fn is_idle(engine: &Engine, trunk: &Trunk, signs: &TrunkSigns) -> bool {
    let Some(at) = read_at(engine, trunk) else { return false };
    // Within an hour of an activity a push may have put as many commits in the place of others, and no sign tells. Without
    // GraphQL each look at where a branch ends is a request of its own, which is left to the sweep.
    let looks = engine.options.sweep || can_ask(engine, trunk, signs);
    let settled = !looks || signs.last_activity_at.is_none_or(|it| at > it + ACTIVITY);
    settled && is_unmoved(&trunk.signs, signs, at, engine.started)
}

/// Whether only the activity shows that a branch may have moved: any comment is one. Where it ends will tell; a sweep wants
/// to see for itself.
fn is_doubtful(engine: &Engine, trunk: &Trunk, signs: &TrunkSigns) -> bool {
    let same =
        trunk.signs.commit_count == signs.commit_count && trunk.signs.default_branch == signs.default_branch;
    same && !engine.options.sweep && can_ask(engine, trunk, signs) && read_at(engine, trunk).is_some()
}

/// Whether many branches can be asked at once where they end, and that is known of this one.
fn can_ask(engine: &Engine, trunk: &Trunk, signs: &TrunkSigns) -> bool {
    engine.capabilities.graphql && signs.commit_count.is_some() && trunk.head.is_some()
}

fn is_unmoved(before: &TrunkSigns, now: &TrunkSigns, read_at: DateTime<Utc>, started: DateTime<Utc>) -> bool {
    let told = match (now.commit_count, now.last_activity_at) {
        (Some(count), _) => before.commit_count == Some(count),
        // What was pushed within the hour has left no trace.
        (None, Some(active)) => read_at > active + ACTIVITY,
        (None, None) => read_at > started - DAILY,
    };
    told && before.default_branch == now.default_branch && before.last_activity_at == now.last_activity_at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hours)
    }

    fn signs(commit_count: Option<i64>, active: Option<i64>) -> TrunkSigns {
        TrunkSigns {
            project_id: 1,
            default_branch: Some("main".to_owned()),
            commit_count,
            last_activity_at: active.map(at),
        }
    }

    #[test]
    fn a_count_or_an_activity_that_moved_is_a_reason_to_read() {
        let before = signs(Some(5), Some(0));
        assert!(is_unmoved(&before, &signs(Some(5), Some(0)), at(0), at(1)));
        assert!(!is_unmoved(&before, &signs(Some(6), Some(0)), at(0), at(1)));
        assert!(!is_unmoved(&before, &signs(Some(5), Some(1)), at(0), at(1)));
    }

    #[test]
    fn without_a_count_the_hour_after_an_activity_is_read_again() {
        let signs = signs(None, Some(0));
        assert!(!is_unmoved(&signs, &signs, at(1), at(9)));
        assert!(is_unmoved(&signs, &signs, at(2), at(9)));
    }

    #[test]
    fn a_project_of_which_nothing_is_told_is_read_once_a_day() {
        let signs = signs(None, None);
        assert!(is_unmoved(&signs, &signs, at(0), at(23)));
        assert!(!is_unmoved(&signs, &signs, at(0), at(25)));
    }
}
