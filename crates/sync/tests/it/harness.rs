//! A fake GitLab, a database, and a sync between them.

use std::sync::Arc;
use std::time::Duration;

use catalogue::Connector;
use fake_gitlab::{Builder, FakeGitlab};
use gitlab_client::{BaseUrl, Client, ClientConfig, Credential, RetryPolicy, SystemClock, TokenKind};
use store::Store;
use store::testing::TestDatabase;
use sync::{Options, Outcome, Progress, Stop};

/// Everything a test of the sync needs.
pub struct Bench {
    pub fake: FakeGitlab,
    /// Kept, so that the database lives as long as the test.
    _database: TestDatabase,
    pub store: Store,
}

impl Bench {
    pub async fn new(builder: Builder) -> Bench {
        let database = TestDatabase::new().await;
        let store = database.store().await;
        let fake = builder.start().await.expect("the fake starts");
        Bench { fake, _database: database, store }
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, sql: &str) {
        self._database.execute(sql).await;
    }

    /// Ends every connection to the database, as a restart of the server does.
    pub async fn cut_off(&self) {
        self._database.cut_off().await;
    }

    pub fn client(&self) -> Client {
        self.client_with(&[self.fake.token()])
    }

    pub fn client_with(&self, tokens: &[&str]) -> Client {
        Client::new(self.config(tokens)).expect("the client is made")
    }

    pub fn config(&self, tokens: &[&str]) -> ClientConfig {
        let mut config = ClientConfig::new(BaseUrl::parse(self.fake.url()).expect("the fake's address"));
        let credential =
            |(at, token): (usize, &&str)| Credential::new(format!("{at}"), TokenKind::Private, *token);
        config.credentials = tokens.iter().enumerate().map(credential).collect();
        config.allowed = sync::allowed_endpoints();
        config.timeout = Duration::from_millis(1500);
        config.retry =
            RetryPolicy { attempts: 8, base: Duration::from_millis(5), max: Duration::from_millis(200) };
        config.concurrency = 8;
        config
    }

    /// A client with one token of this kind.
    pub fn client_of(&self, kind: TokenKind, token: &str) -> Client {
        let mut config = ClientConfig::new(BaseUrl::parse(self.fake.url()).expect("the fake's address"));
        config.credentials = vec![Credential::new("0", kind, token)];
        config.allowed = sync::allowed_endpoints();
        Client::new(config).expect("the client is made")
    }

    pub async fn sync(&self) -> Outcome {
        self.sync_with(|_| {}).await
    }

    pub async fn sync_with(&self, change: impl FnOnce(&mut Options)) -> Outcome {
        let mut options = options();
        change(&mut options);
        sync::run(self.client(), self.store.clone(), options, Arc::<Progress>::default(), Stop::default())
            .await
    }
}

pub fn options() -> Options {
    Options::new(vec![Connector::Gitlab], Arc::new(SystemClock))
}
