//! Aggregates on small tables with known results.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, Int64Type};
use flowtriage::aggregate::top_n::top_n;
use flowtriage::aggregate::{index, timeline};
use flowtriage::direction::rules::DirectionRules;
use flowtriage::error::Result;
use flowtriage::flow::batch::FlowBatch;

struct Row(
    Option<&'static str>,
    &'static str,
    Option<&'static str>,
    i64,
    Option<i64>,
);

const ROWS: &[Row] = &[
    Row(Some("10.0.0.1"), "8.8.8.8", Some("dns"), 1, Some(100)),
    Row(Some("::ffff:10.0.0.1"), "8.8.8.8", Some("dns"), 2, None),
    Row(Some("10.0.0.1"), "8.8.8.8", None, 4, Some(7)),
    Row(Some("9.9.9.9"), "10.0.0.1", Some("ssl"), 8, Some(1)),
    Row(None, "10.0.0.1", Some("ssl"), 16, None),
    Row(Some("2606:4700::1"), "fd00::1", Some("dns"), 32, Some(5)),
];

type Texts = fn(Vec<Option<&str>>) -> ArrayRef;

fn table(texts: Texts, rows: &[Row]) -> RecordBatch {
    let starts = (0..rows.len() as i64)
        .map(|i| i * 1_000_000)
        .collect::<Vec<_>>();
    RecordBatch::try_from_iter_with_nullable(vec![
        (
            "start_time",
            Arc::new(TimestampMicrosecondArray::from(starts)) as ArrayRef,
            true,
        ),
        ("src_ip", texts(rows.iter().map(|r| r.0).collect()), true),
        (
            "dst_ip",
            texts(rows.iter().map(|r| Some(r.1)).collect()),
            true,
        ),
        ("service", texts(rows.iter().map(|r| r.2).collect()), true),
        (
            "flows",
            Arc::new(rows.iter().map(|r| Some(r.3)).collect::<Int64Array>()),
            true,
        ),
        (
            "src_bytes",
            Arc::new(rows.iter().map(|r| r.4).collect::<Int64Array>()),
            true,
        ),
    ])
    .unwrap()
}

