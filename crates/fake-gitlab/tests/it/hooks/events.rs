//! What is told, and what is not.

use fake_gitlab::world::approval_rules::{ApprovalRule, RuleType};
use fake_gitlab::world::change::{
    JobOutcome, MergeStyle, NewDeployment, NewIssue, NewJob, NewNote, NewPipeline,
};
use fake_gitlab::world::issue::IssueType;
use fake_gitlab::world::model::{
    DeploymentStatus, FailureReason, NO_SHA, Namespace, NoteType, Owner, ReviewState, Tier, UserType,
};
use fake_gitlab::{Edition, FakeGitlab, HookOwner, Trigger};
use serde_json::json;

use super::Shop;

const NOTHING: [&str; 0] = [];

async fn of_project() -> Shop {
    let shop = Shop::of(FakeGitlab::builder()).await;
    shop.listen(HookOwner::Project(shop.project));
    shop
}

#[tokio::test]
async fn the_life_of_a_merge_request_is_told() {
    let shop = of_project().await;
    assert_eq!(shop.told(|_| {}).await, NOTHING);
    let wanted = shop.wanted();
    let told = shop.bodies(|it| it.open_merge_request(wanted)).await;
    let [(event, opened), (_, push)] = &told[..] else { panic!("{told:?}") };
    let mr = *shop.fake.world().merge_requests.keys().next().unwrap();
    assert_eq!((event.as_str(), &opened["object_attributes"]["id"]), ("Merge Request Hook", &json!(mr)));
    assert_eq!(opened["object_attributes"]["action"], "open");
    assert_eq!(push["before"], NO_SHA, "a new branch begins with zeros");
    let (ann, bob) = (shop.ann, shop.bob);
    let only = |action: &str| vec![format!("Merge Request Hook: {action}")];
    assert_eq!(shop.told(|it| it.retitle(mr, bob, "Sell less")).await, only("update"));
    assert_eq!(shop.told(|it| it.request_review(mr, bob, &[ann])).await, only("update"));
    assert_eq!(shop.told(|it| it.approve(mr, ann)).await, only("approved"));
    assert_eq!(shop.told(|it| it.unapprove(mr, ann)).await, only("unapproved"));
    assert_eq!(shop.told(|it| it.close(mr, bob)).await, only("close"));
    assert_eq!(shop.told(|it| it.reopen(mr, bob)).await, only("reopen"));
    let merged = shop.told(|it| it.merge(mr, ann, MergeStyle::MergeCommit)).await;
    assert_eq!(merged, ["Merge Request Hook: merge", "Push Hook: push"]);
}

#[tokio::test]
async fn changes_show_what_was_before() {
    let shop = of_project().await;
    let mr = shop.merge_request();
    let (ann, bob) = (shop.ann, shop.bob);
    let label = shop.fake.world_mut().create_label(Owner::Project(shop.project), "urgent", "#FF0000");
    let told = shop.bodies(|it| it.retitle(mr, bob, "Sell less")).await;
    let changes = &told[0].1["changes"];
    assert_eq!(changes["title"], json!({ "previous": "Sell more", "current": "Sell less" }));
    assert!(changes["updated_at"]["current"].as_str().unwrap().ends_with(" UTC"));
    let told = shop.bodies(|it| it.add_labels(mr, bob, &[label])).await;
    let changes = told[0].1["changes"].as_object().unwrap();
    assert_eq!(changes["labels"]["current"][0]["title"], "urgent");
    assert!(!changes.contains_key("updated_at"), "it moved less than a minute ago");
    let told = shop.bodies(|it| it.assign(mr, bob, &[ann])).await;
    assert_eq!(told[0].1["changes"]["assignees"]["current"][0]["id"], ann);
    assert_eq!(told[0].1["assignees"][0]["id"], ann);
    let told = shop.bodies(|it| it.merge(mr, ann, MergeStyle::Squash)).await;
    assert_eq!(told[0].1["changes"]["state_id"], json!({ "previous": 4, "current": 3 }));
}

