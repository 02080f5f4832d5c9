use super::*;
use crate::samples::{by, lock, pin};
use crate::{Lock, WriteOptions};
use pinfast_packaging::Version;

fn input(file: &str, lines: &[&str]) -> CurrentInput {
    let line = |(number, text): (u32, &&str)| CurrentLine {
        normalized: (*text).to_owned(),
        text: (*text).into(),
        at: Location::new(file, number, 1),
    };
    CurrentInput { file: file.to_owned(), lines: (1..).zip(lines).map(line).collect() }
}

/// What the sample lock was made from.
fn current() -> ResolutionInputs {
    let header = lock().header.unwrap();
    let lines = |record: &InputRecord| -> Vec<String> { record.lines.iter().rev().cloned().collect() };
    let given = |record: &InputRecord| {
        input(&record.file, &lines(record).iter().map(String::as_str).collect::<Vec<_>>())
    };
    ResolutionInputs { inputs: header.inputs.iter().map(given).collect(), ..ResolutionInputs::default() }
}

fn judge(current: &ResolutionInputs, lock: &Lock) -> Vec<String> {
    judge_text(current, &lock.write(&WriteOptions::default()))
}

fn judge_text(current: &ResolutionInputs, text: &str) -> Vec<String> {
    match freshness(current, &ParsedLock::read(text, "requirements.txt").unwrap()) {
        LockFreshness::Fresh => Vec::new(),
        LockFreshness::Stale(reasons) => reasons.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_unchanged_input_keeps_a_lock_fresh() {
    assert_eq!(judge(&current(), &lock()), [""; 0]);
    assert_eq!(current().header().inputs, lock().header.unwrap().inputs);
}

#[test]
fn each_changed_line_is_one_reason() {
    for (lines, expected) in [
        (&["-c httpx<1", "certifi"][..], "requirements.in: `google-genai>=1.50` is gone"),
        (
            &["-c httpx<1", "certifi", "google-genai>=1.55"],
            "requirements.in:3: `google-genai>=1.55` was `google-genai>=1.50`",
        ),
        (&["certifi", "google-genai>=1.50", "-c httpx<1", "httpx"], "requirements.in:4: `httpx` is new"),
        (&["-c httpx<1", "certifi", "google-genai>=1.50", "--pre"], "requirements.in:4: `--pre` is new"),
        (
            &["-c httpx<2", "certifi", "google-genai>=1.50"],
            "requirements.in:1: `-c httpx<2` was `-c httpx<1`",
        ),
    ] {
        let mut now = current();
        now.inputs[0] = input("requirements.in", lines);
        assert_eq!(judge(&now, &lock()), [expected]);
    }
}

#[test]
fn a_changed_input_target_or_option_is_a_reason() {
    let mut now = current();
    now.inputs.remove(1);
    now.inputs.push(input("test.in", &[]));
    now.targets = Some(vec!["cpython 3.11.0 win_amd64".into(), "cpython 3.12.0 win_amd64".into()]);
    let option = |name: &str, values: &[&str]| CurrentOption {
        name: name.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    now.options = vec![option("exclude-newer", &["2026-02-01"]), option("pre", &[]), option("extra", &["x"])];
    assert_eq!(
        judge(&now, &lock()),
        [
            "the lock was made without the input test.in",
            "the lock was made from dev.in too",
            "`--exclude-newer` is `2026-02-01`, but was `2026-01-01`",
            "`--extra` is `x`, but was not set",
            "`--pre` is not set, but was set",
            "the target cpython 3.12.0 win_amd64 is new",
            "the target cpython 3.11.0 manylinux_2_28_x86_64 is gone",
        ]
    );
    now = current();
    now.options = vec![option("exclude-newer", &["2026-01-01"]), option("pre", &[""])];
    assert_eq!(judge(&now, &lock()), [""; 0], "what is not named is not compared");
}

#[test]
fn an_edit_is_a_reason_and_so_is_each_requirement_it_broke() {
    let text = lock().write(&WriteOptions::default()).replace("google-auth==2.47.0", "google-auth==2.38.0");
    assert_eq!(
        judge_text(&current(), &text),
        [
            "the lock was edited by hand: its content does not match its digest",
            "google-genai asks for `google-auth>=2.47.0,<3`, but `google-auth==2.38.0` \
         (requirements.txt:25) does not satisfy it",
        ]
    );
    let unhashed =
        lock().write(&WriteOptions::default()).replace("google-auth==2.47.0 \\\n", "google-auth==2.47.0\n");
    assert!(judge_text(&current(), &unhashed)[1].starts_with("requirements.txt:25: `google-auth` has no"));
}

#[test]
fn an_adjusted_digest_does_not_hide_a_missing_pin() {
    let mut edited = lock();
    edited.pins.retain(|pin| pin.name.as_str() != "certifi");
    edited.pins.iter_mut().filter(|pin| pin.name.as_str() == "google-genai").for_each(|pin| {
        pin.version = "1.40".parse().unwrap();
    });
    edited.pins.iter_mut().filter(|pin| pin.name.as_str() == "httpx").for_each(|pin| {
        pin.version = "1.1".parse().unwrap();
    });
    let reasons = judge(&current(), &edited);
    assert_eq!(reasons.len(), 3, "{reasons:#?}");
    assert_eq!(
        reasons[0],
        "requirements.in:1: `google-genai==1.40` (requirements.txt:22) does not satisfy `google-genai>=1.50`"
    );
    assert_eq!(reasons[1], "requirements.in:2: nothing is pinned for `certifi`");
    assert_eq!(
        reasons[2],
        "requirements.in:3: `httpx==1.1` (requirements.txt:28) does not satisfy `-c httpx<1`"
    );
}

#[test]
fn an_override_replaces_the_requirements_of_others() {
    let mut made = lock();
    let now = ResolutionInputs {
        inputs: vec![input("requirements.in", &["a>=2", "--override a==1", "b"])],
        ..ResolutionInputs::default()
    };
    made.header = Some(now.header());
    made.pins = vec![pin("a==1", &[by("b", ">=3")]), pin("b==1", &[])];
    assert_eq!(judge(&now, &made), [""; 0]);
    made.pins[0].version = "2".parse().unwrap();
    assert_eq!(
        judge(&now, &made),
        ["requirements.in:2: `a==2` (requirements.txt:10) does not satisfy `--override a==1`"]
    );
}

#[test]
fn a_requirement_with_a_marker_is_checked_against_its_target() {
    let mut made = lock();
    let lines = &["a<2 ; sys_platform == 'win32'", "a>=2 ; sys_platform != 'win32'"];
    let mut now =
        ResolutionInputs { inputs: vec![input("requirements.in", lines)], ..ResolutionInputs::default() };
    made.header = Some(now.header());
    made.pins = vec![pin("a==1", &[])];
    assert_eq!(judge(&now, &made), [""; 0], "nobody knows the target");
    let target =
        |platform: &str| Target::declared(&"3.11".parse::<Version>().unwrap(), &platform.parse().unwrap());
    now.environments = vec![target("windows")];
    assert_eq!(judge(&now, &made), [""; 0]);
    now.environments = vec![target("windows"), target("linux")];
    let expected =
        "requirements.in:2: `a==1` (requirements.txt:9) does not satisfy `a>=2 ; sys_platform != 'win32'`";
    assert_eq!(judge(&now, &made), [expected]);
    made.pins.clear();
    assert_eq!(judge(&now, &made).len(), 2, "not pinned at all");
}

#[test]
fn the_lock_of_another_tool_is_stale() {
    let text = "certifi==2026.1.4 --hash=sha256:".to_owned() + &"0".repeat(64);
    let now = ResolutionInputs {
        inputs: vec![input("requirements.in", &["certifi"])],
        ..ResolutionInputs::default()
    };
    assert_eq!(
        judge_text(&now, &text),
        ["the lock does not record what it was made from: pinfast did not write it"]
    );
    let newer = lock().write(&WriteOptions::default()).replace("format 1", "format 2");
    assert_eq!(judge_text(&now, &newer), ["a newer pinfast wrote the lock (format 2)"]);
}
