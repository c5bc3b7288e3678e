//! Webhooks installed and checked.

mod check;
mod install;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use fake_gitlab::world::change::NewMergeRequest;
use fake_gitlab::world::model::{Id, Namespace, UserType, World};
use fake_gitlab::{Builder, Edition, FakeGitlab, TokenKind, TokenSpec};
use gitlab_client::{Client, Clock, SystemClock};
use store::WebhookSecret;
use store::vault::{Key, Keyring};
use sync::hooks::{Address, Asked, Done, Named, Report, Secret, Secrets, Wish, check, install};

use crate::harness::Bench;

/// Tokens, by whose they are.
const ANN: &str = "of-ann";
const BOB: &str = "of-bob";
const ROOT: &str = "of-root";
const READS: &str = "reads-for-ann";

/// Nobody listens here.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A project two groups deep, an owner of it all, a developer, an administrator, and what was imported of it.
struct Shop {
    bench: Bench,
    secrets: Secrets,
    acme: Id,
    project: Id,
    ann: Id,
    bob: Id,
}

impl Shop {
    async fn open() -> Shop {
        Shop::of(FakeGitlab::builder().edition(Edition::Premium)).await
    }

    async fn of(builder: Builder) -> Shop {
        let mut world = World { now: SystemClock.now(), ..World::default() };
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
        let bench = Bench::new(builder).await;
        // The database may have been made after the world.
        bench.fake.world_mut().advance(TimeDelta::minutes(1));
        let secrets = secrets(&bench, false).await;
        let shop = Shop { bench, secrets, acme, project, ann, bob };
        shop.sync().await;
        shop
    }

    async fn sync(&self) {
        let outcome = sync::run(
            self.bench.client_with(&[READS]),
            self.bench.store.clone(),
            crate::harness::options(),
            Default::default(),
            Default::default(),
        )
        .await;
        assert!(outcome.ok, "{outcome:?}");
    }

    fn client(&self, token: &str) -> Client {
        sync::hooks::client(self.bench.config(&[token])).unwrap()
    }

    async fn install_as(&self, token: &str, places: &[Named], address: &str, dry: bool) -> Vec<Done> {
        let wish = wish(address);
        let now = (dry, self.now());
        let client = self.client(token);
        install(&client, &self.bench.store, places, &wish, &self.secrets, now).await.unwrap()
    }

    async fn install(&self, places: &[Named], address: &str) -> Vec<Done> {
        let all = self.install_as(ANN, places, address, false).await;
        assert!(all.iter().all(|it| it.error.is_none()), "{all:?}");
        all
    }

    /// A few minutes after what happens in the world, so that nothing counts as under way.
    fn now(&self) -> DateTime<Utc> {
        self.bench.fake.world().now + TimeDelta::minutes(10)
    }

    async fn check(&self, token: &str) -> Report {
        let token_id = self.secrets.token.id;
        let asked = Asked { places: Vec::new(), address: None, hours: 24, token_id };
        self.check_as(token, asked).await
    }

    async fn check_as(&self, token: &str, asked: Asked) -> Report {
        check(&self.client(token), &self.bench.store, &asked, self.now()).await.unwrap()
    }

    fn merge_request(&self) -> Id {
        let wanted = NewMergeRequest {
            project_id: self.project,
            author_id: self.bob,
            title: "Sell more".to_owned(),
            draft: false,
            source_project_id: None,
        };
        self.bench.fake.world_mut().open_merge_request(wanted)
    }

    fn advance(&self, minutes: i64) {
        self.bench.fake.world_mut().advance(TimeDelta::minutes(minutes));
    }
}

fn wish(address: &str) -> Wish {
    Wish { address: Address::parse(address).unwrap(), keep_events: false, confidential: false }
}

fn acme() -> Named {
    Named::Group("acme".to_owned())
}

fn shop() -> Named {
    Named::Project("acme/team/shop".to_owned())
}

/// The secrets in use, after they were changed if that is wanted.
async fn secrets(bench: &Bench, rotated: bool) -> Secrets {
    let ring = Keyring::new(Key::parse(&KEY.into()).unwrap(), Vec::new());
    let now = SystemClock.now();
    if rotated {
        bench.store.rotate_webhook_secrets(&ring, now + TimeDelta::days(7), now).await.unwrap();
    }
    let all = bench.store.webhook_secrets(&ring, now).await.unwrap();
    let secret = |it: &WebhookSecret| Secret { id: it.id, value: it.secret.clone() };
    let one =
        |signing: bool| all.iter().find(|it| it.signing == signing && it.valid_until.is_none()).map(secret);
    Secrets { token: one(false).unwrap(), signing: one(true).unwrap() }
}

/// A key for tests: nothing is sealed with it that matters.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Something that answers every delivery in this way; its address.
async fn receiver(status: u16) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    let router = Router::new().route("/webhooks/gitlab", post(async move || (status, "as told")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
