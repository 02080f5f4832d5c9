//! Small integer ids for packages and names, so that the solver compares and hashes numbers instead of strings.
//!
//! pubgrub asks for the same thousand packages in each run, many times each. An id is one `u32`; [`IdMap`] looks it up
//! by indexing. Ids are given out in the order in which a search meets packages, and stay valid over its restarts.

use std::fmt;
use std::marker::PhantomData;

use rustc_hash::FxHashMap;

use super::package::Package;
use pinfast_packaging::PackageName;

/// The id of a [`Package`] in one search: what pubgrub calls a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PackageId(u32);

/// The id of a project's name in one search. A distribution and its extras are several packages of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NameId(u32);

/// What kind of package an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageKind {
    /// The root or a line of the inputs: it has one version, 0.
    Input,
    /// A distribution.
    Dist(NameId),
    /// An extra of a distribution.
    Extra(NameId),
}

impl PackageKind {
    /// The name that it is a package of.
    pub(super) fn name(self) -> Option<NameId> {
        match self {
            Self::Input => None,
            Self::Dist(name) | Self::Extra(name) => Some(name),
        }
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "package {}", self.0)
    }
}

/// Gives out the ids, and maps them back.
#[derive(Debug, Default)]
pub(super) struct PackageInterner {
    packages: Vec<(Package, PackageKind)>,
    package_ids: FxHashMap<Package, PackageId>,
    names: Vec<PackageName>,
    name_ids: FxHashMap<PackageName, NameId>,
}

impl PackageInterner {
    /// The id of a package, a new one if it is met for the first time.
    ///
    /// # Panics
    /// When there are 2^32 packages.
    pub(super) fn intern(&mut self, package: &Package) -> PackageId {
        if let Some(&id) = self.package_ids.get(package) {
            return id;
        }
        let kind = match package {
            Package::Root | Package::Line(_) => PackageKind::Input,
            Package::Dist(name) => PackageKind::Dist(self.intern_name(name)),
            Package::Extra(name, _) => PackageKind::Extra(self.intern_name(name)),
        };
        let id = PackageId(next_id(&self.packages));
        self.packages.push((package.clone(), kind));
        self.package_ids.insert(package.clone(), id);
        id
    }

    /// The id of a name, a new one if it is met for the first time.
    ///
    /// # Panics
    /// When there are 2^32 names.
    pub(super) fn intern_name(&mut self, name: &PackageName) -> NameId {
        if let Some(&id) = self.name_ids.get(name) {
            return id;
        }
        let id = NameId(next_id(&self.names));
        self.names.push(name.clone());
        self.name_ids.insert(name.clone(), id);
        id
    }

    /// All package ids, ascending: in the order in which packages were met.
    pub(super) fn package_ids(&self) -> impl DoubleEndedIterator<Item = PackageId> {
        (0..next_id(&self.packages)).map(PackageId)
    }

    /// The package behind an id.
    pub(super) fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()].0
    }

    /// The kind of the package behind an id.
    pub(super) fn kind(&self, id: PackageId) -> PackageKind {
        self.packages[id.index()].1
    }

    /// The name behind an id.
    pub(super) fn name(&self, id: NameId) -> &PackageName {
        &self.names[id.index()]
    }
}

fn next_id<T>(interned: &[T]) -> u32 {
    u32::try_from(interned.len()).expect("fewer than 2^32 packages")
}

/// An id that counts from 0.
pub(super) trait DenseId: Copy {
    /// The id with this index.
    fn from_index(index: u32) -> Self;
    /// Its index.
    fn index(self) -> usize;
}

impl DenseId for PackageId {
    fn from_index(index: u32) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl DenseId for NameId {
    fn from_index(index: u32) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A map from ids to values, stored as a vector. An id without an entry has the default value.
#[derive(Debug)]
pub(super) struct IdMap<I, T> {
    values: Vec<T>,
    ids: PhantomData<I>,
}

impl<I, T> Default for IdMap<I, T> {
    fn default() -> Self {
        Self { values: Vec::new(), ids: PhantomData }
    }
}

impl<I: DenseId, T: Default> IdMap<I, T> {
    /// The value of an id; `None` where neither it nor a later id was written.
    pub(super) fn get(&self, id: I) -> Option<&T> {
        self.values.get(id.index())
    }

    /// The value of an id, for writing.
    pub(super) fn entry(&mut self, id: I) -> &mut T {
        let index = id.index();
        if index >= self.values.len() {
            self.values.resize_with(index + 1, T::default);
        }
        &mut self.values[index]
    }

    /// All values, ascending by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        (0..).map(I::from_index).zip(&self.values)
    }
}
