use super::*;
use crate::spec::{ExtraName, Platform, Target};

fn target(python: &str, platform: &str) -> Target {
    Target::declared(&python.parse().unwrap(), &platform.parse::<Platform>().unwrap())
}

fn marker(text: &str) -> Marker {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_marker_holds_where_it_should() {
    let here = target("3.11", "linux");
    let test = ExtraName::new("a-b").unwrap();
    for (text, holds, with_extra) in [
        ("python_version >= '3.8'", true, true),
        ("extra == 'A_b'", false, true),
        ("'A.b' == extra", false, true),
        ("extra != 'a-b'", true, false),
        ("python_version in '3.8,3.11'", true, true),
        ("'x' ~= sys_platform", false, false),
        ("sys_platform == 'linux' and (os_name == 'nt' or extra == 'a-b')", false, true),
    ] {
        assert_eq!(marker(text).holds(&here, &[]), holds, "{text}");
        assert_eq!(marker(text).holds(&here, std::slice::from_ref(&test)), with_extra, "{text}");
    }
}