#[tokio::test]
async fn a_push_to_a_merge_request_is_told_twice() {
    let shop = of_project().await;
    let mr = shop.merge_request();
    let before = shop.fake.world().merge_requests[&mr].sha.clone().unwrap();
    let bob = shop.bob;
    let told = shop.bodies(|it| it.push(mr, bob, 3, false)).await;
    let after = shop.fake.world().merge_requests[&mr].sha.clone().unwrap();
    let [(_, merge_request), (_, push)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(merge_request["object_attributes"]["oldrev"], json!(before));
    assert_eq!((&push["before"], &push["after"]), (&json!(before), &json!(after)));
    assert_eq!((&push["total_commits_count"], push["commits"].as_array().unwrap().len()), (&json!(3), 3));
    assert!(push["ref"].as_str().unwrap().starts_with("refs/heads/"));
}

#[tokio::test]
async fn pushes_to_the_default_branch_show_at_most_twenty_commits() {
    let shop = of_project().await;
    let (project, ann) = (shop.project, shop.ann);
    let told = shop.bodies(|it| it.push_to_trunk(project, ann, 25)).await;
    let [(event, push)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((event.as_str(), &push["ref"]), ("Push Hook", &json!("refs/heads/main")));
    assert_eq!((&push["total_commits_count"], push["commits"].as_array().unwrap().len()), (&json!(25), 20));
    let last = push["commits"].as_array().unwrap().last().unwrap()["id"].clone();
    assert_eq!(last, push["after"], "the newest comes last");
    let told = shop.bodies(|it| it.force_push_trunk(project, ann, 2)).await;
    assert_eq!(told[0].1["before"], push["after"]);
}

#[tokio::test]
async fn what_people_write_is_told_and_what_the_system_notes_is_not() {
    let shop = of_project().await;
    let mr = shop.merge_request();
    let (ann, bob) = (shop.ann, shop.bob);
    let told = shop.bodies(|it| it.comment(mr, ann, "Really?")).await;
    let [(event, body)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((event.as_str(), &body["object_attributes"]["action"]), ("Note Hook", &json!("create")));
    assert_eq!(
        (&body["merge_request"]["iid"], &body["object_attributes"]["noteable_id"]),
        (&json!(1), &json!(mr))
    );
    let note = *shop.fake.world().merge_requests[&mr].note_ids.last().unwrap();
    assert_eq!(shop.told(|it| it.reply(note, bob, "Yes.")).await, ["Note Hook: create"]);
    assert_eq!(shop.told(|it| it.edit_note(note, "Really.")).await, ["Note Hook: update"]);
    assert_eq!(shop.told(|it| it.cross_reference(mr, bob, "commit 1234abcd")).await, NOTHING);
    let internal = NewNote {
        merge_request_id: mr,
        author_id: ann,
        body: "Between us.".to_owned(),
        note_type: NoteType::Plain,
        internal: true,
    };
    let told = shop.bodies(|it| it.add_note(internal)).await;
    let [(event, body)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (event.as_str(), &body["event_type"]),
        ("Confidential Note Hook", &json!("confidential_note"))
    );
}

#[tokio::test]
async fn gitlab_is_silent_about_some_things() {
    let shop = of_project().await;
    let mr = shop.merge_request();
    let (project, ann, bob) = (shop.project, shop.ann, shop.bob);
    let label = shop.fake.world_mut().create_label(Owner::Project(project), "urgent", "#FF0000");
    shop.fake.world_mut().add_labels(mr, bob, &[label]);
    shop.fake.world_mut().request_review(mr, bob, &[ann]);
    shop.fake.world_mut().approve(mr, ann);
    let note = shop.fake.world_mut().comment(mr, ann, "Really?");
    let told = shop.told(|it| {
        it.rename_label(label, "less urgent");
        it.recolor_label(label, "#00FF00");
        it.set_project_member(project, ann, 40, None);
        it.remove_project_member(project, ann);
        it.set_review_state(mr, ann, ReviewState::Reviewed);
        it.reset_approvals(mr);
        it.change_approval_rules(mr, &[ann]);
        it.resolve(note, true);
        it.delete_note(note);
        it.describe_project(project, "A shop.", &[]);
        it.delete_label(label);
        it.delete_merge_request(mr);
    });
    assert_eq!(told.await, NOTHING);
}

#[tokio::test]
async fn pipelines_jobs_and_deployments_are_told_step_by_step() {
    let shop = of_project().await;
    let (project, ann) = (shop.project, shop.ann);
    let environment = shop.fake.world_mut().create_environment(project, "staging", Tier::Staging, None);
    let told = shop.told(|it| {
        let pipeline = it.create_pipeline(NewPipeline::push(project, ann, "main"));
        it.add_job(pipeline, &NewJob::build("test", "rspec"));
        let ship = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", "ship") };
        it.add_job(pipeline, &ship);
        it.add_job(pipeline, &NewJob::bridge("deploy", "tell others"));
        it.run_pipeline(pipeline);
    });
    let told = told.await;
    let count = |words: &str| told.iter().filter(|it| *it == words).count();
    for status in ["created", "pending", "running", "success"] {
        assert_eq!(count(&format!("Job Hook: {status}")), 2, "{status}: {told:?}");
    }
    assert_eq!(count("Pipeline Hook: pending"), 1);
    assert_eq!(count("Pipeline Hook: running"), 1);
    assert_eq!(count("Pipeline Hook: success"), 1);
    assert_eq!(count("Deployment Hook: running"), 1);
    assert_eq!(count("Deployment Hook: success"), 1);
    assert_eq!(count("Deployment Hook: created"), 0);
}

#[tokio::test]
async fn a_job_that_is_run_again_has_another_number_and_the_same_pipeline() {
    let shop = of_project().await;
    let (project, ann) = (shop.project, shop.ann);
    let (mut pipeline, mut job) = (0, 0);
    shop.told(|it| {
        pipeline = it.create_pipeline(NewPipeline::push(project, ann, "main"));
        job = it.add_job(pipeline, &NewJob::build("test", "rspec"));
        it.begin_pipeline(pipeline);
        it.start_job(job);
        it.finish_job(job, JobOutcome::Failed(FailureReason::Script));
    })
    .await;
    let told = shop.bodies(|it| it.retry_job(job, ann)).await;
    let of_job = told.iter().find(|(event, _)| event == "Job Hook").unwrap();
    assert!(of_job.1["build_id"].as_i64().unwrap() > job);
    assert_eq!((&of_job.1["commit"]["id"], &of_job.1["retries_count"]), (&json!(pipeline), &json!(1)));
}

#[tokio::test]
async fn a_pipeline_for_a_merge_request_is_told_under_its_branch() {
    let shop = of_project().await;
    let mr = shop.merge_request();
    let branch = shop.fake.world().merge_requests[&mr].source_branch.clone();
    let (project, ann) = (shop.project, shop.ann);
    let told = shop.bodies(|it| {
        let pipeline = it.create_pipeline(NewPipeline::merge_request(project, ann, 1, "head"));
        it.add_job(pipeline, &NewJob::build("test", "rspec"));
        it.begin_pipeline(pipeline);
    });
    let told = told.await;
    let pipeline = told.iter().find(|(event, _)| event == "Pipeline Hook").unwrap();
    assert_eq!(pipeline.1["object_attributes"]["ref"], json!(branch));
    assert_eq!(pipeline.1["merge_request"]["id"], mr);
}

#[tokio::test]
async fn a_deployment_by_the_api_is_told_when_it_starts_and_ends() {
    let shop = of_project().await;
    let (project, ann) = (shop.project, shop.ann);
    let environment_id = shop.fake.world_mut().create_environment(project, "staging", Tier::Staging, None);
    let new = NewDeployment { environment_id, git_ref: "main", user_id: Some(ann) };
    let mut id = 0;
    assert_eq!(shop.told(|it| id = it.create_deployment(&new)).await, NOTHING);
    let told = shop.bodies(|it| it.move_deployment(id, DeploymentStatus::Running)).await;
    assert_eq!((&told[0].1["deployment_id"], &told[0].1["status"]), (&json!(id), &json!("running")));
    assert_eq!(told[0].1["deployable_id"], json!(null));
    let told = shop.told(|it| it.move_deployment(id, DeploymentStatus::Failed)).await;
    assert_eq!(told, ["Deployment Hook: failed"]);
}

#[tokio::test]
async fn the_life_of_an_issue_is_told() {
    let shop = of_project().await;
    let (project, ann) = (shop.project, shop.ann);
    let mut id = 0;
    let new = NewIssue {
        project_id: project,
        author_id: ann,
        title: "It is broken".to_owned(),
        description: None,
        issue_type: IssueType::Issue,
    };
    assert_eq!(shop.told(|it| id = it.open_issue(new)).await, ["Issue Hook: open"]);
    assert_eq!(shop.told(|it| it.retitle_issue(id, "It was broken")).await, ["Issue Hook: update"]);
    assert_eq!(shop.told(|it| it.comment_on_issue(id)).await, ["Note Hook: create"]);
    assert_eq!(shop.told(|it| it.close_issue(id, ann)).await, ["Issue Hook: close"]);
    assert_eq!(shop.told(|it| it.reopen_issue(id)).await, ["Issue Hook: reopen"]);
    let told = shop.told(|it| it.set_issue_confidential(id, true)).await;
    assert_eq!(told, ["Confidential Issue Hook: update"]);
    assert_eq!(shop.told(|it| it.delete_issue(id)).await, NOTHING);
}

#[tokio::test]
async fn groups_hear_of_members_subgroups_and_projects_below_them() {
    let shop = Shop::open().await;
    shop.listen_to(HookOwner::Group(shop.acme), &[Trigger::Member, Trigger::Subgroup, Trigger::Project]);
    let (acme, team, project, bob) = (shop.acme, shop.team, shop.project, shop.bob);
    let member = |what: &str| vec![format!("Member Hook: {what}")];
    assert_eq!(shop.told(|it| it.set_group_member(team, bob, 20, None)).await, member("user_add_to_group"));
    let told = shop.bodies(|it| it.set_group_member(team, bob, 40, None)).await;
    assert_eq!(told[0].1["event_name"], "user_update_for_group");
    assert_eq!((&told[0].1["group_id"], &told[0].1["group_access"]), (&json!(team), &json!("Maintainer")));
    assert_eq!(shop.told(|it| it.remove_group_member(team, bob)).await, member("user_remove_from_group"));
    assert_eq!(shop.told(|it| it.set_project_member(project, bob, 40, None)).await, NOTHING);
    let mut below = 0;
    let told = shop.told(|it| below = it.create_group(Some(acme), "New", "new", "private")).await;
    assert_eq!(told, ["Subgroup Hook: subgroup_create"]);
    let told = shop.told(|it| it.create_project(Namespace::Group(below), "p", "p", "private")).await;
    assert_eq!(told, ["Project Hook: project_create"]);
    let told = shop.told(|it| it.delete_group(below)).await;
    assert_eq!(told, ["Project Hook: project_destroy", "Subgroup Hook: subgroup_destroy"]);
}

#[tokio::test]
async fn the_instance_hears_of_projects_groups_members_and_users() {
    let shop = Shop::open().await;
    shop.listen_to(HookOwner::System, &[]);
    let (acme, team, project, bob) = (shop.acme, shop.team, shop.project, shop.bob);
    let only = |what: &str| vec![format!("System Hook: {what}")];
    let told = shop.bodies(|it| it.rename_project(project, "Store", "store")).await;
    assert_eq!(told[0].1["event_name"], "project_rename");
    assert_eq!(told[0].1["old_path_with_namespace"], "acme/team/shop");
    assert_eq!(told[0].1["path_with_namespace"], "acme/team/store");
    assert_eq!(shop.told(|it| it.transfer_project(project, acme)).await, only("project_transfer"));
    assert_eq!(shop.told(|it| it.archive_project(project, true)).await, only("project_update"));
    let told = shop.bodies(|it| it.rename_group(team, "Crew", "crew")).await;
    assert_eq!(told[0].1["event_name"], "group_rename");
    assert_eq!(
        (&told[0].1["old_full_path"], &told[0].1["full_path"]),
        (&json!("acme/team"), &json!("acme/crew"))
    );
    assert_eq!(
        shop.told(|it| it.set_project_member(project, bob, 40, None)).await,
        only("user_update_for_team")
    );
    assert_eq!(shop.told(|it| it.remove_project_member(project, bob)).await, only("user_remove_from_team"));
    assert_eq!(shop.told(|it| it.set_group_member(team, bob, 30, None)).await, only("user_add_to_group"));
    assert_eq!(shop.told(|it| it.create_user("eve", "Eve", UserType::Human)).await, only("user_create"));
    assert_eq!(shop.told(|it| it.create_group(None, "B", "b", "private")).await, only("group_create"));
    assert_eq!(shop.told(|it| it.delete_project(project)).await, only("project_destroy"));
    assert_eq!(shop.told(|it| it.delete_group(team)).await, only("group_destroy"));
}

#[tokio::test]
async fn the_instance_hears_no_notes_pipelines_jobs_and_deployments() {
    let shop = Shop::open().await;
    shop.listen(HookOwner::System);
    let mr = shop.merge_request();
    let (project, ann) = (shop.project, shop.ann);
    let environment = shop.fake.world_mut().create_environment(project, "staging", Tier::Staging, None);
    let told = shop.told(|it| {
        it.comment(mr, ann, "Really?");
        let pipeline = it.create_pipeline(NewPipeline::push(project, ann, "main"));
        let ship = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", "ship") };
        it.add_job(pipeline, &ship);
        it.run_pipeline(pipeline);
    });
    assert_eq!(told.await, NOTHING);
    let told = shop.told(|it| it.close(mr, ann)).await;
    assert_eq!(told, ["System Hook: close"], "merge requests and pushes are told to those who ask");
    let told = shop.told(|it| it.push_to_trunk(project, ann, 1)).await;
    assert_eq!(told, ["System Hook: push", "System Hook: repository_update"]);
}

#[tokio::test]
async fn with_premium_an_approval_that_is_not_the_last_is_told_apart() {
    let of_all = ["approved", "approved", "unapproved", "unapproved"];
    let of_rules = ["approval", "approved", "unapproved", "unapproval"];
    for (edition, actions) in [(Edition::Free, of_all), (Edition::Premium, of_rules)] {
        let shop = Shop::of(FakeGitlab::builder().edition(edition)).await;
        shop.listen(HookOwner::Project(shop.project));
        let mr = shop.merge_request();
        let (ann, bob) = (shop.ann, shop.bob);
        let rule = ApprovalRule::new(RuleType::AnyApprover, "All Members", &[]);
        let rule = ApprovalRule { approvals_required: 2, ..rule };
        shop.fake.world_mut().add_project_rule(shop.project, rule, true);
        let told = [
            shop.told(|it| it.approve(mr, ann)).await,
            shop.told(|it| it.approve(mr, bob)).await,
            shop.told(|it| it.unapprove(mr, ann)).await,
            shop.told(|it| it.unapprove(mr, bob)).await,
        ];
        assert_eq!(told, actions.map(|action| vec![format!("Merge Request Hook: {action}")]));
    }
}

#[tokio::test]
async fn approvals_that_a_push_takes_away_are_told_by_newer_licensed_versions() {
    for (version, told_of_it) in [("17.11.0", 0), ("18.4.0", 1)] {
        let shop = Shop::of(FakeGitlab::builder().edition(Edition::Premium).version(version)).await;
        shop.listen(HookOwner::Project(shop.project));
        let mr = shop.merge_request();
        shop.fake.world_mut().approve(mr, shop.ann);
        let bob = shop.bob;
        let told = shop.bodies(|it| it.push(mr, bob, 1, true)).await;
        let by_system = told.iter().filter(|(_, it)| it["object_attributes"]["system"] == true);
        let found: Vec<_> =
            by_system.map(|(_, it)| it["object_attributes"]["system_action"].clone()).collect();
        assert_eq!(found.len(), told_of_it);
        assert!(found.iter().all(|it| it == "approvals_reset_on_push"));
    }
}
