//! The cases: which lock and cache exist before a run, what runs, and the goal for its time.

use clap::ValueEnum;
use serde::Serialize;

use crate::sets::RequirementSet;
use crate::tool::{TargetScope, Tool};

/// A situation in which people run a lock tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BenchCase {
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

/// A tool with its command in a case, and what exists before its run.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) label: &'static str,
    pub(crate) tool: Tool,
    pub(crate) job: ContenderCommand,
    pub(crate) scope: TargetScope,
    pub(crate) input: InputVariant,
    pub(crate) lock: Presence,
    pub(crate) cache: Presence,
    /// The expected exit code.
    pub(crate) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContenderCommand {
    Lock,
    Check,
}

/// Which input is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputVariant {
    Base,
    Changed,
    Conflict,
}

/// Whether a lock or a cache exists before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Absent,
    Present,
}

impl BenchCase {
    /// The contenders for `set`; none where the case does not apply to it.
    pub(crate) fn plans(self, set: &RequirementSet) -> Vec<Contender> {
        use Presence::{Absent, Present};
        let both = |plan: Contender| {
            Tool::ALL.map(|tool| Contender { tool, label: tool.name(), ..plan.clone() }).to_vec()
        };
        let plan = Contender {
            label: Tool::Pinfast.name(),
            tool: Tool::Pinfast,
            job: ContenderCommand::Lock,
            scope: TargetScope::One,
            input: InputVariant::Base,
            lock: Absent,
            cache: Present,
            status: 0,
        };
        match self {
            Self::Cold => both(Contender { cache: Absent, ..plan }),
            Self::Warm => both(plan),
            Self::Unchanged | Self::Stale => both(Contender { lock: Present, ..plan }),
            Self::ChangedCold => {
                both(Contender { lock: Present, cache: Absent, input: InputVariant::Changed, ..plan })
            }
            Self::ChangedWarm => both(Contender { lock: Present, input: InputVariant::Changed, ..plan }),
            Self::Check => vec![Contender { job: ContenderCommand::Check, lock: Present, ..plan }],
            Self::Targets if set.targets => vec![
                Contender { scope: TargetScope::Six, label: "pinfast, 6 targets", ..plan.clone() },
                Contender { label: "pinfast, 1 target", ..plan.clone() },
                Contender { scope: TargetScope::Universal, label: "pinfast --universal", ..plan.clone() },
                Contender { tool: Tool::Uv, scope: TargetScope::Universal, label: "uv --universal", ..plan },
            ],
            Self::Conflict if set.conflict.is_some() => {
                both(Contender { input: InputVariant::Conflict, status: 1, ..plan })
            }
            Self::Targets | Self::Conflict => Vec::new(),
        }
    }

    /// The `max-age` of pages, in seconds. [`Self::Stale`] has zero: its cache must be stale at once.
    pub(crate) fn max_age(self) -> u32 {
        if self == Self::Stale { 0 } else { 600 }
    }

    /// Its name in tables.
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

    /// The goal: pinfast's time divided by uv's is at most this.
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
