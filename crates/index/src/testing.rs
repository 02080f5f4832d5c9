//! Wheels to serve, and the server that the tests of this crate ask.

use pinfast_testkit::wheel::Wheel;

pub(super) use pinfast_testkit::server::{Delivery, Request, Response, Server};
pub(super) use pinfast_testkit::tar::tar_gz;
pub(super) use pinfast_testkit::zip::zip_of;

/// A wheel of `name` at `version` that requires `requires`, and larger than its metadata by far.
pub(super) fn wheel(name: &str, version: &str, requires: &[&str]) -> Vec<u8> {
    let wheel = Wheel {
        metadata: metadata(name, version, requires),
        wheel: String::new(),
        record: Some(Vec::new()),
        ..Wheel::new(name, version)
    };
    wheel.file(&format!("{name}/__init__.py"), b"pass\n".repeat(4000)).build()
}

/// The text of a METADATA file.
pub(super) fn metadata(name: &str, version: &str, requires: &[&str]) -> String {
    let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for requirement in requires {
        text += &format!("Requires-Dist: {requirement}\n");
    }
    text + "\nA description\n"
}
