//! Commits and issues over GraphQL.

use fake_gitlab::graphql::complexity::of_query;
use fake_gitlab::world::change::{MergeStyle, NewIssue, NewMergeRequest};
use fake_gitlab::world::issue::{IssueType, Severity};
use fake_gitlab::world::model::{Id, World};
use serde_json::{Value, json};

use crate::data;
use crate::world::small;

/// The small world with a merge request of known commits and three issues in project 11.
fn world() -> (World, Id) {
    let mut world = small();
    let mr = world.open_merge_request(NewMergeRequest {
        project_id: 11,
        author_id: 1,
        title: "Add".into(),
        draft: false,
        source_project_id: None,
    });
    world.push(mr, 1, 2, false);
    for (title, issue_type) in
        [("First", IssueType::Issue), ("Second", IssueType::Incident), ("Third", IssueType::Task)]
    {
        world.advance(chrono::TimeDelta::minutes(2));
        let (title, description) = (title.to_owned(), Some("See !1".to_owned()));
        world.open_issue(NewIssue { project_id: 11, author_id: 1, title, description, issue_type });
    }
    (world, mr)
}

fn project(world: &World, fields: &str) -> Value {
    data(world, &format!(r#"{{ project(fullPath: "acme/web/shop") {{ {fields} }} }}"#))["project"].clone()
}

#[test]
fn commits_of_a_merge_request_are_those_of_rest() {
    let (world, mr) = world();
    let fields =
        "commitCount commits { pageInfo { hasNextPage } nodes { id sha shortId title fullTitle authorName
        authorEmail authoredDate committedDate committerName committerEmail author { username } webUrl } }";
    let it =
        &data(&world, &format!(r#"{{ mergeRequest(id: "gid://gitlab/MergeRequest/{mr}") {{ {fields} }} }}"#))
            ["mergeRequest"];
    let commits = world.commits_of(&world.merge_requests[&mr]);
    let nodes = it["commits"]["nodes"].as_array().unwrap();
    assert_eq!((it["commitCount"].as_u64(), nodes.len()), (Some(commits.len() as u64), commits.len()));
    for (node, commit) in nodes.iter().zip(commits) {
        assert_eq!(node["id"], format!("gid://gitlab/CommitPresenter/{}", commit.sha));
        assert_eq!((&node["sha"], &node["shortId"]), (&json!(commit.sha), &json!(commit.sha[..8])));
        assert_eq!(
            (&node["authorEmail"], &node["author"]["username"]),
            (&json!("ann@example.com"), &json!("ann"))
        );
        assert_eq!(node["fullTitle"], commit.title());
        assert!(node["authoredDate"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn merges_can_be_left_out() {
    let (mut world, mr) = world();
    let head = world.merge_requests[&mr].sha.clone().unwrap();
    let trunk = world.repositories[&11].head.clone().unwrap();
    let mut commit = world.repositories[&11].get(&head).unwrap().clone();
    commit.parents.push(trunk);
    world.repositories.get_mut(&11).unwrap().add(commit);
    let query = format!(
        r#"{{ mergeRequest(id: "gid://gitlab/MergeRequest/{mr}") {{ commits(first: 1) {{ pageInfo {{ hasNextPage endCursor }}
        nodes {{ sha }} }} commitsWithoutMergeCommits {{ nodes {{ sha }} }} }} }}"#
    );
    let it = data(&world, &query)["mergeRequest"].clone();
    let count = world.merge_requests[&mr].commits.len();
    assert_eq!(it["commits"]["nodes"][0]["sha"], head);
    assert_eq!(it["commits"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(it["commitsWithoutMergeCommits"]["nodes"].as_array().unwrap().len(), count - 1);
}

#[test]
fn the_tree_names_the_head_of_the_default_branch() {
    let (mut world, mr) = world();
    world.merge(mr, 1, MergeStyle::MergeCommit);
    let fields =
        "statistics { commitCount } repository { rootRef tree { lastCommit { sha committedDate } } }";
    let it = project(&world, fields);
    let repository = &world.repositories[&11];
    let head = repository.trunk()[0];
    assert_eq!(it["repository"]["tree"]["lastCommit"]["sha"], head.sha);
    assert_eq!(it["repository"]["tree"]["lastCommit"]["committedDate"], head.committer.at.to_rfc3339());
    assert_eq!(it["statistics"]["commitCount"], repository.commit_count() as f64);
    assert_eq!(
        project(&world, r#"repository { tree(ref: "nowhere") { lastCommit { sha } } }"#)["repository"]["tree"]
            ["lastCommit"],
        Value::Null
    );
    let empty =
        data(&world, r#"{ project(fullPath: "acme/tools") { repository { tree { lastCommit { sha } } } } }"#);
    assert_eq!(empty["project"]["repository"]["tree"]["lastCommit"], Value::Null);
}

#[test]
fn issues_have_gitlabs_words() {
    let (mut world, _) = world();
    let incident = world.issues.values().nth(1).unwrap().id;
    world.set_issue_severity(incident, Severity::Critical);
    world.label_issue(incident, &[22]);
    world.assign_issue(incident, &[2]);
    world.set_issue_milestone(incident, Some(32));
    world.close_issue(incident, 2);
    let fields = "issuesEnabled openIssuesCount issuesAccessLevel { stringValue } issue(iid: \"2\") { id iid title state
        type severity confidential closedAt dueDate description webUrl author { id } assignees { nodes { id } }
        labels { nodes { id } } milestone { id } reference(full: true) }";
    let it = project(&world, fields);
    let issue = &it["issue"];
    assert_eq!(issue["id"], format!("gid://gitlab/Issue/{incident}"));
    assert_eq!(
        (&issue["iid"], &issue["state"], &issue["type"], &issue["severity"]),
        (&json!("2"), &json!("closed"), &json!("INCIDENT"), &json!("CRITICAL"))
    );
    assert_eq!(issue["labels"]["nodes"][0]["id"], "gid://gitlab/ProjectLabel/22");
    assert_eq!(issue["assignees"]["nodes"][0]["id"], "gid://gitlab/User/2");
    assert_eq!(issue["milestone"]["id"], "gid://gitlab/Milestone/32");
    assert_eq!(issue["reference"], "acme/web/shop#2");
    assert_eq!(
        (&it["openIssuesCount"], &it["issuesAccessLevel"]["stringValue"]),
        (&json!(2), &json!("ENABLED"))
    );
}

#[test]
fn issues_are_filtered_sorted_and_paged() {
    let (mut world, _) = world();
    let first = *world.issues.keys().next().unwrap();
    world.advance(chrono::TimeDelta::hours(1));
    let before = world.now;
    world.retitle_issue(first, "Moved");
    let titles = |arguments: &str| -> Vec<String> {
        let it = project(&world, &format!("issues({arguments}) {{ count nodes {{ title }} }}"));
        let nodes = it["issues"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("sort: UPDATED_ASC"), ["Second", "Third", "Moved"]);
    assert_eq!(titles("sort: UPDATED_DESC"), ["Moved", "Third", "Second"]);
    assert_eq!(titles("iids: [\"2\"]"), ["Second"]);
    assert_eq!(titles("types: [TASK]"), ["Third"]);
    assert_eq!(titles(&format!("updatedAfter: \"{}\"", before.to_rfc3339())), ["Moved"]);
    let page =
        project(&world, "issues(first: 2, sort: UPDATED_ASC) { count pageInfo { endCursor hasNextPage } }");
    assert_eq!(page["issues"]["count"], 3);
    let cursor = page["issues"]["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(titles(&format!("sort: UPDATED_ASC, after: \"{cursor}\"")), ["Moved"]);
    world.set_issues_access(11, "disabled");
    assert_eq!(project(&world, "issues { count } issuesEnabled")["issues"]["count"], 0);
}

#[test]
fn a_page_of_merge_requests_with_commits_has_its_price() {
    let of = |fields: &str| {
        let query = format!(r#"{{ mergeRequest(id: "gid://gitlab/MergeRequest/1") {{ {fields} }} }}"#);
        of_query(&query, &json!({})).unwrap() - 1
    };
    assert_eq!(of("commitCount"), 1);
    // commits 1 and one for Git storage, nodes, sha, and a title with one for Git storage; no resolver, so no page.
    assert_eq!(of("commits(first: 100) { nodes { sha fullTitle } }"), 2 + 1 + 1 + 2);
}

#[test]
fn members_show_the_level_in_effect_unless_direct_ones_alone_are_asked_for() {
    let mut world = small();
    world.set_project_member(11, 1, 20, None);
    let guests = world.create_group(None, "Guests", "guests", "private");
    world.set_group_member(guests, 3, 50, None);
    world.invite_group_to_project(11, guests, 40);
    let levels = |relations: &str| -> Vec<(String, i64)> {
        let fields = format!(
            "projectMembers(relations: {relations}) {{ nodes {{ user {{ username }} accessLevel {{ integerValue }} }} }}"
        );
        let it = project(&world, &fields);
        let level = |node: &Value| {
            let name = node["user"]["username"].as_str().unwrap().to_owned();
            (name, node["accessLevel"]["integerValue"].as_i64().unwrap())
        };
        it["projectMembers"]["nodes"].as_array().unwrap().iter().map(level).collect()
    };
    let named = |all: &[(&str, i64)]| {
        all.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect::<Vec<_>>()
    };
    assert_eq!(levels("[DIRECT]"), named(&[("ann", 20), ("GitLabDuo", 20)]));
    let every = levels("[DIRECT, INHERITED, INVITED_GROUPS, SHARED_INTO_ANCESTORS]");
    assert_eq!(every, named(&[("ann", 50), ("bob", 40), ("group_7_bot_ab", 40), ("GitLabDuo", 20)]));
}
