//! Every operation that reading a GitLab needs of the database, once: its name, its arguments with how each is checked when it
//! comes from elsewhere, and what it gives.
//!
//! From this list come the methods of [`Handle`], what is sent, and how it is carried out. What needs more than its arguments
//! when it comes from elsewhere is marked `special` and has its part in `special.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalogue::{List, Pending, Table};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::owned::OwnedPage;
use super::{Call, Refusal, Within, special};
use crate::{
    ConnectionRow, Count, Counted, Etag, Fact, HeldMergeRequest, KnownProject, Lease, Look, LostProject,
    Partition, PartitionKey, PendingRow, Proof, ProvableProject, PutOff, ResourceRead, Skip, SnapshotRow,
    Store, StoreError, Stored, SyncEnd, TaskEnd, TaskRow, Trunk, TrunkSigns, Unit, WebhookHint,
};

/// What is kept of an argument until the operation is carried out.
macro_rules! owned {
    (&str) => { String };
    (Option<&str>) => { Option<String> };
    (Option<&[i64]>) => { Option<Vec<i64>> };
    (&[&str]) => { Vec<String> };
    (&[$type:ty]) => { Vec<$type> };
    (&Table) => { &'static Table };
    (&Page<'_>) => { OwnedPage };
    (&$type:ty) => { $type };
    ($type:ty) => { $type };
}

/// The argument as the store takes it.
macro_rules! lent {
    ($given:ident, &[&str]) => {
        &$given.iter().map(String::as_str).collect::<Vec<_>>()
    };
    ($given:ident, Option<&str>) => {
        $given.as_deref()
    };
    ($given:ident, Option<&[i64]>) => {
        $given.as_deref()
    };
    ($given:ident, &Page<'_>) => {
        &$given.lend()
    };
    ($given:ident, &Table) => {
        $given
    };
    ($given:ident, &$($type:tt)+) => {
        &$given
    };
    ($given:ident, $($type:tt)+) => {
        $given
    };
}

macro_rules! operations {
    (
        plain { $($name:ident($($argument:ident: [$($type:tt)+] $check:ident),*) -> $result:ty;)* }
        special { $($special:ident($($given:ident: [$($kind:tt)+]),*) -> $gives:ty;)* }
    ) => {
        /// What the operations are, to tell one version from another.
        pub(super) const TEXT: &str = stringify!(
            $($name($($argument: [$($type)+]),*) -> $result;)* $($special($($given: [$($kind)+]),*) -> $gives;)*
        );

        /// An operation that came from elsewhere.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(non_camel_case_types, clippy::large_enum_variant)]
        pub enum Operation {
            $(#[doc(hidden)] $name { $($argument: owned!($($type)+)),* },)*
            $(#[doc(hidden)] $special { $($given: owned!($($kind)+)),* },)*
        }

        impl Operation {
            /// The names of all of them, with those of their arguments.
            pub const ALL: &[(&str, &[&str])] = &[
                $((stringify!($name), &[$(stringify!($argument)),*]),)*
                $((stringify!($special), &[$(stringify!($given)),*]),)*
            ];

            /// Carries it out, if nothing in it is foreign, and gives what is to be answered.
            pub async fn carry_out(self, store: &Store, within: &Within) -> Result<Vec<u8>, Refusal> {
                match self {
                    $(Operation::$name { $($argument),* } => {
                        $(within.$check(store, &$argument).await?;)*
                        answer(&Box::pin(store.$name($(lent!($argument, $($type)+)),*)).await?)
                    })*
                    $(Operation::$special { $($given),* } => {
                        answer(&Box::pin(special::$special(store, within, $($given),*)).await?)
                    })*
                }
            }
        }

        /// The operations of the store, wherever it is.
        impl Handle {
            $(
                #[doc = concat!("See [`Store::", stringify!($name), "`].")]
                pub async fn $name(&self, $($argument: $($type)+),*) -> Result<$result, StoreError> {
                    match self {
                        Handle::Here(store) => store.$name($($argument),*).await,
                        Handle::Away(away) => {
                            let call = Call::new(stringify!($name));
                            $(let call = call.with(stringify!($argument), &$argument)?;)*
                            away.ask(call).await
                        }
                    }
                }
            )*
        }
    };
}

operations! {
    plain {
        add_units(sync_id: [i64] sync, units: [&[Unit]] ids) -> ();
        any_closed_by_somebody(project: [i64] ids, merge_requests: [&[i64]] ids) -> bool;
        ask_for_approval_rules(instance: [i64] instance, projects: [&[i64]] ids, since: [Option<DateTime<Utc>>] free) -> u64;
        ask_for_deployment_merge_requests(instance: [i64] instance, projects: [&[i64]] ids, since: [Option<DateTime<Utc>>] free) -> u64;
        assign_label_groups(instance: [i64] instance, sent_at: [DateTime<Utc>] past) -> u64;
        authors(fact: [Fact] free, project: [i64] ids, ids: [&[i64]] ids) -> Vec<Option<i64>>;
        confirm(instance: [i64] instance, resource: [&str] free, parents: [&[i64]] ids, at: [DateTime<Utc>] free) -> ();
        confirm_deployments(instance: [i64] instance, projects: [&[i64]] ids, at: [DateTime<Utc>] free) -> ();
        connection(id: [i64] connection) -> Option<ConnectionRow>;
        connection_synced(id: [i64] connection, began: [DateTime<Utc>] free, open_set: [bool] free) -> ();
        counts(counted: [Counted] free, projects: [&[i64]] ids) -> BTreeMap<i64, Count>;
        deployment_looks(instance: [i64] instance) -> Vec<Look>;
        deployments_written(project: [i64] ids, since: [DateTime<Utc>] free) -> bool;
        derive_for_users(users: [&[i64]] ids, sent_at: [DateTime<Utc>] free) -> ();
        drop_pending(instance: [i64] instance, row: [&PendingRow] claimed_list) -> ();
        end_sync(sync_id: [i64] sync, end: [&SyncEnd] free, at: [DateTime<Utc>] free) -> ();
        enter_phase(sync_id: [i64] sync, phase: [&str] free) -> ();
        etags(table: [&Table] free, parent_id: [i64] ids, seals: [&[String]] free) -> Vec<Etag>;
        fail_pending(instance: [i64] instance, pending: [&Pending] list) -> ();
        finish(lease: [&Lease] lease) -> ();
        forget(instance: [i64] instance, resource: [&str] free, parents: [Option<&[i64]>] ids) -> ();
        forget_trunks(projects: [&[i64]] ids) -> ();
        found_empty(keys: [&[PartitionKey]] partitions, at: [DateTime<Utc>] free) -> ();
        groups_not_among(instance: [i64] instance, seen: [&[i64]] ids) -> Vec<(i64, String)>;
        has_commits(project: [i64] ids) -> bool;
        has_partition(instance: [i64] instance, resources: [&[&str]] free, parent_id: [i64] ids) -> bool;
        has_rejects(instance: [i64] instance, resource: [&str] free, project: [i64] ids) -> bool;
        held_merge_requests(projects: [&[i64]] ids) -> Vec<HeldMergeRequest>;
        hurry_task(connection: [i64] connection, activity: [&str] free, now: [DateTime<Utc>] free) -> bool;
        keep_paths(projects: [&[i64]] ids, at: [DateTime<Utc>] free) -> ();
        known_projects(instance: [i64] instance) -> Vec<KnownProject>;
        living_commit_count(project: [i64] ids) -> i64;
        living_commits(project: [i64] ids, shas: [&[&str]] free) -> Vec<String>;
        lost_projects(instance: [i64] instance) -> Vec<LostProject>;
        mark_accessible(projects: [&[i64]] ids, at: [DateTime<Utc>] free) -> u64;
        mark_deleted(fact: [Fact] free, project: [i64] ids, ids: [&[i64]] ids, asked_at: [DateTime<Utc>] free, at: [DateTime<Utc>] free) -> u64;
        mark_group_deleted(group: [i64] ids, at: [DateTime<Utc>] free) -> ();
        mark_inaccessible(projects: [&[i64]] ids, reason: [&str] free, at: [DateTime<Utc>] free) -> u64;
        mark_project_deleted(project: [i64] ids, at: [DateTime<Utc>] free) -> u64;
        merge_request_id(project: [i64] ids, iid: [i64] free) -> Option<i64>;
        note_namespaces(instance: [i64] instance, resources: [&[&str]] free, projects: [&[(i64, i64)]] ids) -> ();
        note_webhook_hints(hints: [&[WebhookHint]] ids, received_at: [DateTime<Utc>] free) -> ();
        open_heads(projects: [&[i64]] ids) -> Vec<(i64, i64)>;
        open_merge_requests(projects: [&[i64]] ids) -> Vec<(i64, i64)>;
        partition(key: [&PartitionKey] partition) -> Partition;
        partitions(instance: [i64] instance, resource: [&str] free) -> Vec<Partition>;
        pending_left(instance: [i64] instance, lists: [&[List]] free, project: [Option<i64>] free) -> i64;
        people_done(users: [&[i64]] ids) -> ();
        people_due(instance: [i64] instance, most: [i64] free) -> Vec<i64>;
        provable_projects(instance: [i64] instance) -> Vec<ProvableProject>;
        put_off_task(connection: [i64] connection, activity: [&str] free, until: [DateTime<Utc>] free) -> ();
        read_again(instance: [i64] instance, resource: [&str] free, totals: [&[(i64, i64)]] ids) -> ();
        read_trunk_again(project: [i64] ids) -> ();
        refused_since(instance: [i64] instance, after: [DateTime<Utc>] free) -> Vec<Skip>;
        release(lease: [&Lease] lease, priority: [i32] free) -> ();
        release_all(sync_id: [i64] sync, owner_prefix: [&str] owner) -> ();
        release_pending(instance: [i64] instance, owner_prefix: [&str] owner) -> ();
        renew_task(task: [&TaskRow] task, idle: [Duration] duration) -> bool;
        reopen_units(sync_id: [i64] sync, units: [&[Unit]] ids) -> ();
        resources_partly_synced(connection: [i64] connection, instance: [i64] instance, read: [&[ResourceRead]] reads, parents: [&[i64]] ids, started: [DateTime<Utc>] free, began: [DateTime<Utc>] free) -> ();
        resources_read(instance: [i64] instance) -> Vec<String>;
        resources_synced(connection: [i64] connection, resources: [&[&str]] resources, at: [DateTime<Utc>] free) -> ();
        retire_users(users: [&[i64]] ids, at: [DateTime<Utc>] free) -> ();
        running_phase(sync_id: [i64] sync) -> Option<String>;
        running_pipelines(projects: [&[i64]] ids, children: [bool] free) -> Vec<(i64, i64)>;
        save_capabilities(number: [i64] instance, version: [Option<&str>] free, graphql: [bool] free, fields: [&BTreeMap<String, bool>] free, at: [DateTime<Utc>] free) -> ();
        save_proofs(instance: [i64] instance, proofs: [&[Proof]] ids, at: [DateTime<Utc>] free) -> ();
        save_skips(instance: [i64] instance, parents: [&[i64]] ids, skips: [&[Skip]] ids, repeated: [&BTreeSet<Skip>] free, at: [DateTime<Utc>] free) -> ();
        server_version() -> String;
        skips(instance: [i64] instance) -> Vec<Skip>;
        snapshot(fact: [Fact] free, project: [i64] ids, id: [i64] ids) -> Vec<SnapshotRow>;
        snapshot_project(project: [i64] ids) -> Vec<SnapshotRow>;
        stored_heads(projects: [&[i64]] ids) -> Vec<(i64, i64, Option<String>)>;
        stored_issues(projects: [&[i64]] ids) -> BTreeMap<i64, i64>;
        stored_open(projects: [&[i64]] ids) -> Vec<(i64, i64, i64)>;
        stored_running(projects: [&[i64]] ids) -> Vec<(i64, i64, i64)>;
        stored_within(counted: [Counted] free, project: [i64] ids, span: [(DateTime<Utc>, DateTime<Utc>)] free) -> Vec<Stored>;
        sync_completed(sync_id: [i64] sync) -> bool;
        trunk(project: [i64] ids) -> Trunk;
        trunks(instance: [i64] instance) -> Vec<Trunk>;
        trunks_due(signs: [&[TrunkSigns]] ids) -> ();
        trunks_unmoved(signs: [&[TrunkSigns]] ids, at: [DateTime<Utc>] free) -> ();
        units_left(sync_id: [i64] sync) -> i64;
        unknown_users(instance: [i64] instance, after: [i64] free, most: [i64] free) -> Vec<i64>;
        with_heads(projects: [&[i64]] ids) -> Vec<i64>;
        with_merge_requests(projects: [&[i64]] ids) -> Vec<i64>;
        with_unfinished_deployments(projects: [&[i64]] ids, since: [DateTime<Utc>] free) -> Vec<i64>;
    }
    special {
        audit(entry: [special::Told]) -> ();
        claim(sync_id: [i64], owner: [&str]) -> Option<Lease>;
        claim_deliveries(owner: [&str], limit: [i64], since: [Option<DateTime<Utc>>], now: [DateTime<Utc>]) -> Vec<DueDelivery>;
        claim_pending(instance: [i64], owner: [&str], most: [i64], lists: [&[List]], project: [Option<i64>]) -> Vec<PendingRow>;
        claim_task(owner: [&str], running: [&[String]], now: [DateTime<Utc>]) -> Option<TaskRow>;
        connections() -> Vec<ConnectionRow>;
        end_task(task: [&TaskRow], end: [&TaskEnd], now: [DateTime<Utc>]) -> ();
        end_deliveries(ids: [&[i64]], state: [&str], note: [Option<&str>], now: [DateTime<Utc>]) -> ();
        instance(base_url: [&str]) -> InstanceRow;
        join_sync(run: [super::owned::OwnedRun], leading: [&[i64]], at: [DateTime<Utc>]) -> super::owned::ToldJoined;
        lead_on(sync_id: [i64]) -> bool;
        next_task_due() -> Option<DateTime<Utc>>;
        put_off_deliveries(ids: [&[i64]], off: [&PutOff]) -> ();
        release_deliveries(owner: [&str], ids: [&[i64]]) -> ();
        renew_deliveries(owner: [&str], ids: [&[i64]]) -> ();
        write_page(page: [&Page<'_>]) -> BTreeMap<&'static str, crate::Counts>;
    }
}

fn answer(done: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(done).map_err(|it| StoreError::unreadable(it).into())
}
