//! The figures as tables and as JSON.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::bench::{ContenderResult, Sample};
use crate::case::BenchCase;

/// Median and spread of one figure over all runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// The figures of a contender.
struct ReportRow<'a> {
    of: &'a ContenderResult,
    wall: Figure,
    cpu: Figure,
    peak: Figure,
    requests: Figure,
    bytes: Figure,
    in_a_row: Figure,
}

impl Figure {
    /// Of at least one value.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        let ends = (values.first().copied(), values.last().copied());
        Self { median, least: ends.0.unwrap_or(f64::NAN), most: ends.1.unwrap_or(f64::NAN) }
    }
}

impl<'a> ReportRow<'a> {
    fn new(of: &'a ContenderResult) -> Self {
        let figure = |value: fn(&Sample) -> f64| Figure::of(of.samples.iter().map(value));
        Self {
            of,
            wall: figure(|sample| sample.taken.wall),
            cpu: figure(|sample| sample.taken.cpu),
            peak: figure(|sample| sample.taken.peak as f64),
            requests: figure(|sample| sample.counts.requests as f64),
            bytes: figure(|sample| sample.counts.bytes as f64),
            in_a_row: figure(|sample| sample.counts.in_a_row as f64),
        }
    }

    fn json(&self) -> Value {
        json!({
            "set": self.of.set,
            "case": self.of.case,
            "contender": self.of.contender,
            "pins": self.of.pins.len(),
            "wall_s": self.wall,
            "cpu_s": self.cpu,
            "peak_bytes": self.peak,
            "requests": self.requests,
            "bytes": self.bytes,
            "in_a_row": self.in_a_row,
            "samples": self.of.samples,
        })
    }
}

/// One fact about how the figures were taken.
pub(crate) type RunCondition = (&'static str, Value);

/// Everything as JSON.
pub(crate) fn json(conditions: &[RunCondition], all: &[ContenderResult]) -> Value {
    let rows: Vec<_> = all.iter().map(|measured| ReportRow::new(measured).json()).collect();
    let conditions: Value = conditions.iter().cloned().collect();
    json!({ "conditions": conditions, "results": rows })
}

/// The tables, in Markdown.
pub(crate) fn tables(conditions: &[RunCondition], all: &[ContenderResult]) -> String {
    let mut text = String::new();
    for (key, value) in conditions {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "- {key}: {value}");
    }
    text.push_str(
        "\n| case | set | contender | pins | time ms (least–most) | ratio (goal) | of the least | CPU ms | ratio | peak MB | ratio (0.5) \
         | requests | in a row | MB | ratio |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by_key(|measured| measured.case);
    for measured in sorted {
        let _ = writeln!(text, "{}", line(measured, all));
    }
    text.push_str(&growth(all));
    text
}

fn line(measured: &ContenderResult, all: &[ContenderResult]) -> String {
    let row = ReportRow::new(measured);
    let peer = peer(measured, all).map(ReportRow::new);
    let ratio = |own: fn(&ReportRow<'_>) -> f64| {
        let peer = peer.as_ref().map(own).filter(|value| *value > 0.0);
        peer.map_or_else(String::new, |peer| format!("{:.2}", own(&row) / peer))
    };
    let goal = measured.case.goal(&measured.set).filter(|_| peer.is_some());
    let goal = goal.map_or_else(String::new, |goal| format!(" ({goal})"));
    format!(
        "| {} | {} | {} | {} | {:.1} ({:.1}–{:.1}) | {}{goal} | {} | {:.1} | {} | {:.1} | {} | {} | {} | {:.2} | {} |",
        measured.case.title(),
        measured.set,
        measured.contender,
        pins(measured, all),
        row.wall.median * 1e3,
        row.wall.least * 1e3,
        row.wall.most * 1e3,
        ratio(|row| row.wall.median),
        ratio(|row| row.wall.least),
        row.cpu.median * 1e3,
        ratio(|row| row.cpu.median),
        row.peak.median / 1e6,
        ratio(|row| row.peak.median),
        row.requests.median,
        row.in_a_row.median,
        row.bytes.median / 1e6,
        ratio(|row| row.bytes.median),
    )
}

/// How many pins, and how many of them uv has otherwise.
fn pins(measured: &ContenderResult, all: &[ContenderResult]) -> String {
    let count = measured.pins.len();
    let peer =
        peer(measured, all).filter(|peer| measured.case != BenchCase::Targets && !peer.pins.is_empty());
    let differing =
        peer.map_or(0, |peer| measured.pins.iter().filter(|pin| !peer.pins.contains(pin)).count());
    if differing > 0 { format!("{count}, {differing} other than uv") } else { count.to_string() }
}

/// What a contender's ratios are to: uv in the same case, and for a stale cache uv with a fresh one.
fn peer<'a>(measured: &ContenderResult, all: &'a [ContenderResult]) -> Option<&'a ContenderResult> {
    if !measured.contender.starts_with("pinfast") {
        return None;
    }
    let of = |case: BenchCase| {
        let same = move |other: &&ContenderResult| {
            (&other.set, other.case) == (&measured.set, case) && other.contender.starts_with("uv")
        };
        all.iter().find(same)
    };
    let fresh = if measured.case == BenchCase::Stale { of(BenchCase::Unchanged) } else { None };
    fresh.or_else(|| of(measured.case))
}

