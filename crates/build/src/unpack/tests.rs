use std::fs;
use std::path::PathBuf;

use pinfast_testkit::tar::{EntryType, TarMember, tar_gz_of_members};
use pinfast_testkit::zip::{ZipEntry, zip};
use tempfile::TempDir;

use super::*;

/// Unpacks the archive `bytes` within small limits.
fn unpacked(bytes: &[u8], format: SdistFormat) -> (TempDir, std::result::Result<PathBuf, BuildFailure>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("archive"), bytes).unwrap();
    let archive = fs::File::open(folder.path().join("archive")).unwrap();
    let to = folder.path().join("to");
    fs::create_dir(&to).unwrap();
    let limits = SdistLimits { members: 20, bytes: 1 << 20, ratio: 10, free: 10_000 };
    let top = unpack(archive, format, &to, limits);
    (folder, top)
}

#[test]
fn a_hostile_tar_is_refused() {
    use EntryType::{Directory, Fifo, Link, Regular, Symlink};
    let long = "x".repeat(20_000);
    let many: Vec<String> = (0..30).map(|number| format!("a/{number}")).collect();
    let many: Vec<TarMember<'_>> = many.iter().map(|path| (Regular, path.as_str(), "", "")).collect();
    for (members, why) in [
        (&[(Regular, "/etc/x", "", "")][..], "is absolute"),
        (&[(Regular, "a/../../x", "", "")], "leads out"),
        (&[(Regular, "..", "", "")], "leads out"),
        (&[(Symlink, "a/x", "/etc", "")], "leads out"),
        (&[(Symlink, "a/x", "../../etc", "")], "leads out"),
        (&[(Symlink, "a/x", "y", ""), (Regular, "a/x/z", "", "")], "inside of a link"),
        (&[(Regular, "a/x/z", "", ""), (Symlink, "a/x", "y", "")], "cannot be made"),
        (
            &[
                (Directory, "a/d/e", "", ""),
                (Symlink, "a/d/e/l", "../../..", ""),
                (Symlink, "a/y", "d/e/l/../archive", ""),
            ],
            "leads out",
        ),
        (&[(Link, "a/x", "../archive", "")], "leads out"),
        (&[(Link, "a/x", "/etc/passwd", "")], "is absolute"),
        (&[(Link, "a/x", "a/none", "")], "missing member"),
        (&[(Fifo, "a/x", "", "")], "special file"),
        (
            &[(Regular, "a/x", "", long.as_str()), (Regular, "a/y", "", long.as_str())],
            "far more than its own size",
        ),
        (&many, "more than 20 members"),
        (&[(Regular, "a/x", "", ""), (Regular, "b/x", "", "")], "2 folders at its top"),
        (&[(Regular, "x", "", "")], "0 folders at its top"),
        (&[(Regular, "a/x", "", ""), (Regular, "a/x/y", "", "")], "cannot be made"),
        (&[(Directory, "a/x", "", ""), (Regular, "a/x", "", "")], "cannot be made"),
    ] {
        let bytes = tar_gz_of_members(members);
        let (folder, top) = unpacked(&bytes, SdistFormat::TarGz);
        let shown: Vec<_> = members.iter().map(|(kind, path, to, _)| (kind, path, to)).collect();
        match top {
            Err(BuildFailure::Candidate(error)) => assert!(error.contains(why), "{shown:?}: {error}"),
            other => panic!("{shown:?}: {other:?}"),
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{shown:?}: nothing is beside it");
    }
    for cut in [0, 10, 60] {
        let bytes = tar_gz_of_members(&[(Regular, "a/x", "", &long)]);
        let (_folder, top) = unpacked(&bytes[..cut], SdistFormat::TarGz);
        assert!(matches!(top, Err(BuildFailure::Candidate(_))), "{cut}: {top:?}");
        let (_folder, top) = unpacked(&bytes[..cut], SdistFormat::Zip);
        assert!(matches!(top, Err(BuildFailure::Candidate(_))), "{cut}: {top:?}");
    }
}

#[test]
fn a_hostile_zip_is_refused() {
    let zip = |path: &str, link: Option<&str>| {
        let entry = match link {
            Some(target) => ZipEntry::new(path, target).mode(0o120_777),
            None => ZipEntry::new(path, [b'x'; 100]),
        };
        zip(&[entry])
    };
    let (folder, top) = unpacked(&zip("a/b/x", None), SdistFormat::Zip);
    assert_eq!(top.unwrap(), folder.path().join("to/a"));
    assert_eq!(fs::read(folder.path().join("to/a/b/x")).unwrap(), [b'x'; 100]);
    for (path, link) in [("a/../../x", None), ("a/x", Some("/etc")), ("a/x", Some("../../archive"))] {
        let (_folder, top) = unpacked(&zip(path, link), SdistFormat::Zip);
        assert!(matches!(top, Err(BuildFailure::Candidate(_))), "{path} {link:?}: {top:?}");
    }
}

#[test]
fn a_sound_tar_is_unpacked_with_its_links() {
    use EntryType::{Directory, Link, Regular, Symlink, XGlobalHeader};
    let bytes = tar_gz_of_members(&[
        (XGlobalHeader, "pax_global_header", "", "11 x=y\n"),
        (Directory, "./a/", "", ""),
        (Symlink, "a/link", "d/x", ""),
        (Symlink, "a/dangling", "nowhere", ""),
        (Regular, "a/d/x", "", "text"),
        (Link, "a/same", "a/d/x", ""),
    ]);
    let (folder, top) = unpacked(&bytes, SdistFormat::TarGz);
    let top = top.unwrap();
    assert_eq!(top, folder.path().join("to/a"));
    for path in ["d/x", "link", "same"] {
        assert_eq!(fs::read_to_string(top.join(path)).unwrap(), "text", "{path}");
    }
    assert!(top.join("dangling").symlink_metadata().is_err());
}
