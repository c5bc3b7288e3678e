//! Running the binary against a fake GitLab and a database.

use std::process::{Output, Stdio};

use fake_gitlab::{Builder, FakeGitlab, TokenSpec};
use serde_json::Value;
use store::testing::TestDatabase;
use tokio::process::Command;

/// A fake GitLab, a database, and the program between them.
pub struct Bench {
    pub fake: FakeGitlab,
    pub database: TestDatabase,
}

/// What a command left behind.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub async fn new() -> Bench {
        Bench::with(FakeGitlab::builder()).await
    }

    pub async fn with(builder: Builder) -> Bench {
        let database = TestDatabase::new().await;
        Bench { fake: builder.start().await.unwrap(), database }
    }

    /// The program with address, token and database of this bench, from the words of a line.
    pub fn weir(&self, line: &str) -> Command {
        let mut command = weir(&words(line));
        command.env("GITLAB_HOST", self.fake.url());
        command.env("GITLAB_TOKEN", self.fake.token());
        command.env("DATABASE_URL", self.database.url());
        command
    }

    pub async fn run(&self, line: &str) -> Run {
        finished(self.weir(line)).await
    }

    /// Runs with another token than the reader's.
    pub async fn run_as(&self, token: &str, line: &str) -> Run {
        let mut command = self.weir(line);
        command.env("GITLAB_TOKEN", token);
        finished(command).await
    }

    /// A user who is a member of nothing, with a token.
    pub fn newcomer(&self, token: &str) -> i64 {
        use fake_gitlab::world::model::UserType;
        let user = self.fake.world_mut().create_user("newcomer", "New Comer", UserType::Human);
        self.fake.state().add_token(TokenSpec::personal(token, user));
        user
    }

    /// The one value that a query gives.
    pub async fn value(&self, sql: &str) -> Value {
        let store = self.database.store().await;
        store.query(sql).await.unwrap().rows[0][0].clone()
    }
}

impl Run {
    /// The object on standard output, which is all there is.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|it| panic!("{it}: {}\n{}", self.stdout, self.stderr))
    }

    /// Everything that was said.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn ended_with(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Words of a line, separated by spaces.
pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The program with nothing configured.
pub fn weir(arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", "/nonexistent").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

pub async fn finished(mut command: Command) -> Run {
    ended(command.output().await.unwrap())
}

pub fn ended(output: Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