fn utf8(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn flows(batches: Vec<RecordBatch>) -> impl Iterator<Item = Result<FlowBatch>> {
    batches.into_iter().map(|batch| FlowBatch::new(batch, 0))
}

fn build(batches: Vec<RecordBatch>) -> RecordBatch {
    index::collect(flows(batches), &DirectionRules::default())
        .unwrap()
        .into_batches()
        .unwrap()
        .swap_remove(0)
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Vec<Option<&'a str>> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_string::<i32>()
        .iter()
        .collect()
}

fn ints(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_primitive::<Int64Type>()
        .iter()
        .collect()
}

#[test]
fn the_index_groups_sorts_and_conserves() {
    let index = build(vec![table(utf8, ROWS)]);
    assert_eq!(
        strings(&index, "source"),
        [
            Some("9.9.9.9"),
            Some("10.0.0.1"),
            Some("10.0.0.1"),
            Some("2606:4700::1"),
            None
        ]
    );
    assert_eq!(
        strings(&index, "L7Protocol"),
        [Some("ssl"), Some("dns"), None, Some("dns"), Some("ssl")]
    );
    assert_eq!(
        strings(&index, "FlowDirection"),
        [Some("I"), Some("O"), Some("O"), Some("I"), Some("U")]
    );
    assert_eq!(
        ints(&index, "TotalAllowedFlows"),
        [8, 3, 4, 32, 16].map(Some)
    );
    assert_eq!(
        ints(&index, "src_bytes"),
        [Some(1), Some(100), Some(7), Some(5), None]
    );
    assert_eq!(ints(&index, "denied_flows"), [None; 5]);
}

#[test]
fn every_string_encoding_gives_the_same_index() {
    let expected = build(vec![table(utf8, ROWS)]);
    let encodings: [Texts; 3] = [
        |v| Arc::new(StringViewArray::from(v)),
        |v| Arc::new(arrow::array::LargeStringArray::from(v)),
        |v| Arc::new(v.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    for texts in encodings {
        assert_eq!(build(vec![table(texts, ROWS)]), expected);
    }
}

#[test]
fn an_index_of_indices_is_the_index_of_their_flows() {
    let flows = table(utf8, ROWS);
    let whole = build(vec![flows.clone()]);
    for cut in 0..=ROWS.len() {
        let parts =
            [flows.slice(0, cut), flows.slice(cut, ROWS.len() - cut)].map(|part| build(vec![part]));
        assert_eq!(build(parts.to_vec()), whole, "cut at {cut}");
    }
    assert_eq!(build(vec![whole.clone()]), whole);
}

#[test]
fn no_flows_give_empty_tables() {
    assert_eq!(build(vec![]).num_rows(), 0);
    assert_eq!(build(vec![table(utf8, &[])]).num_rows(), 0);
    let none =
        timeline::timeline(flows(vec![]), "service", 10, &DirectionRules::default()).unwrap();
    assert_eq!(none.num_rows(), 0);
}

#[test]
fn an_invalid_value_is_named_with_its_row() {
    let rows = [
        Row(Some("10.0.0.1"), "8.8.8.8", None, 1, None),
        Row(Some("ten"), "8.8.8.8", None, 1, None),
    ];
    let error =
        index::collect(flows(vec![table(utf8, &rows)]), &DirectionRules::default()).unwrap_err();
    let text = error.to_string();
    for part in ["row 1", "src_ip", "ten"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_overflowing_sum_is_an_error() {
    let row = || Row(Some("10.0.0.1"), "8.8.8.8", None, i64::MAX, None);
    let rows = table(utf8, &[row(), row()]);
    let entries = index::collect(flows(vec![rows]), &DirectionRules::default()).unwrap();
    assert!(entries.into_batches().is_err());
}

#[test]
fn top_n_ranks_by_the_measure_and_breaks_ties_by_key() {
    let by = |key: &[&str], by: &str, n: usize| {
        let key: Vec<String> = key.iter().map(ToString::to_string).collect();
        top_n(
            flows(vec![table(utf8, ROWS)]),
            &key,
            by,
            n,
            &DirectionRules::default(),
        )
        .unwrap()
    };
    let services = by(&["L7Protocol"], "flows", 2);
    assert_eq!(strings(&services, "L7Protocol"), [Some("dns"), Some("ssl")]);
    assert_eq!(ints(&services, "flows"), [Some(35), Some(24)]);
    let bytes = by(&["source"], "bytes", 9);
    assert_eq!(
        strings(&bytes, "source"),
        [
            Some("10.0.0.1"),
            Some("2606:4700::1"),
            Some("9.9.9.9"),
            None
        ]
    );
    let pairs = by(&["dest", "FlowDirection"], "flows", 1);
    assert_eq!(strings(&pairs, "dest"), [Some("fd00::1")]);
    assert_eq!(strings(&pairs, "FlowDirection"), [Some("I")]);
}

#[test]
fn a_timeline_widens_its_bins_as_time_goes_on() {
    let early = table(utf8, ROWS);
    let late = {
        let starts: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![
            Some(86_400_000_000),
            None,
        ]));
        let mut columns = early.slice(0, 2).columns().to_vec();
        columns[0] = starts;
        RecordBatch::try_new(early.schema(), columns).unwrap()
    };
    for batches in [vec![early.clone(), late.clone()], vec![late, early]] {
        let table =
            timeline::timeline(flows(batches), "service", 48, &DirectionRules::default()).unwrap();
        let starts = table
            .column(0)
            .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
        assert_eq!(starts.null_count(), 1);
        assert_eq!(starts.value(0), 0);
        let ends = table
            .column(1)
            .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
        assert_eq!(ends.value(0) - starts.value(0), 3_600_000_000);
        assert_eq!(
            strings(&table, "series"),
            [Some("dns"), Some("ssl"), None, Some("dns"), Some("dns")]
        );
        let total: i64 = ints(&table, "flows").into_iter().flatten().sum();
        assert_eq!(total, 63 + 3);
    }
}

#[test]
fn a_long_index_comes_in_sorted_batches_without_loss() {
    const ROWS: usize = 300_000;
    // Every address twice, not in the order of the index, a third of them IPv6.
    let address = |i: usize| {
        let n = i.wrapping_mul(2_654_435_761) % (ROWS / 2);
        match n % 3 {
            0 => format!("2001:db8::{:x}:{:x}", n >> 16, n & 0xffff),
            _ => format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255),
        }
    };
    let sources: Vec<String> = (0..ROWS).map(address).collect();
    let distinct: std::collections::HashSet<&String> = sources.iter().collect();
    let batch = RecordBatch::try_from_iter(vec![
        (
            "src_ip",
            Arc::new(StringArray::from_iter_values(&sources)) as ArrayRef,
        ),
        (
            "dst_ip",
            Arc::new(StringArray::from(vec!["10.0.0.1"; ROWS])),
        ),
        ("flows", Arc::new(Int64Array::from(vec![1; ROWS]))),
    ])
    .unwrap();
    let entries = index::collect(flows(vec![batch]), &DirectionRules::default()).unwrap();
    let chunks = entries.into_batches().unwrap();
    assert!(chunks.len() > 1);
    let found: Vec<std::net::IpAddr> = chunks
        .iter()
        .flat_map(|chunk| strings(chunk, "source"))
        .map(|text| text.unwrap().parse().unwrap())
        .collect();
    let as_v6 = |ip: &std::net::IpAddr| match ip {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        std::net::IpAddr::V6(v6) => *v6,
    };
    assert!(found.is_sorted_by_key(as_v6));
    assert_eq!(found.len(), distinct.len());
    let flows: i64 = chunks
        .iter()
        .flat_map(|chunk| {
            let flows = chunk.column_by_name("TotalAllowedFlows").unwrap();
            flows.as_primitive::<Int64Type>().values().to_vec()
        })
        .sum();
    assert_eq!(flows, ROWS as i64);
}