/// Time and memory by the size of the closure.
fn growth(all: &[ContenderResult]) -> String {
    let mut text = String::from(
        "\n| growth | set | pins | time ms | µs a pin | CPU ms | µs a pin | peak MB | kB a pin |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for case in [BenchCase::Cold, BenchCase::Warm, BenchCase::Unchanged] {
        let of = |measured: &&ContenderResult| measured.case == case && measured.contender == "pinfast";
        let mut rows: Vec<_> = all.iter().filter(of).map(ReportRow::new).collect();
        rows.sort_by_key(|row| row.of.pins.len());
        for row in rows {
            let pins = row.of.pins.len().max(1) as f64;
            let _ = writeln!(
                text,
                "| {} | {} | {pins} | {:.1} | {:.0} | {:.1} | {:.0} | {:.1} | {:.0} |",
                case.title(),
                row.of.set,
                row.wall.median * 1e3,
                row.wall.median * 1e6 / pins,
                row.cpu.median * 1e3,
                row.cpu.median * 1e6 / pins,
                row.peak.median / 1e6,
                row.peak.median / 1e3 / pins,
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::RequestCounts;
    use crate::process::ProcessUsage;

    fn measured(case: BenchCase, contender: &'static str, walls: &[f64]) -> ContenderResult {
        let sample = |wall: &f64| Sample {
            taken: ProcessUsage { wall: *wall, cpu: 0.01, peak: 10_000_000, status: Some(0) },
            counts: RequestCounts::default(),
        };
        let samples = walls.iter().map(sample).collect();
        ContenderResult { set: "bot".into(), case, contender, pins: vec!["a==1".into()], samples }
    }

    #[test]
    fn figures_are_medians() {
        let figure = Figure::of([3.0, 1.0, 2.0].into_iter());
        assert_eq!(figure, Figure { median: 2.0, least: 1.0, most: 3.0 });
        assert!((Figure::of([1.0, 2.0].into_iter()).median - 1.5).abs() < 1e-9);
    }

    #[test]
    fn ratios_are_to_uv_and_a_stale_cache_to_a_fresh_one() {
        let all = [
            measured(BenchCase::Unchanged, "uv", &[0.100]),
            measured(BenchCase::Stale, "pinfast", &[0.010, 0.030, 0.020]),
            measured(BenchCase::Stale, "uv", &[0.400]),
        ];
        let text = tables(&[("latency", "30 ms".into())], &all);
        assert!(text.contains("- latency: 30 ms"), "{text}");
        assert!(
            text.contains(
                "| unchanged, stale cache | bot | pinfast | 1 | 20.0 (10.0–30.0) | 0.20 (0.15) | 0.10 |"
            ),
            "{text}"
        );
        let json = json(&[], &all);
        assert_eq!(json["results"][1]["wall_s"]["median"], 0.02);
    }
}
