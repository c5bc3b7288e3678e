//! The recorded part of GitLab's schema, rebuilt as SDL. Types that were not recorded are opaque.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// Connections and other types that were not recorded, in terms of what was.
const SUPPLEMENT: &str = "
type GroupMemberConnection { nodes: [GroupMember] pageInfo: PageInfo! }
type MilestoneConnection { nodes: [Milestone] pageInfo: PageInfo! }
type CiStage { name: String }
type PipelineCounts { all: Int finished: Int pending: Int running: Int }
type CiRunner { id: ID! runnerType: String! }
type DetailedStatus { tooltip: String }
type ProjectStatistics { commitCount: Float! }
type Repository { tree(path: String, recursive: Boolean, ref: String): Tree }
type Tree { lastCommit: Commit }
type IssueConnection { nodes: [Issue] pageInfo: PageInfo! count: Int! }
type Issue {
  id: ID! iid: ID! title: String! description: String state: String! type: String severity: String confidential: Boolean!
  createdAt: Time! updatedAt: Time! closedAt: Time dueDate: Time webUrl: String! reference(full: Boolean): String!
  author: UserCore! milestone: Milestone labels(first: Int, after: String): LabelConnection
  assignees(first: Int, after: String): UserCoreConnection
}
type MemberInterface { id: ID! accessLevel: AccessLevel createdAt: Time expiresAt: Time user: UserCore }
";
const SUPPLIED: [&str; 12] = [
    "GroupMemberConnection",
    "MilestoneConnection",
    "CiStage",
    "PipelineCounts",
    "CiRunner",
    "DetailedStatus",
    "ProjectStatistics",
    "IssueConnection",
    "Issue",
    "MemberInterface",
    "Repository",
    "Tree",
];
const BUILT_IN: [&str; 5] = ["String", "Int", "Float", "Boolean", "ID"];

/// The SDL; none where the recording is absent.
pub fn sdl() -> Option<String> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/gitlab");
    let folder = PathBuf::from(std::env::var("WEIR_FIXTURES").unwrap_or_else(|_| default.to_owned()));
    let file = folder.join("schemas/graphql_types.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: no recorded schema at {}", file.display());
        return None;
    };
    let types: Map<String, Value> = serde_json::from_str(&text).expect("the recorded schema is JSON");
    Some(write(&types))
}

fn write(types: &Map<String, Value>) -> String {
    let mut sdl = SUPPLEMENT.to_owned();
    let mut named = BTreeSet::new();
    for (name, ty) in types {
        match ty["kind"].as_str() {
            Some("Object") => object(&mut sdl, name, &ty["fields"], &mut named),
            Some("Enum") => enumeration(&mut sdl, name, &ty["values"]),
            _ => writeln!(sdl, "scalar {name}").expect("a string takes text"),
        }
    }
    let known = |it: &&String| {
        types.contains_key(*it) || SUPPLIED.contains(&it.as_str()) || BUILT_IN.contains(&it.as_str())
    };
    for opaque in named.iter().filter(|it| !known(it)) {
        writeln!(sdl, "scalar {opaque}").expect("a string takes text");
    }
    sdl
}

fn object(sdl: &mut String, name: &str, fields: &Value, named: &mut BTreeSet<String>) {
    writeln!(sdl, "type {name} {{").expect("a string takes text");
    for (field, about) in fields.as_object().into_iter().flatten() {
        let arguments = arguments(&about["args"], named);
        let ty = about["type"].as_str().expect("a field has a type");
        named.insert(bare(ty));
        writeln!(sdl, "  {field}{arguments}: {ty}").expect("a string takes text");
    }
    writeln!(sdl, "}}").expect("a string takes text");
}

fn arguments(arguments: &Value, named: &mut BTreeSet<String>) -> String {
    let mut all = Vec::new();
    for (name, about) in arguments.as_object().into_iter().flatten() {
        let ty = about["type"].as_str().expect("an argument has a type");
        named.insert(bare(ty));
        // Defaults were not recorded: an argument that is required and never sent has one.
        all.push(format!("{name}: {}", ty.trim_end_matches('!')));
    }
    if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
}

fn enumeration(sdl: &mut String, name: &str, values: &Value) {
    let values: Vec<&String> = values.as_object().into_iter().flat_map(Map::keys).collect();
    let list = values.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
    writeln!(sdl, "enum {name} {{ {list} }}").expect("a string takes text");
}

/// `[String!]!` is about String.
fn bare(ty: &str) -> String {
    ty.trim_matches(|it| matches!(it, '[' | ']' | '!')).to_owned()
}
