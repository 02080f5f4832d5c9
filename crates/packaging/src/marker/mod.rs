//! Environment markers (PyPA "Dependency specifiers", section "Environment Markers"; PEP 508).
//!
//! - `parse`: text -> [`expression`]; `complexity` refuses hostile ones
//! - `expression`: its value in an environment, exactly as PyPA `packaging` evaluates it; it takes no lock and cannot panic
//! - `tree`: its binary decision diagram by `pep508_rs`, built on first use, for `and`, `or`, negation and equality

mod complexity;
mod expression;
mod parse;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use pep508_rs::MarkerTree;

pub(super) use self::expression::{Comparison, Expression, MarkerVariable, TextRelation};
use super::{ExtraName, RequirementError, Target};

/// The condition after `;` in a requirement. The empty one always holds.
///
/// Two markers are equal if they hold in the same environments. Shown in a normal form.
#[derive(Clone, Default)]
pub struct Marker(Option<Arc<MarkerData>>);

struct MarkerData {
    expression: Expression,
    warnings: Vec<String>,
    tree: OnceLock<MarkerTree>,
}

impl Marker {
    /// Whether this holds in `target` with `extras`. A comparison that cannot be evaluated is false, with a
    /// [warning](Self::warnings). As for pip, it holds for several extras if it holds for one.
    #[must_use]
    pub fn holds(&self, target: &Target, extras: &[ExtraName]) -> bool {
        let Some(inner) = &self.0 else { return true };
        match extras {
            [] => inner.expression.holds(target, None),
            extras => extras.iter().any(|extra| inner.expression.holds(target, Some(extra))),
        }
    }

    /// Whether this holds everywhere.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.tree().is_true())
    }

    /// Whether this is known to hold nowhere.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.tree().is_false())
    }

    /// Whether this and `other` are known to hold nowhere together.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        self.tree().is_disjoint(&other.tree())
    }

    /// Holds where both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut tree = self.tree();
        tree.and(other.tree());
        Self::from_tree(tree)
    }

    /// Holds where one of them holds.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut tree = self.tree();
        tree.or(other.tree());
        Self::from_tree(tree)
    }

    /// Holds where this does not.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self::from_tree(self.tree().negate())
    }

    /// The comparisons that cannot be evaluated and count as false, each a sentence without a full stop.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |inner| &inner.warnings)
    }

    /// The formula; `None` holds everywhere.
    pub(super) fn expression(&self) -> Option<&Expression> {
        self.0.as_ref().map(|inner| &inner.expression)
    }

    fn tree(&self) -> MarkerTree {
        self.0.as_ref().map_or(MarkerTree::TRUE, |inner| inner.tree().clone())
    }

    fn from_tree(tree: MarkerTree) -> Self {
        if tree.is_true() {
            return Self::default();
        }
        let expression = tree::to_expression(&tree);
        Self(Some(Arc::new(MarkerData { expression, warnings: Vec::new(), tree: tree.into() })))
    }
}

impl MarkerData {
    fn tree(&self) -> &MarkerTree {
        self.tree.get_or_init(|| tree::of(&self.expression))
    }
}

impl FromStr for Marker {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        let (expression, warnings) = parse::parse(text)?;
        Ok(Self(Some(Arc::new(MarkerData { expression, warnings, tree: OnceLock::new() }))))
    }
}

/// A marker with more comparisons is shown as written: to simplify it would take seconds.
const MAX_SIMPLIFIED: usize = 48;

/// The normal form, which parses to the same marker; the empty marker is the empty text. A very long marker keeps its written
/// order.
impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(inner) if inner.tree().is_true() => Ok(()),
            Some(inner) if inner.expression.comparisons() > MAX_SIMPLIFIED => inner.expression.fmt(f),
            Some(inner) => tree::to_expression(inner.tree()).fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Marker({self})")
    }
}

impl PartialEq for Marker {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => true,
            _ => self.tree() == other.tree(),
        }
    }
}

impl Eq for Marker {}

impl Hash for Marker {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tree().hash(state);
    }
}
