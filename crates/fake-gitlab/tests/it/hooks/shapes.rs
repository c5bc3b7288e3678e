//! What is told has the shape of what gitlab.com tells, where recordings are at hand.

use std::path::PathBuf;

use fake_gitlab::world::change::{MergeStyle, NewIssue, NewJob, NewPipeline};
use fake_gitlab::world::issue::IssueType;
use fake_gitlab::world::model::{Namespace, Owner, Tier, World};
use fake_gitlab::{HookOwner, Trigger};
use serde_json::Value;

use super::Shop;

fn read(file: &str) -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/gitlab");
    let folder = std::env::var_os("WEIR_FIXTURES").map_or(beside, PathBuf::from);
    let text = std::fs::read_to_string(folder.join(file)).ok();
    if text.is_none() {
        println!("skipped: recorded data not found: {file}");
    }
    text.map(|text| serde_json::from_str(&text).unwrap())
}

fn recorded(file: &str) -> Option<Value> {
    read(&format!("webhooks/{file}"))
}

fn required(schema: &str) -> Option<Vec<String>> {
    let schema = read(&format!("schemas/public_api_v4/{schema}"))?;
    Some(serde_json::from_value(schema["required"].clone()).unwrap())
}

#[tokio::test]
async fn hooks_are_shown_with_all_that_gitlab_requires() {
    let shop = Shop::open().await;
    for (token, owner, path, file) in [
        (
            super::ANN,
            HookOwner::Project(shop.project),
            format!("/projects/{}/hooks", shop.project),
            "project_hook.json",
        ),
        (super::ROOT, HookOwner::System, "/hooks".to_owned(), "system_hook.json"),
    ] {
        let Some(required) = required(file) else { return };
        shop.listen(owner);
        let shown = shop.ask(token, "GET", &path, "").await.list()[0].clone();
        let missing: Vec<&String> = required.iter().filter(|it| shown.get(it.as_str()).is_none()).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
    }
}

/// What older versions had, what is there only for some rows, and what the documentation spells wrongly.
const LEFT_OUT: &[&str] = &[
    "oldrev",
    "assignees",
    "assignee",
    "reviewers",
    "commit_sha",
    "deleted_at",
    "escalation_status",
    "escalation_policy",
    "failure_reason",
    "source_pipeline",
    "project_visibility",
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Whether all that is in theirs is in ours, in the same place and of the same type. Null fits everything.
fn holds(ours: &Value, theirs: &Value, at: &str) {
    match (ours, theirs) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, theirs) in theirs.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())) {
                let at = format!("{at}.{name}");
                // Which columns changed differs from case to case.
                if !at.contains(".changes.") || ours.contains_key(name) {
                    holds(ours.get(name).unwrap_or_else(|| panic!("{at} is missing")), theirs, &at);
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                holds(ours, theirs, &format!("{at}[]"));
            }
        }
        _ => assert_eq!(kind(ours), kind(theirs), "{at}"),
    }
}

async fn everything() -> Shop {
    let shop = Shop::open().await;
    shop.listen(HookOwner::Project(shop.project));
    shop
}

/// What one event told, of possibly several.
async fn told<T>(shop: &Shop, event: &str, change: impl FnOnce(&mut World) -> T) -> Value {
    let told = shop.bodies(change).await;
    told.into_iter().find(|(it, _)| it == event).unwrap().1
}

