//! The fake GitLab as a program.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use fake_gitlab::builder::{DEFAULT_TOKEN, listen};
use fake_gitlab::faults::{Fault, FaultPlan};
use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::world::generate::{READER, Scale, generate};
use fake_gitlab::{Builder, Edition, FakeGitlab, TokenSpec};

/// A deterministic GitLab for tests, benchmarks and demonstrations.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How much there is.
    #[arg(long, value_enum, default_value_t = Size::Small)]
    scale: Size,
    /// The same seed gives the same world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Edition and tier.
    #[arg(long, value_enum, default_value_t = Tier::Free)]
    edition: Tier,
    /// Version it claims to be.
    #[arg(long, default_value = "17.11.0")]
    gitlab_version: String,
    /// Serve no GraphQL.
    #[arg(long)]
    no_graphql: bool,
    /// Milliseconds every answer takes.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Milliseconds every element of an answer takes on top.
    #[arg(long, default_value_t = 0.0)]
    latency_per_item_ms: f64,
    /// Requests served at the same time.
    #[arg(long)]
    workers: Option<usize>,
    /// Requests a minute of one user before it answers 429.
    #[arg(long)]
    rate_limit: Option<u64>,
    /// Share of requests that fail, from 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    fault_rate: f64,
    /// The token it accepts.
    #[arg(long, default_value = DEFAULT_TOKEN)]
    token: String,
    /// Serve the recordings of this directory instead of a world.
    #[arg(long)]
    replay: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    Tiny,
    Small,
    Medium,
    Large,
}

impl Size {
    fn scale(self) -> Scale {
        match self {
            Self::Tiny => Scale::tiny(),
            Self::Small => Scale::small(),
            Self::Medium => Scale::medium(),
            Self::Large => Scale::large(),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Tier {
    Ce,
    Free,
    Premium,
}

impl Tier {
    fn edition(self) -> Edition {
        match self {
            Self::Ce => Edition::Ce,
            Self::Free => Edition::Free,
            Self::Premium => Edition::Premium,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-gitlab: {error}.");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(directory) = &arguments.replay {
        return replay(directory, arguments.port).await;
    }
    let fake = builder(&arguments).start().await?;
    println!("listening on {}", fake.url());
    println!("Use the token {} (user {READER}).", arguments.token);
    fake.serve().await;
    Ok(())
}

/// Serves recorded answers: no world, no tokens, no faults.
async fn replay(directory: &Path, port: u16) -> anyhow::Result<()> {
    let router = fake_gitlab::replay::router(directory)?;
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    println!("listening on http://{}", listener.local_addr()?);
    println!("Any token will do: the answers are recorded.");
    axum::serve(listener, router).await.context("serving ended")
}

fn builder(arguments: &Arguments) -> Builder {
    let world = generate(arguments.seed, &arguments.scale.scale());
    let reader = world.users.values().find(|user| user.username == READER).map_or(0, |user| user.id);
    let per_item = Duration::from_secs_f64(arguments.latency_per_item_ms.max(0.0) / 1_000.0);
    let mut builder = FakeGitlab::builder()
        .world(world)
        .address(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)))
        .edition(arguments.edition.edition())
        .version(&arguments.gitlab_version)
        .graphql(!arguments.no_graphql)
        .latency(Duration::from_millis(arguments.latency_ms), per_item)
        .token(TokenSpec::personal(&arguments.token, reader))
        .limits(limits(arguments));
    if let Some(workers) = arguments.workers {
        builder = builder.workers(workers);
    }
    if arguments.fault_rate > 0.0 {
        builder = builder.faults(faults(arguments));
    }
    builder
}

fn limits(arguments: &Arguments) -> LimitSettings {
    let minute = |limit| Throttle { limit, period: Duration::from_secs(60) };
    LimitSettings { per_user: arguments.rate_limit.map(minute), ..LimitSettings::default() }
}

/// Everything that ends by itself: a hanging request would only stop the caller.
fn faults(arguments: &Arguments) -> FaultPlan {
    let kinds = [
        Fault::InternalError,
        Fault::BadGateway,
        Fault::Unavailable,
        Fault::Reset,
        Fault::CutBody,
        Fault::HtmlWithOk,
        Fault::BrokenJson,
    ];
    FaultPlan::new(arguments.fault_rate, &kinds, arguments.seed)
}
