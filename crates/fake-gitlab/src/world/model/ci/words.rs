//! The enumerations of CI/CD, with GitLab's words for their values.

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($value:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($value,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];
            /// Every word, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// GitLab's word for it.
            pub const fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            /// The value a word stands for.
            pub fn of(word: &str) -> Option<Self> {
                Self::WORDS.iter().position(|it| *it == word).map(|at| Self::ALL[at])
            }
        }
    };
}

words! {
    /// States of pipelines and jobs.
    CiStatus {
        Created = "created",
        WaitingForResource = "waiting_for_resource",
        Preparing = "preparing",
        WaitingForCallback = "waiting_for_callback",
        Pending = "pending",
        Running = "running",
        Success = "success",
        Failed = "failed",
        Canceling = "canceling",
        Canceled = "canceled",
        Skipped = "skipped",
        Manual = "manual",
        Scheduled = "scheduled",
    }
}

impl CiStatus {
    /// Whether nothing more happens by itself.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Canceled | Self::Skipped)
    }

    /// Whether GitLab calls it active.
    pub fn is_active(self) -> bool {
        use CiStatus::{Pending, Preparing, Running, WaitingForCallback, WaitingForResource};
        matches!(self, WaitingForResource | Preparing | WaitingForCallback | Pending | Running)
    }
}

words! {
    /// What made a pipeline.
    PipelineSource {
        Push = "push",
        Web = "web",
        Trigger = "trigger",
        Schedule = "schedule",
        Api = "api",
        External = "external",
        Pipeline = "pipeline",
        Chat = "chat",
        Webide = "webide",
        MergeRequestEvent = "merge_request_event",
        ExternalPullRequestEvent = "external_pull_request_event",
        ParentPipeline = "parent_pipeline",
        OndemandDastScan = "ondemand_dast_scan",
        OndemandDastValidation = "ondemand_dast_validation",
        SecurityOrchestrationPolicy = "security_orchestration_policy",
        ContainerRegistryPush = "container_registry_push",
        DuoWorkflow = "duo_workflow",
        PipelineExecutionPolicySchedule = "pipeline_execution_policy_schedule",
        Unknown = "unknown",
    }
}

words! {
    /// A job that runs, or one that triggers another pipeline.
    JobKind {
        Build = "build",
        Bridge = "bridge",
    }
}

words! {
    /// Who may use a runner.
    RunnerType {
        Instance = "instance_type",
        Group = "group_type",
        Project = "project_type",
    }
}

words! {
    /// Whether an environment is in use.
    EnvironmentState {
        Available = "available",
        Stopping = "stopping",
        Stopped = "stopped",
    }
}

words! {
    /// What an environment is for.
    Tier {
        Production = "production",
        Staging = "staging",
        Testing = "testing",
        Development = "development",
        Other = "other",
    }
}

words! {
    /// States of deployments.
    DeploymentStatus {
        Created = "created",
        Running = "running",
        Success = "success",
        Failed = "failed",
        Canceled = "canceled",
        Skipped = "skipped",
        Blocked = "blocked",
    }
}

impl DeploymentStatus {
    /// Whether GitLab sets `finished_at` on entering it.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Canceled)
    }

    /// Whether webhooks tell it: the start and the end.
    pub fn is_told(self) -> bool {
        self.is_finished() || matches!(self, Self::Running | Self::Blocked)
    }
}

words! {
    /// Why a job failed.
    FailureReason {
        Unknown = "unknown_failure",
        Script = "script_failure",
        Api = "api_failure",
        StuckOrTimeout = "stuck_or_timeout_failure",
        RunnerSystem = "runner_system_failure",
        MissingDependency = "missing_dependency_failure",
        RunnerUnsupported = "runner_unsupported",
        StaleSchedule = "stale_schedule",
        JobExecutionTimeout = "job_execution_timeout",
        Archived = "archived_failure",
        UnmetPrerequisites = "unmet_prerequisites",
        Scheduler = "scheduler_failure",
        DataIntegrity = "data_integrity_failure",
        ForwardDeployment = "forward_deployment_failure",
        ProtectedEnvironment = "protected_environment_failure",
        PipelineLoop = "pipeline_loop_detected",
        InvalidBridgeTrigger = "invalid_bridge_trigger",
        DownstreamProjectNotFound = "downstream_bridge_project_not_found",
        UpstreamProjectNotFound = "upstream_bridge_project_not_found",
        BridgePermissions = "insufficient_bridge_permissions",
        UpstreamPermissions = "insufficient_upstream_permissions",
        BridgePipelineIsChild = "bridge_pipeline_is_child_pipeline",
        DownstreamCreation = "downstream_pipeline_creation_failed",
        SecretsProvider = "secrets_provider_not_found",
        TooDeep = "reached_max_descendant_pipelines_depth",
        TooMany = "reached_max_pipeline_hierarchy_size",
        ProjectDeleted = "project_deleted",
        UserBlocked = "user_blocked",
        QuotaExceeded = "ci_quota_exceeded",
        NoMatchingRunner = "no_matching_runner",
        TraceTooLong = "trace_size_exceeded",
        BuildsDisabled = "builds_disabled",
        EnvironmentCreation = "environment_creation_failure",
        DeploymentRejected = "deployment_rejected",
        IpRestriction = "ip_restriction_failure",
        OutdatedDeployment = "failed_outdated_deployment_job",
        TriggerRate = "reached_downstream_pipeline_trigger_rate_limit",
    }
}
