//! Pipelines that trigger pipelines.

use chrono::TimeDelta;

use super::CiMaker;
use crate::world::change::NewJob;
use crate::world::model::{FailureReason, Id};

/// A project strangers own. The reader sees the project, but not its pipelines.
const HIDDEN: &str = "handbook";

impl CiMaker<'_> {
    fn bridge(&mut self, pipeline: Id, name: &str) -> Id {
        self.world.add_job(pipeline, &NewJob::bridge("deploy", name))
    }

    /// A pipeline, its child and its grandchild.
    pub(super) fn family(&mut self, project_id: Id) {
        let mut pipeline = self.odd(project_id);
        for name in ["child", "grandchild"] {
            let bridge = self.bridge(pipeline, name);
            self.world.begin_pipeline(pipeline);
            self.world.advance(TimeDelta::seconds(2));
            pipeline = self.world.trigger_child(bridge);
        }
        self.fill(pipeline, 2);
        self.world.run_pipeline(pipeline);
    }

    /// One pipeline in another project of the reader, and one in a project whose pipelines are out of sight.
    pub(super) fn elsewhere(&mut self, project_id: Id) {
        let hidden = self.world.projects.values().find(|project| project.path == HIDDEN);
        let hidden = hidden.map(|project| project.id);
        let targets = self.projects.iter().copied().skip(1).take(1).chain(hidden);
        let pipeline = self.odd(project_id);
        let bridges: Vec<(Id, Id)> = targets
            .enumerate()
            .map(|(n, project)| (self.bridge(pipeline, &format!("ship {n}")), project))
            .collect();
        self.world.begin_pipeline(pipeline);
        for (bridge, target) in bridges {
            let downstream = self.world.trigger_downstream(bridge, target);
            self.job(downstream, "accept");
            self.world.run_pipeline(downstream);
        }
        if let Some(hidden) = hidden {
            self.switch_off(hidden, "private");
        }
    }

    /// Bridges that triggered nothing; the first was tried again.
    pub(super) fn failed_bridges(&mut self, project_id: Id) {
        let pipeline = self.odd(project_id);
        let words = Some("Insufficient permissions to set pipeline variables, Reference not found");
        let tried = [
            ("to the unknown", FailureReason::DownstreamProjectNotFound, None),
            ("to the forbidden", FailureReason::BridgePermissions, None),
            ("to the broken", FailureReason::DownstreamCreation, words),
        ];
        let bridges: Vec<Id> = tried.iter().map(|(name, ..)| self.bridge(pipeline, name)).collect();
        self.world.begin_pipeline(pipeline);
        for (bridge, (_, reason, errors)) in bridges.iter().zip(tried) {
            self.world.advance(TimeDelta::seconds(1));
            self.world.fail_bridge(*bridge, reason, errors);
        }
        let person = self.someone();
        let again = self.world.retry_job(bridges[0], person);
        self.world.fail_bridge(again, FailureReason::DownstreamProjectNotFound, None);
    }
}
