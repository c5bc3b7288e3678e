//! Issues, incidents and tasks.

use chrono::NaiveDate;

use super::model::{Id, Time};

/// What kind of issue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueType {
    Issue,
    Incident,
    Task,
}

impl IssueType {
    /// GitLab's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Incident => "incident",
            Self::Task => "task",
        }
    }
}

/// How bad an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Unknown,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// GitLab's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// An issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    pub id: Id,
    pub iid: i64,
    pub project_id: Id,
    pub issue_type: IssueType,
    pub title: String,
    pub description: Option<String>,
    pub confidential: bool,
    /// Kept for incidents only; GitLab calls it unknown for all others.
    pub severity: Severity,
    pub author_id: Id,
    pub assignee_ids: Vec<Id>,
    pub label_ids: Vec<Id>,
    pub milestone_id: Option<Id>,
    pub due_date: Option<NaiveDate>,
    pub created_at: Time,
    pub updated_at: Time,
    /// Set while it is closed: GitLab forgets both when it is opened again.
    pub closed_at: Option<Time>,
    pub closed_by_id: Option<Id>,
    pub user_notes_count: i64,
}

impl Issue {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// `opened` or `closed`.
    pub fn state(&self) -> &'static str {
        if self.is_open() { "opened" } else { "closed" }
    }

    /// What GitLab shows as severity.
    pub fn shown_severity(&self) -> Severity {
        if self.issue_type == IssueType::Incident { self.severity } else { Severity::Unknown }
    }
}
