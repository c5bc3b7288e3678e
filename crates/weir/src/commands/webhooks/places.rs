//! The options that name projects, groups and the whole instance.

use clap::Args;
use sync::hooks::Named;

/// Where hooks are.
#[derive(Args, Clone, Debug, Default)]
pub struct PlaceArguments {
    /// A group, by path or id; its hook tells of everything below it; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A project, by path or id; repeatable
    #[arg(long = "project", value_name = "PROJECT")]
    projects: Vec<String>,
    /// The whole instance
    #[arg(long)]
    system: bool,
}

impl PlaceArguments {
    /// The places, each once: groups, projects, the instance.
    pub fn named(&self) -> Vec<Named> {
        let groups = self.groups.iter().cloned().map(Named::Group);
        let projects = self.projects.iter().cloned().map(Named::Project);
        let mut all: Vec<Named> = Vec::new();
        for named in groups.chain(projects).chain(self.system.then_some(Named::System)) {
            if !all.contains(&named) {
                all.push(named);
            }
        }
        all
    }
}
