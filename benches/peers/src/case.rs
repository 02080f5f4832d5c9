//! The cases: what lies there before a run, what runs, and what it should come to.

use clap::ValueEnum;
use serde::Serialize;

use crate::sets::Set;
use crate::tool::{Scope, Tool};

/// A situation of daily life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// No lock, empty cache.
    Cold,
    /// No lock, everything in the cache.
    Warm,
    /// Lock and input fit, everything in the cache and fresh.
    Unchanged,
    /// The same, and every page in the cache is stale.
    Stale,
    /// One input line has changed since the lock; empty cache.
    ChangedCold,
    /// The same, everything in the cache.
    ChangedWarm,
    /// `pinfast check`.
    Check,
    /// Six targets and one, everything in the cache.
    Targets,
    /// An input without solution, everything in the cache.
    Conflict,
}

/// A contender in a case.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) label: &'static str,
    pub(crate) tool: Tool,
    pub(crate) job: Job,
    pub(crate) scope: Scope,
    pub(crate) input: Input,
    pub(crate) lock: Before,
    pub(crate) cache: Before,
    /// The exit code that is right.
    pub(crate) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Lock,
    Check,
}

/// Which input is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Base,
    Changed,
    Conflict,
}

/// Whether something is there before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Absent,
    Present,
}

impl Case {
    /// The contenders for `set`; none where the case says nothing of it.
    pub(crate) fn plans(self, set: &Set) -> Vec<Plan> {
        use Before::{Absent, Present};
        let both =
            |plan: Plan| Tool::ALL.map(|tool| Plan { tool, label: tool.name(), ..plan.clone() }).to_vec();
        let plan = Plan {
            label: Tool::Pinfast.name(),
            tool: Tool::Pinfast,
            job: Job::Lock,
            scope: Scope::One,
            input: Input::Base,
            lock: Absent,
            cache: Present,
            status: 0,
        };
        match self {
            Self::Cold => both(Plan { cache: Absent, ..plan }),
            Self::Warm => both(plan),
            Self::Unchanged | Self::Stale => both(Plan { lock: Present, ..plan }),
            Self::ChangedCold => both(Plan { lock: Present, cache: Absent, input: Input::Changed, ..plan }),
            Self::ChangedWarm => both(Plan { lock: Present, input: Input::Changed, ..plan }),
            Self::Check => vec![Plan { job: Job::Check, lock: Present, ..plan }],
            Self::Targets if set.targets => vec![
                Plan { scope: Scope::Six, label: "pinfast, 6 targets", ..plan.clone() },
                Plan { label: "pinfast, 1 target", ..plan.clone() },
                Plan { scope: Scope::Universal, label: "pinfast --universal", ..plan.clone() },
                Plan { tool: Tool::Uv, scope: Scope::Universal, label: "uv --universal", ..plan },
            ],
            Self::Conflict if set.conflict.is_some() => {
                both(Plan { input: Input::Conflict, status: 1, ..plan })
            }
            Self::Targets | Self::Conflict => Vec::new(),
        }
    }

    /// Seconds for which the server says that a page is fresh. It is stale at once where the case wants that:
    /// a cache older than ten minutes cannot be waited for.
    pub(crate) fn max_age(self) -> u32 {
        if self == Self::Stale { 0 } else { 600 }
    }

    /// What it is called in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Cold => "cold, no lock",
            Self::Warm => "warm, no lock",
            Self::Unchanged => "unchanged, fresh cache",
            Self::Stale => "unchanged, stale cache",
            Self::ChangedCold => "one line changed, empty cache",
            Self::ChangedWarm => "one line changed, warm cache",
            Self::Check => "check",
            Self::Targets => "several targets, warm",
            Self::Conflict => "the conflict, warm",
        }
    }

    /// The most that pinfast's time may be of uv's.
    pub(crate) fn goal(self, set: &str) -> Option<f64> {
        match self {
            Self::Cold if set == "boto3" => Some(0.3),
            Self::Cold => Some(0.6),
            Self::Warm => Some(0.4),
            Self::Unchanged | Self::Stale => Some(0.15),
            Self::ChangedCold => Some(0.35),
            Self::ChangedWarm => Some(0.3),
            Self::Check | Self::Targets | Self::Conflict => None,
        }
    }
}
