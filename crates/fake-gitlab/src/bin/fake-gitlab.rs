//! The fake GitLab as a program.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, ValueEnum};
use fake_gitlab::builder::{DEFAULT_TOKEN, listen};
use fake_gitlab::faults::{Fault, FaultPlan};
use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::world::generate::{READER, Scale, generate};
use fake_gitlab::{Builder, Edition, FakeGitlab, HookSettings, TokenSpec};

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
    /// Of the model organisation, one part in so many.
    #[arg(long, default_value_t = 50)]
    one_in: usize,
    #[command(flatten)]
    counts: Counts,
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
    /// Requests of one user in a minute before it answers 429.
    #[arg(long)]
    rate_limit: Option<u64>,
    /// Length of the window of --rate-limit in seconds.
    #[arg(long, default_value_t = 60)]
    rate_limit_seconds: u64,
    /// Share of requests that fail, from 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    fault_rate: f64,
    /// The token it accepts.
    #[arg(long, default_value = DEFAULT_TOKEN)]
    token: String,
    /// A token more, of a user of its own who sees the same; repeatable.
    #[arg(long, value_name = "TOKEN")]
    token_of_another: Vec<String>,
    /// A token more of the same user; repeatable.
    #[arg(long, value_name = "TOKEN")]
    token_of_the_same: Vec<String>,
    /// The token's user administers the instance, and the token may write: it can make webhooks.
    #[arg(long)]
    administrator: bool,
    /// Disable webhooks that fail again and again, as gitlab.com does.
    #[arg(long)]
    disable_failing_hooks: bool,
    /// Serve the recordings of this directory instead of a world.
    #[arg(long)]
    replay: Option<PathBuf>,
}

/// How much there is of single things, where the scale does not suit.
#[derive(Args)]
struct Counts {
    /// Projects.
    #[arg(long)]
    projects: Option<usize>,
    /// Merge requests of a project.
    #[arg(long)]
    merge_requests: Option<usize>,
    /// Pipelines of a project.
    #[arg(long)]
    pipelines: Option<usize>,
    /// Jobs of a pipeline.
    #[arg(long)]
    jobs: Option<usize>,
    /// Commits of a project's default branch.
    #[arg(long)]
    commits: Option<usize>,
    /// Issues of a project.
    #[arg(long)]
    issues: Option<usize>,
    /// Deployments of every third project.
    #[arg(long)]
    deployments: Option<usize>,
    /// None of GitLab's oddities.
    #[arg(long)]
    ordinary: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    Tiny,
    Small,
    Medium,
    Large,
    Model,
}

impl Arguments {
    fn scale(&self) -> Scale {
        let scale = match self.scale {
            Size::Tiny => Scale::tiny(),
            Size::Small => Scale::small(),
            Size::Medium => Scale::medium(),
            Size::Large => Scale::large(),
            Size::Model => Scale::model(self.one_in),
        };
        self.counts.within(scale)
    }
}

impl Counts {
    fn within(&self, scale: Scale) -> Scale {
        Scale {
            projects: self.projects.unwrap_or(scale.projects),
            merge_requests_per_project: self.merge_requests.unwrap_or(scale.merge_requests_per_project),
            pipelines_per_project: self.pipelines.unwrap_or(scale.pipelines_per_project),
            jobs_per_pipeline: self.jobs.unwrap_or(scale.jobs_per_pipeline),
            commits_per_project: self.commits.unwrap_or(scale.commits_per_project),
            issues_per_project: self.issues.unwrap_or(scale.issues_per_project),
            deployments_per_project: self.deployments.unwrap_or(scale.deployments_per_project),
            oddities: scale.oddities && !self.ordinary,
            ..scale
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
    let mut world = generate(arguments.seed, &arguments.scale());
    let reader = world.users.values().find(|user| user.username == READER).map_or(0, |user| user.id);
    let per_item = Duration::from_secs_f64(arguments.latency_per_item_ms.max(0.0) / 1_000.0);
    let same = arguments.token_of_the_same.iter().map(|it| TokenSpec::personal(it, reader));
    let others = arguments.token_of_another.iter().enumerate().map(|(at, token)| {
        let twin = world.create_twin(reader, &format!("{READER}-{}", at + 2));
        TokenSpec::personal(token, twin)
    });
    let more: Vec<TokenSpec> = same.chain(others).collect();
    let mut token = TokenSpec::personal(&arguments.token, reader);
    if arguments.administrator {
        world.admins.insert(reader);
        token.scopes = vec!["api".to_owned()];
    }
    let hooks =
        HookSettings { failing_are_disabled: arguments.disable_failing_hooks, ..HookSettings::default() };
    let mut builder = FakeGitlab::builder()
        .world(world)
        .address(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)))
        .edition(arguments.edition.edition())
        .version(&arguments.gitlab_version)
        .graphql(!arguments.no_graphql)
        .latency(Duration::from_millis(arguments.latency_ms), per_item)
        .hook_settings(hooks)
        .token(token)
        .limits(limits(arguments));
    for token in more {
        builder = builder.token(token);
    }
    if let Some(workers) = arguments.workers {
        builder = builder.workers(workers);
    }
    if arguments.fault_rate > 0.0 {
        builder = builder.faults(faults(arguments));
    }
    builder
}

fn limits(arguments: &Arguments) -> LimitSettings {
    let period = Duration::from_secs(arguments.rate_limit_seconds.max(1));
    let per_user = arguments.rate_limit.map(|limit| Throttle { limit, period });
    LimitSettings { per_user, ..LimitSettings::default() }
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
