//! Pipelines, jobs, environments and deployments.

mod changes;
mod deployments;
mod generation;
mod graphql;
mod graphql_details;
mod jobs;
mod pipelines;
mod random;
mod rights;
mod shapes;
mod truth;

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::{Reading, Row, truth};
use fake_gitlab::world::change::NewJob;
use fake_gitlab::world::model::{CiStatus, Id, Namespace, Pipeline, UserType, World};
use serde_json::Value;

/// All that CI/CD brings, by GraphQL or by REST.
pub fn reading(graphql: bool) -> Reading {
    Reading::new(graphql, false).with("gitlab_pipelines").with("gitlab_deployments")
}

/// The true rows of one table in one project, by id.
pub fn rows(fake: &FakeGitlab, graphql: bool, table: &str, project: Id) -> Vec<Row> {
    let tables = truth(&fake.world(), &fake.viewer(), reading(graphql));
    let mut rows: Vec<Row> =
        tables[table].iter().filter(|row| row["project_id"] == project).cloned().collect();
    rows.sort_by_key(|row| row.get("id").and_then(Value::as_i64));
    rows
}

/// A pipeline of the generated world that is this and that.
pub fn find(world: &World, wanted: impl Fn(&Pipeline) -> bool) -> Pipeline {
    world.ci.pipelines.values().find(|it| wanted(it)).unwrap().clone()
}

pub fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The first 19 characters of a time: whole seconds.
pub fn second(value: &Value) -> Option<String> {
    value.as_str().map(|time| time[..19].to_owned())
}

/// A world with one project and a person in it.
pub struct Small {
    pub world: World,
    pub project: Id,
    pub ann: Id,
}

impl Small {
    pub fn new() -> Self {
        let mut world = World { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
        let ann = world.create_user("ann", "Ann", UserType::Human);
        let group = world.create_group(None, "Acme", "acme", "private");
        world.set_group_member(group, ann, 40, None);
        let project = world.create_project(Namespace::Group(group), "shop", "shop", "private");
        Self { world, project, ann }
    }

    pub fn wait(&mut self, seconds: i64) {
        self.world.advance(chrono::TimeDelta::seconds(seconds));
    }

    /// A pipeline that has begun, with these jobs.
    pub fn begun(&mut self, jobs: &[NewJob<'_>]) -> (Id, Vec<Id>) {
        let new = fake_gitlab::world::change::NewPipeline::push(self.project, self.ann, "main");
        let pipeline = self.world.create_pipeline(new);
        let jobs = jobs.iter().map(|job| self.world.add_job(pipeline, job)).collect();
        self.world.begin_pipeline(pipeline);
        (pipeline, jobs)
    }

    pub fn pipeline(&self, id: Id) -> &Pipeline {
        &self.world.ci.pipelines[&id]
    }

    pub fn status(&self, job: Id) -> CiStatus {
        self.world.ci.job(job).unwrap().1.status
    }
}
