//! What tests of extractors share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use extractor::{Connected, Outside, Route, Wanted, connect};
use secrecy::ExposeSecret;
use serde_json::Value;
use store::Store;
use store::testing::TestDatabase;
use sync::connection::{AuthKind, Network, Observed, Settings, Token, client, options};
use sync::tasks::{Here, Pace, Tokens, Worker, work};
use sync::{Clock, Progress, Stop, SystemClock};
use telemetry::Telemetry;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::harness::Bench;

/// A key for an extractor of this name.
pub async fn key_of(bench: &Bench, name: &str) -> String {
    let scopes = ["extractors:run".to_owned()];
    let (row, key) = bench.store.create_api_key(name, &scopes, SystemClock.now()).await.expect("a key");
    bench.store.bind_api_key(row.id, name).await.expect("it is bound");
    key.expose_secret().to_owned()
}

pub fn route(url: &str, key: &str) -> Route {
    let address = Route::parse_address(url).expect("an address");
    Route { address, key: key.to_owned().into(), proxy: None, ca_file: None }
}

pub fn wanted(bench: &Bench, name: &str) -> Wanted {
    let connectors = catalogue_connectors();
    Wanted { name: name.to_owned(), base_url: bench.gitlab.url().to_owned(), connectors }
}

pub fn catalogue_connectors() -> Vec<String> {
    catalogue::Connector::ALL.iter().map(|it| it.name().to_owned()).collect()
}

pub fn token(bench: &Bench) -> Token {
    let secret = bench.gitlab.token().to_owned().into();
    Token { id: "1".to_owned(), label: "inside".to_owned(), kind: AuthKind::Private, secret }
}

/// An extractor that runs until it is stopped.
pub struct Inside {
    pub outside: Outside,
    connected: Connected,
    stop: Stop,
    task: JoinHandle<()>,
}

impl Inside {
    pub async fn start(bench: &Bench, url: &str, key: &str, name: &str) -> Inside {
        let stop = Stop::default();
        let outside = Outside::new(route(url, key), stop.clone()).expect("a way out");
        let connected = connect(&outside, &wanted(bench, name)).await.expect("it is let in");
        let pace = Pace {
            older_for: Duration::from_secs(60),
            patience: Duration::from_secs(2),
            retry_base: Duration::from_millis(200),
            retry_max: Duration::from_secs(1),
            heartbeat: Duration::from_millis(500),
            stuck_after: Duration::from_secs(60),
        };
        let worker = Worker {
            store: connected.store.clone(),
            tokens: Tokens::Given(vec![token(bench)].into()),
            network: Network { direct: true, ..Network::default() },
            pace,
            clock: Arc::new(connected.clock.clone()),
            owner: format!("{}worker", connected.owner),
            wake: Arc::new(Notify::new()),
            arrived: Arc::new(Notify::new()),
            here: Here::default(),
            telemetry: Telemetry::new(),
        };
        let (asked, asking) = (stop.clone(), outside.clone());
        let task = tokio::spawn(async move {
            let (wake, arrived) = (worker.wake.clone(), worker.arrived.clone());
            let waking = async {
                while !asked.asked() {
                    tokio::select! {
                        work = asking.wait_for_work() => if work {
                            wake.notify_one();
                            arrived.notify_one();
                        },
                        () = asked.wait() => {}
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            tokio::join!(
                work(worker.clone(), asked.clone()),
                sync::inbox::work(worker, asked.clone()),
                waking
            );
        });
        Inside { outside, connected, stop, task }
    }

    pub fn connections(&self) -> &[i64] {
        &self.connected.connections
    }

    pub async fn stop(self) {
        self.stop.ask();
        self.task.await.expect("it ends well");
    }

    /// Ends it as kill -9 would.
    pub fn kill(self) {
        self.task.abort();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(self) -> Outside {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        waited.expect("it ends in time").expect("it ends well");
        self.outside
    }
}

/// What a sync of the same GitLab brings that meets the database itself.
pub struct Direct {
    _database: TestDatabase,
    store: Store,
}

impl Direct {
    pub async fn sync(bench: &Bench) -> Direct {
        let database = TestDatabase::new().await;
        let store = database.store().await;
        let settings =
            Settings::parse(&serde_json::json!({ "base_url": bench.gitlab.url() })).expect("settings");
        for connector in catalogue::Connector::ALL {
            let observed = Observed { connection: 0, telemetry: Telemetry::new() };
            let client = client(&settings, &[token(bench)], &Network::default(), observed).expect("a client");
            let options = options(&settings, connector, Arc::new(SystemClock));
            let outcome =
                sync::run(client, store.clone(), options, Arc::<Progress>::default(), Stop::default()).await;
            assert!(outcome.ok, "{:?}", outcome.error);
        }
        Direct { _database: database, store }
    }

    /// Compares every table of GitLab's things, apart from when they were read.
    pub async fn assert_same(&self, other: &Store) {
        let (ours, theirs) = (tables(&self.store).await, tables(other).await);
        assert!(ours.values().map(Vec::len).sum::<usize>() > 200, "there is something to compare");
        for (table, rows) in &ours {
            let missing: Vec<&String> =
                rows.iter().filter(|it| !theirs[table].contains(it)).take(3).collect();
            assert!(missing.is_empty(), "{table}: {missing:#?}");
            assert_eq!(rows.len(), theirs[table].len(), "{table}");
        }
    }
}

/// The rows of every table of GitLab's things.
pub async fn tables(store: &Store) -> BTreeMap<String, Vec<String>> {
    let names = "select tablename from pg_tables where schemaname = 'public' and tablename like 'gitlab\\_%'
                 union all select 'weir.group_labels' order by 1";
    let names = store.query(names).await.expect("the tables").rows;
    let mut all = BTreeMap::new();
    for name in names.iter().filter_map(|it| it[0].as_str()) {
        let sql = format!("select (to_jsonb(t) - 'synced_at')::text from {name} t order by 1");
        let rows = store.query(&sql).await.expect("the rows").rows;
        let text = |it: &Vec<Value>| it[0].as_str().unwrap_or_default().to_owned();
        all.insert(name.to_owned(), rows.iter().map(text).collect());
    }
    all
}
