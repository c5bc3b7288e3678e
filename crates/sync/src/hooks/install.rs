//! Hooks made and mended.

use catalogue::Instance;
use chrono::{DateTime, Utc};
use gitlab_client::Client;
use serde::Serialize;
use store::{Store, StoreError, WebhookRow};

use super::hook::{Hook, place_id};
use super::places::{Kind, Named, Place};
use super::plan::{Given, Plan, Secret, Step, Wish, plan};
use super::trial::trial;
use super::words::{Doing, refused, unreadable};
use crate::Failure;

/// What deliveries are to prove themselves with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Sent with every delivery.
    pub token: Secret,
    /// What deliveries are signed with, where GitLab does that.
    pub signing: Secret,
}

/// What was done in a place, or would be.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// The place, where GitLab knows it.
    pub place: Option<Place>,
    /// The place as it was named.
    pub name: String,
    /// Whether a hook is made, mended or kept; none where that could not be found out.
    pub step: Option<Step>,
    /// GitLab's id of the hook; none where it is still to be made.
    pub hook_id: Option<i64>,
    /// What is different afterwards.
    pub changes: Vec<String>,
    /// What should be known.
    pub notes: Vec<String>,
    /// Why it could not be done.
    pub error: Option<Failure>,
}

/// Makes and mends hooks, one place after the other; with `dry` it only says what it would do. A place that fails does not
/// hold up the others.
pub async fn install(
    client: &Client,
    store: &Store,
    places: &[Named],
    wish: &Wish,
    secrets: &Secrets,
    (dry, now): (bool, DateTime<Utc>),
) -> Result<Vec<Done>, StoreError> {
    let address = client.base_url().as_str();
    let instance = match dry {
        true => store.known_instance(address).await?,
        false => Some(store.instance(address).await?),
    };
    let known = match &instance {
        Some(it) => store.webhooks(Some(it.number), i64::MAX).await?,
        None => Vec::new(),
    };
    let instance = Instance(instance.map_or(0, |it| it.number));
    let signs = signs(client).await;
    let given = Given { token: &secrets.token, signing: signs.then_some(&secrets.signing) };
    let mut all = Vec::new();
    for named in places {
        let mut done = Done::of(named);
        match one(client, store, named, wish, &given, (instance, &known), (dry, now), &mut done).await {
            Ok(()) => {}
            Err(Stopped::Refused(failure)) => done.error = Some(failure),
            Err(Stopped::Database(error)) => return Err(error),
        }
        all.push(done);
    }
    tell_overlaps(&mut all, &known);
    Ok(all)
}

enum Stopped {
    Refused(Failure),
    Database(StoreError),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Refused(failure)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Stopped {
        Stopped::Database(error)
    }
}

/// Whether this GitLab signs deliveries: from 19.0 on.
async fn signs(client: &Client) -> bool {
    let version = crate::capabilities::version(client).await.ok().and_then(|it| it.0);
    let major = version.as_deref().and_then(|it| it.split('.').next()).and_then(|it| it.parse::<u32>().ok());
    major.is_some_and(|it| it >= 19)
}

#[expect(clippy::too_many_arguments, reason = "all of it is what one place takes")]
async fn one(
    client: &Client,
    store: &Store,
    named: &Named,
    wish: &Wish,
    given: &Given<'_>,
    (instance, known): (Instance, &[WebhookRow]),
    (dry, now): (bool, DateTime<Utc>),
    done: &mut Done,
) -> Result<(), Stopped> {
    let place = named.find(client).await?;
    done.place = Some(place.clone());
    let known: Vec<WebhookRow> = known.iter().filter(|it| is_at(it, instance, &place)).cloned().collect();
    let hooks = place.hooks(client).await?;
    let plan = plan(&place, &hooks, &known, wish, given);
    done.take(&plan);
    if dry {
        return Ok(());
    }
    let hook = carry_out(client, &place, &plan).await?;
    done.hook_id = Some(hook.id);
    let gave = plan.body.get("token").is_some();
    let row = WebhookRow {
        token_id: gave.then_some(given.token.id),
        signing_token_id: given.signing.filter(|_| gave).map(|it| it.id),
        ..hook.row(instance, &place, now)
    };
    store.save_webhook(&row).await?;
    if plan.trial {
        match trial(client, &place, hook.id).await {
            Ok(()) => done.notes.push("The trial was answered: GitLab delivers again.".to_owned()),
            Err(sentence) => return Err(Failure::new("failed", "trial_failed", sentence).into()),
        }
    }
    Ok(())
}

/// Whether what is known is of this place.
pub(super) fn is_at(row: &WebhookRow, instance: Instance, place: &Place) -> bool {
    row.place == place.kind.word() && row.place_id == place_id(instance, place)
}

async fn carry_out(client: &Client, place: &Place, plan: &Plan) -> Result<Hook, Failure> {
    let read =
        |answer: gitlab_client::Answer| serde_json::from_slice(&answer.body).map_err(|_| unreadable(place));
    match &plan.hook {
        None => {
            let made = client.post(&place.request(""), &plan.body).await;
            read(made.map_err(|it| refused(&it, place, Doing::Making))?)
        }
        Some(hook) if plan.body.as_object().is_none_or(serde_json::Map::is_empty) => Ok(hook.clone()),
        Some(hook) => {
            let request = place.request("/{hook}").value(hook.id);
            let changed = client.put(&request, &plan.body).await;
            read(changed.map_err(|it| refused(&it, place, Doing::Changing))?)
        }
    }
}

impl Done {
    fn of(named: &Named) -> Done {
        let name = match named {
            Named::Project(name) => format!("project {name}"),
            Named::Group(name) => format!("group {name}"),
            Named::System => "system hooks".to_owned(),
        };
        Done {
            place: None,
            name,
            step: None,
            hook_id: None,
            changes: Vec::new(),
            notes: Vec::new(),
            error: None,
        }
    }

    fn take(&mut self, plan: &Plan) {
        self.step = Some(plan.step);
        self.hook_id = plan.hook.as_ref().map(|it| it.id);
        self.changes.clone_from(&plan.changes);
        self.notes.clone_from(&plan.notes);
        if self.place.as_ref().is_some_and(|it| it.kind == Kind::System) {
            self.notes.push(NO_COMMENTS.to_owned());
        }
    }
}

/// What every system hook lacks.
pub(super) const NO_COMMENTS: &str = "System hooks carry no comments, issues, pipelines, jobs or deployments: those come with the next \
                                      sync, up to five minutes later. Hooks of groups or projects carry them.";

/// Says where one hook makes another needless.
fn tell_overlaps(all: &mut [Done], known: &[WebhookRow]) {
    let named: Vec<Place> =
        all.iter().filter(|it| it.error.is_none()).filter_map(|it| it.place.clone()).collect();
    let earlier = known.iter().filter_map(|it| {
        let kind = Kind::of_word(&it.place)?;
        Some(Place { kind, id: 0, path: it.path.clone() })
    });
    let groups: Vec<Place> = named.into_iter().chain(earlier).filter(|it| it.kind == Kind::Group).collect();
    for done in all {
        let Some(place) = done.place.as_ref().filter(|it| it.kind != Kind::System) else { continue };
        let above = groups.iter().find(|it| it.covers(&place.path) && it.path != place.path);
        if let Some(above) = above {
            done.notes.push(format!(
                "The hook of the group {} tells of everything below it, so this one is needless: everything comes twice, which \
                 does no harm and costs a little.",
                above.path
            ));
        }
    }
}
