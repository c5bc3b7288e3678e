//! Webhooks.

mod deliveries;
mod endpoints;
mod events;
mod faults;
mod receiver;
mod shapes;
mod trials;

use fake_gitlab::world::change::NewMergeRequest;
use fake_gitlab::world::model::{Id, Namespace, UserType, World};
use fake_gitlab::{Builder, Edition, FakeGitlab, Hook, HookOwner, TokenKind, TokenSpec, Trigger};
use serde_json::Value;

use crate::client::{Answer, send, start};
use receiver::Receiver;

/// A project two groups deep, somebody who owns it all, somebody who works in it, and a receiver.
pub struct Shop {
    pub fake: FakeGitlab,
    pub receiver: Receiver,
    pub acme: Id,
    pub team: Id,
    pub project: Id,
    pub ann: Id,
    pub bob: Id,
}

/// Tokens, by whose they are.
pub const ANN: &str = "of-ann";
pub const BOB: &str = "of-bob";
pub const ROOT: &str = "of-root";
pub const READS: &str = "reads-for-ann";

impl Shop {
    pub async fn open() -> Self {
        Self::of(FakeGitlab::builder().edition(Edition::Premium)).await
    }

    pub async fn of(builder: Builder) -> Self {
        let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
        let [ann, bob, root] =
            ["ann", "bob", "root"].map(|name| world.create_user(name, name, UserType::Human));
        world.admins.insert(root);
        let acme = world.create_group(None, "Acme", "acme", "private");
        let team = world.create_group(Some(acme), "Team", "team", "private");
        let project = world.create_project(Namespace::Group(team), "Shop", "shop", "private");
        world.set_group_member(acme, ann, 50, None);
        world.set_project_member(project, bob, 30, None);
        world.push_to_trunk(project, ann, 2);
        let token = |secret: &str, user: Id, scope: &str| TokenSpec {
            kind: TokenKind::Personal,
            scopes: vec![scope.to_owned()],
            ..TokenSpec::personal(secret, user)
        };
        let builder = builder.world(world).token(token(ANN, ann, "api")).token(token(BOB, bob, "api"));
        let builder = builder.token(token(ROOT, root, "api")).token(token(READS, ann, "read_api"));
        let (fake, receiver) = (start(builder).await, Receiver::start().await);
        Self { fake, receiver, acme, team, project, ann, bob }
    }

    /// A hook that is told all it can be told, here.
    pub fn listen(&self, owner: HookOwner) -> Id {
        self.listen_to(owner, &Trigger::switches(owner).into_iter().map(|it| it.0).collect::<Vec<_>>())
    }

    pub fn listen_to(&self, owner: HookOwner, triggers: &[Trigger]) -> Id {
        let hook = Hook::new(owner, &self.receiver.url, self.fake.world().now);
        let silent = Hook { switches: Default::default(), ..hook };
        self.fake.hooks().add(silent.told_of(triggers))
    }

    /// A merge request by Bob, to be opened.
    pub fn wanted(&self) -> NewMergeRequest {
        let title = "Sell more".to_owned();
        let (project_id, author_id) = (self.project, self.bob);
        NewMergeRequest { project_id, author_id, title, draft: false, source_project_id: None }
    }

    /// A merge request by Bob.
    pub fn merge_request(&self) -> Id {
        self.fake.world_mut().open_merge_request(self.wanted())
    }

    /// What was told by one change, in few words and sorted: deliveries have no order.
    pub async fn told<T>(&self, change: impl FnOnce(&mut World) -> T) -> Vec<String> {
        self.bodies(change).await.iter().map(|(event, body)| words(event, body)).collect()
    }

    /// The same in full.
    pub async fn bodies<T>(&self, change: impl FnOnce(&mut World) -> T) -> Vec<(String, Value)> {
        self.fake.hooks().settled().await;
        self.receiver.forget();
        change(&mut self.fake.world_mut());
        self.fake.hooks().settled().await;
        let mut told: Vec<(String, Value)> = self.receiver.received().iter().map(|it| it.told()).collect();
        told.sort_by_key(|(event, body)| words(event, body));
        told
    }

    pub async fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.ask_as(token, method, path, "application/json", body).await
    }

    pub async fn ask_as(&self, token: &str, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let headers = [format!("PRIVATE-TOKEN: {token}"), format!("Content-Type: {kind}")];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        send(&self.fake, method, path, &headers, body).await.unwrap()
    }
}

/// `Merge Request Hook: open`
fn words(event: &str, body: &Value) -> String {
    let places = ["/object_attributes/action", "/object_attributes/status", "/build_status", "/status"];
    let places = places.iter().chain(["/event_name"].iter());
    let word = places.filter_map(|it| body.pointer(it)?.as_str()).next();
    format!("{event}: {}", word.unwrap_or("none"))
}