#[tokio::test]
async fn merge_requests_are_told_as_recorded() {
    let shop = everything().await;
    let mr = shop.merge_request();
    let (ann, bob) = (shop.ann, shop.bob);
    let label = shop.fake.world_mut().create_label(Owner::Project(shop.project), "urgent", "#FF0000");
    let milestone = shop.fake.world_mut().create_milestone(Owner::Project(shop.project), "1.0");
    type Step<'a> = (&'a str, Box<dyn FnOnce(&mut World)>);
    let steps: [Step<'_>; 11] = [
        ("LabelsAdded", Box::new(move |it| it.add_labels(mr, bob, &[label]))),
        ("Assigned", Box::new(move |it| it.assign(mr, bob, &[ann]))),
        ("ReviewRequested", Box::new(move |it| it.request_review(mr, bob, &[ann]))),
        ("Milestoned", Box::new(move |it| it.set_milestone(mr, bob, Some(milestone)))),
        ("Edited", Box::new(move |it| it.retitle(mr, bob, "Sell less"))),
        ("Updated", Box::new(move |it| it.push(mr, bob, 1, false))),
        ("LabelsCleared", Box::new(move |it| it.remove_label(mr, bob, label))),
        ("Closed", Box::new(move |it| it.close(mr, bob))),
        ("Reopened", Box::new(move |it| it.reopen(mr, bob))),
        ("ReviewRequestDel", Box::new(move |it| it.remove_reviewer(mr, bob, ann))),
        ("Merged", Box::new(move |it| it.merge(mr, ann, MergeStyle::MergeCommit))),
    ];
    for (name, step) in steps {
        let Some(theirs) = recorded(&format!("woodpecker/HookPullRequest{name}.json")) else { return };
        let ours = told(&shop, "Merge Request Hook", step).await;
        holds(&ours, &theirs, name);
        assert_eq!(ours["object_attributes"]["action"], theirs["object_attributes"]["action"], "{name}");
        let state = |it: &Value| it["object_attributes"]["state_id"].clone();
        assert_eq!(state(&ours), state(&theirs), "{name}");
    }
}

#[tokio::test]
async fn an_opened_and_an_approved_merge_request_are_told_as_recorded() {
    let Some(theirs) = recorded("woodpecker/HookPullRequestOpened.json") else { return };
    let shop = everything().await;
    let wanted = shop.wanted();
    let ours = told(&shop, "Merge Request Hook", |it| it.open_merge_request(wanted)).await;
    let mr = *shop.fake.world().merge_requests.keys().next().unwrap();
    holds(&ours, &theirs, "Opened");
    assert_eq!(ours["object_attributes"]["action"], "open");
    let mut ours_keys: Vec<&String> = ours["object_attributes"].as_object().unwrap().keys().collect();
    let mut their_keys: Vec<&String> = theirs["object_attributes"].as_object().unwrap().keys().collect();
    ours_keys.sort();
    their_keys.sort();
    assert_eq!(ours_keys, their_keys, "nothing is there that gitlab.com does not tell");
    let ann = shop.ann;
    let ours = told(&shop, "Merge Request Hook", |it| it.approve(mr, ann)).await;
    holds(&ours, &recorded("woodpecker/HookPullRequestApproved.json").unwrap(), "Approved");
}

#[tokio::test]
async fn comments_are_told_as_recorded() {
    let Some(theirs) = recorded("packit-service/mr_comment.json") else { return };
    let shop = everything().await;
    let mr = shop.merge_request();
    let ann = shop.ann;
    let ours = told(&shop, "Note Hook", |it| it.comment(mr, ann, "Really?")).await;
    holds(&ours, &theirs, "note");
    let new = NewIssue {
        project_id: shop.project,
        author_id: ann,
        title: "It is broken".to_owned(),
        description: None,
        issue_type: IssueType::Issue,
    };
    let issue = shop.fake.world_mut().open_issue(new);
    let ours = told(&shop, "Note Hook", |it| it.comment_on_issue(issue)).await;
    holds(&ours, &recorded("packit-service/issue_comment.json").unwrap(), "note of an issue");
    let ours = told(&shop, "Issue Hook", |it| it.retitle_issue(issue, "It was broken")).await;
    holds(&ours, &recorded("go-gitlab/webhooks/issue.json").unwrap(), "issue");
}

#[tokio::test]
async fn pushes_are_told_as_recorded() {
    let shop = everything().await;
    shop.listen_to(HookOwner::System, &[Trigger::Push, Trigger::RepositoryUpdate]);
    let (project, ann) = (shop.project, shop.ann);
    let all = shop.bodies(|it| it.push_to_trunk(project, ann, 2)).await;
    let ours = |event: &str, name: &str| {
        &all.iter().find(|(it, body)| it == event && body["event_name"] == name).unwrap().1
    };
    for (file, event, name) in [
        ("woodpecker/HookPush.json", "Push Hook", "push"),
        ("packit-service/push_with_many_commits.json", "Push Hook", "push"),
        ("go-gitlab/systemhooks/push.json", "System Hook", "push"),
        ("go-gitlab/systemhooks/repository_update.json", "System Hook", "repository_update"),
    ] {
        let Some(theirs) = recorded(file) else { return };
        holds(ours(event, name), &theirs, file);
    }
}

