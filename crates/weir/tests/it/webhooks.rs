//! `weir webhooks install` and `weir webhooks check` as people run them.

use fake_gitlab::world::model::{Project, UserType};
use fake_gitlab::{Edition, FakeGitlab, TokenKind, TokenSpec};
use serde_json::json;
use tokio::process::Command;

use crate::bench::{Bench, finished};

/// A key for tests: nothing is sealed with it that matters.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// An administrator's token that may change things.
const ROOT: &str = "of-root";

const ADDRESS: &str = "--address https://weir.example.com";

struct Shop {
    bench: Bench,
    /// A top-level group.
    group: String,
    /// A project that belongs to a group.
    project: String,
}

impl Shop {
    async fn open() -> Shop {
        let bench = Bench::with(FakeGitlab::builder().edition(Edition::Premium)).await;
        let (root, group, project) = {
            let mut world = bench.fake.world_mut();
            let root = world.create_user("root", "Root", UserType::Human);
            world.admins.insert(root);
            let below = |it: &Project| world.project_groups(it).last().copied();
            let (project, group) = world.projects.values().find_map(|it| Some((it.id, below(it)?))).unwrap();
            world.set_group_member(group, root, 50, None);
            (root, group.to_string(), project.to_string())
        };
        let spec = TokenSpec::personal(ROOT, root);
        bench.fake.state().add_token(TokenSpec {
            kind: TokenKind::Personal,
            scopes: vec!["api".to_owned()],
            ..spec
        });
        Shop { bench, group, project }
    }

    fn weir(&self, line: &str) -> Command {
        let mut command = self.bench.weir(line);
        command.env("WEIR_ENCRYPTION_KEY", KEY).env("GITLAB_TOKEN", ROOT);
        command
    }

    /// A connection with the token of the reader, and one with that of the administrator.
    async fn connect(&self) {
        let store = self.bench.database.store().await;
        let now = gitlab_client::Clock::now(&gitlab_client::SystemClock);
        let instance = store.instance(self.bench.fake.url()).await.unwrap().number;
        let settings = json!({ "base_url": self.bench.fake.url() });
        let new = store::NewConnection { connector: "gitlab", name: "x", instance, settings: &settings };
        let connection = store.create_connection(&new, now).await.unwrap().id;
        let ring = store::vault::Keyring::new(store::vault::Key::parse(&KEY.into()).unwrap(), Vec::new());
        let credential = store::NewCredential {
            label: "root",
            settings: &json!({ "auth_kind": "private" }),
            token: &ROOT.into(),
            scopes: None,
            gitlab_user_id: None,
            expiration_date: None,
        };
        store.unlock(&ring, now).await.unwrap();
        store.add_credential(&ring, connection, &credential, now).await.unwrap();
    }
}

#[tokio::test]
async fn without_yes_it_is_said_and_with_it_done() {
    let shop = Shop::open().await;
    let line =
        format!("webhooks install {ADDRESS} --group {} --project {} --system", shop.group, shop.project);
    let told = finished(shop.weir(&line)).await.ended_with(0);
    assert_eq!(told.stdout.matches("would get a hook").count(), 3, "{}", told.said());
    assert!(told.stderr.contains("Nothing was changed"), "{}", told.said());
    assert!(shop.bench.fake.hooks().all().is_empty());
    let done = finished(shop.weir(&format!("{line} --yes"))).await.ended_with(0);
    assert_eq!(done.stdout.matches("has a new hook").count(), 3, "{}", done.said());
    assert!(done.stdout.contains("no comments"), "{}", done.said());
    assert_eq!(shop.bench.fake.hooks().all().len(), 3);
    let again = finished(shop.weir(&format!("{line} --yes --json"))).await.ended_with(0).json();
    assert!(again["hooks"].as_array().unwrap().iter().all(|it| it["step"] == "keep"), "{again}");
    let noted = "select count(*) from weir.audit_log where action = 'webhooks.install'";
    assert_eq!(shop.bench.value(noted).await, 3);
    // What was said never holds a secret.
    let token = shop.bench.fake.hooks().all()[0].token.clone().unwrap();
    assert!(!done.said().contains(&token) && !again.to_string().contains(&token));
}

#[tokio::test]
async fn what_cannot_be_used_is_told_before_anything_is_asked() {
    let shop = Shop::open().await;
    for (line, word) in [
        ("webhooks install --address weir --system", "--address"),
        ("webhooks install --address https://a:b@weir.example.com --system", "password"),
        ("webhooks install --address https://weir.example.com", "--group, --project or --system"),
        ("webhooks install --address https://weir.example.com --system --connection 7", "no connection 7"),
        ("webhooks check --hours 0", "--hours"),
        ("webhooks check --address nowhere", "--address"),
    ] {
        let run = finished(shop.weir(line)).await.ended_with(2);
        assert!(run.stderr.contains(word), "{line}: {}", run.stderr);
    }
    // The reader's own token may change nothing.
    let mut command = shop.weir(&format!("webhooks install {ADDRESS} --project {} --yes", shop.project));
    command.env("GITLAB_TOKEN", shop.bench.fake.token());
    let run = finished(command).await.ended_with(4);
    assert!(run.said().contains("Maintainer") || run.said().contains("scope api"), "{}", run.said());
}

#[tokio::test]
async fn a_check_with_the_tokens_of_the_connections_says_what_is_wrong() {
    let shop = Shop::open().await;
    shop.connect().await;
    let stored = |line: &str| {
        let mut command = shop.weir(line);
        command.env_remove("GITLAB_TOKEN");
        command
    };
    let run = finished(stored("webhooks check")).await.ended_with(1);
    assert!(run.stdout.contains("No webhook that leads to Weir"), "{}", run.said());
    let line = format!("webhooks install {ADDRESS} --system --connection 1 --yes");
    finished(stored(&line)).await.ended_with(0);
    let run = finished(stored("webhooks check --json")).await.ended_with(0).json();
    assert_eq!(run["gitlabs"][0]["places"][0]["hooks"][0]["url"], "https://weir.example.com/webhooks/gitlab");
    let run = finished(stored("webhooks check --address https://other.example.com")).await.ended_with(1);
    assert!(run.stdout.contains("not to https://other.example.com"), "{}", run.said());
}
