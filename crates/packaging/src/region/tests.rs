use super::*;

fn space(markers: &[&str]) -> Space {
    let mut space = Space::from_python(&"3.11".parse().unwrap());
    markers.iter().for_each(|marker| space.add_values(&marker.parse().unwrap()));
    space
}

/// The smallest regions that `markers` distinguish.
fn smallest_regions(space: &Space, markers: &[&str]) -> Vec<Region> {
    let markers: Vec<Marker> = markers.iter().map(|marker| marker.parse().unwrap()).collect();
    let (mut open, mut done) = (vec![space.whole()], Vec::new());
    while let Some(region) = open.pop() {
        let cut = markers.iter().find_map(|marker| match space.truth(marker, &region, None) {
            Truth::Depends(cut) => Some(cut),
            _ => None,
        });
        match cut {
            Some(cut) => open.extend(<[Region; 2]>::from(region.split(cut))),
            None => done.push(region),
        }
    }
    done
}

#[test]
fn a_set_of_regions_has_the_simplest_marker() {
    for (marker, others, expected) in [
        ("python_version < '3.12'", "", "python_version < '3.12'"),
        ("python_version >= '3.11'", "", ""),
        ("python_version >= '3.8' and python_version < '4.0'", "", ""),
        ("python_version <= '3.12'", "", "python_version < '3.13'"),
        ("python_version == '3.11'", "", "python_version < '3.12'"),
        ("python_full_version <= '3.11.4'", "", "python_full_version < '3.11.5'"),
        ("python_version in '3.11 3.12'", "", "python_version < '3.13'"),
        ("os_name == 'nt'", "", "sys_platform == 'win32'"),
        ("platform_system != 'Windows'", "sys_platform == 'linux'", "sys_platform != 'win32'"),
        ("'linux' in sys_platform", "", "sys_platform == 'linux'"),
        ("platform_system == 'FreeBSD'", "", "platform_system == 'FreeBSD'"),
        ("implementation_name == 'pypy'", "", "platform_python_implementation == 'PyPy'"),
        ("sys_platform == 'win32'", "python_version < '3.12'", "sys_platform == 'win32'"),
        ("sys_platform == 'linux' and os_name == 'nt'", "", "python_version < '0'"),
        ("sys_platform == 'linux2'", "", "python_version < '0'"),
    ] {
        let markers = [marker, if others.is_empty() { marker } else { others }];
        let space = space(&markers);
        let regions = smallest_regions(&space, &markers);
        let marker: Marker = marker.parse().unwrap();
        let holds = |place: usize| space.truth(&marker, &regions[place], None) == Truth::Always;
        assert_eq!(space.marker(&regions, holds).to_string(), expected, "{marker}");
    }
}

#[test]
fn a_value_that_is_added_later_was_part_of_any_other() {
    let mut space = space(&["platform_machine == 'x86_64'"]);
    let [mut with, mut without] =
        <[Region; 2]>::try_from(smallest_regions(&space, &["platform_machine == 'x86_64'"]))
            .map(|mut regions| {
                regions.sort_by_key(|region| region.values[dimension::MACHINE].has(dimension::OTHER));
                regions
            })
            .unwrap();
    let riscv: Marker = "platform_machine == 'riscv64'".parse().unwrap();
    space.add_values(&riscv);
    space.widen(&mut with);
    space.widen(&mut without);
    assert_eq!(space.truth(&riscv, &with, None), Truth::Never);
    assert!(matches!(space.truth(&riscv, &without, None), Truth::Depends(_)));
}

#[test]
fn the_newest_and_most_usual_environment_represents_a_region() {
    let mut space = space(&[]);
    let whole = space.whole();
    let point = space.point(&whole);
    let target = space.representative(&whole, &point, WheelScope::Region);
    let values = target.marker_values();
    assert_eq!((values.python_full_version.as_str(), values.sys_platform.as_str()), ("3.15.0", "linux"));
    assert_eq!((values.platform_machine.as_str(), values.os_name.as_str()), ("x86_64", "posix"));
    assert_eq!(target.label(), "python_version >= '3.11'");
    assert!(space.is_usual(&whole));
}