#[tokio::test]
async fn pipelines_jobs_and_deployments_are_told_as_recorded() {
    let Some(theirs) = recorded("packit-service/mr_pipeline.json") else { return };
    let shop = everything().await;
    let mr = shop.merge_request();
    let (project, ann) = (shop.project, shop.ann);
    let environment = shop.fake.world_mut().create_environment(project, "staging", Tier::Staging, None);
    let all = shop.bodies(|it| {
        let iid = it.merge_requests[&mr].iid;
        let pipeline = it.create_pipeline(NewPipeline::merge_request(project, ann, iid, "head"));
        let ship = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", "ship") };
        it.add_job(pipeline, &ship);
        it.run_pipeline(pipeline);
    });
    let all = all.await;
    let last = |event: &str| &all.iter().rfind(|(it, _)| it == event).unwrap().1;
    holds(last("Pipeline Hook"), &theirs, "pipeline");
    for (event, file) in [
        ("Pipeline Hook", "go-gitlab/webhooks/pipeline.json"),
        ("Job Hook", "go-gitlab/webhooks/job.json"),
        ("Deployment Hook", "go-gitlab/webhooks/deployment.json"),
    ] {
        holds(last(event), &recorded(file).unwrap(), file);
    }
    let job = last("Job Hook");
    assert_eq!(job["commit"]["id"], job["pipeline_id"], "the commit of a job has the number of the pipeline");
}

#[tokio::test]
async fn events_of_groups_and_of_the_instance_are_told_as_documented() {
    let shop = Shop::open().await;
    shop.listen_to(HookOwner::System, &[]);
    let (acme, team, project, bob) = (shop.acme, shop.team, shop.project, shop.bob);
    type Step<'a> = (&'a str, Box<dyn FnOnce(&mut World)>);
    let mine = Namespace::Group(team);
    let steps: [Step<'_>; 13] = [
        (
            "project_create",
            Box::new(move |it| {
                it.create_project(mine, "p", "p", "private");
            }),
        ),
        ("project_update", Box::new(move |it| it.archive_project(project, true))),
        ("project_rename", Box::new(move |it| it.rename_project(project, "Store", "store"))),
        ("project_transfer", Box::new(move |it| it.transfer_project(project, acme))),
        ("user_update_for_team", Box::new(move |it| it.set_project_member(project, bob, 40, None))),
        ("user_remove_from_team", Box::new(move |it| it.remove_project_member(project, bob))),
        ("user_add_to_team", Box::new(move |it| it.set_project_member(project, bob, 40, None))),
        ("user_add_to_group", Box::new(move |it| it.set_group_member(team, bob, 40, None))),
        ("user_remove_from_group", Box::new(move |it| it.remove_group_member(team, bob))),
        ("project_destroy", Box::new(move |it| it.delete_project(project))),
        (
            "group_create",
            Box::new(move |it| {
                it.create_group(None, "B", "b", "private");
            }),
        ),
        ("group_rename", Box::new(move |it| it.rename_group(team, "Crew", "crew"))),
        ("group_destroy", Box::new(move |it| it.delete_group(acme))),
    ];
    for (name, step) in steps {
        let Some(theirs) = recorded(&format!("go-gitlab/systemhooks/{name}.json")) else { return };
        let all = shop.bodies(step).await;
        let ours = all.into_iter().find(|(_, it)| it["event_name"] == name).unwrap().1;
        holds(&ours, &theirs, name);
    }
}

#[tokio::test]
async fn subgroups_and_members_are_told_to_groups_as_documented() {
    let shop = Shop::open().await;
    shop.listen_to(HookOwner::Group(shop.acme), &[Trigger::Member, Trigger::Subgroup]);
    let (acme, team, bob) = (shop.acme, shop.team, shop.bob);
    let Some(theirs) = recorded("go-gitlab/webhooks/subgroup.json") else { return };
    let ours = told(&shop, "Subgroup Hook", |it| it.create_group(Some(acme), "N", "n", "private")).await;
    holds(&ours, &theirs, "subgroup");
    let theirs = recorded("go-gitlab/webhooks/member.json").unwrap();
    let until = chrono::NaiveDate::from_ymd_opt(2026, 12, 31);
    let ours = told(&shop, "Member Hook", |it| it.set_group_member(team, bob, 10, until)).await;
    holds(&ours, &theirs, "member");
}
