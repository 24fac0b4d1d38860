//! Flows and peers of addresses, on small tables with known results.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt16Array,
};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType, UInt16Type};
use flowtriage::columns::text::Text;
use flowtriage::direction::rules::DirectionRules;
use flowtriage::error::{Error, Result};
use flowtriage::flow::batch::FlowBatch;
use flowtriage::ip::Ip;
use flowtriage::ip::column::Addresses;
use flowtriage::search::{expanded, peers};

#[derive(Clone, Default)]
struct Row {
    ends: [Option<&'static str>; 2],
    ports: [Option<u16>; 2],
    protocol: Option<&'static str>,
    times: [Option<i64>; 2],
    flows: i64,
    denied: Option<i64>,
    bytes: [Option<i64>; 2],
    packets: [Option<i64>; 2],
}

fn row(src: &'static str, dst: &'static str) -> Row {
    Row {
        ends: [Some(src), Some(dst)],
        flows: 1,
        ..Row::default()
    }
}

fn flows(rows: &[Row]) -> RecordBatch {
    let text = |of: &dyn Fn(&Row) -> Option<&'static str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let port = |of: &dyn Fn(&Row) -> Option<u16>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<UInt16Array>())
    };
    let time = |of: &dyn Fn(&Row) -> Option<i64>| -> ArrayRef {
        let times: TimestampMicrosecondArray = rows.iter().map(of).collect();
        Arc::new(times.with_timezone("UTC"))
    };
    RecordBatch::try_from_iter(vec![
        ("start_time", time(&|r| r.times[0])),
        ("end_time", time(&|r| r.times[1])),
        ("src_ip", text(&|r| r.ends[0])),
        ("dst_ip", text(&|r| r.ends[1])),
        ("src_port", port(&|r| r.ports[0])),
        ("dst_port", port(&|r| r.ports[1])),
        ("protocol", text(&|r| r.protocol)),
        ("src_bytes", number(&|r| r.bytes[0])),
        ("dst_bytes", number(&|r| r.bytes[1])),
        ("src_packets", number(&|r| r.packets[0])),
        ("dst_packets", number(&|r| r.packets[1])),
        ("flows", number(&|r| Some(r.flows))),
        ("denied_flows", number(&|r| r.denied)),
    ])
    .unwrap()
}

fn search(batches: Vec<RecordBatch>, ip: &str) -> Result<RecordBatch> {
    let mut first_row = 0;
    let flows = batches.into_iter().map(|batch| {
        first_row += batch.num_rows();
        FlowBatch::new(batch.clone(), first_row - batch.num_rows())
    });
    expanded::collect(flows, &[ip])?.into_table()
}

fn peers(rows: &[Row], ip: &str) -> RecordBatch {
    peers_of(search(vec![flows(rows)], ip).unwrap(), &[ip])
        .unwrap()
        .0
}

/// The peers of hosts, and the number of flows between these.
fn peers_of(found: RecordBatch, hosts: &[&str]) -> Result<(RecordBatch, i64)> {
    let rules = DirectionRules::default();
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).into()).collect();
    let peers = peers::collect([Ok(found)].into_iter(), &hosts, &rules)?;
    let inside = peers.inside();
    Ok((peers.into_table()?, inside))
}

fn texts(table: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = table.column_by_name(name).unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn numbers(table: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = table.column_by_name(name).unwrap();
    column.as_primitive::<Int64Type>().iter().collect()
}

fn ports(table: &RecordBatch, name: &str) -> Vec<Option<u16>> {
    let column = table.column_by_name(name).unwrap();
    column.as_primitive::<UInt16Type>().iter().collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn flows_from_and_to_an_address_are_found_in_any_notation() {
    let rows = [
        row("2001:db8:0::1", "9.9.9.9"),
        row("10.0.0.1", "2001:DB8::1"),
        row("10.0.0.1", "2001:db8::2"),
        row("::ffff:10.0.0.1", "2001:0db8:0:0:0:0:0:1"),
    ];
    let found = search(vec![flows(&rows)], " 2001:db8::1 ").unwrap();
    assert_eq!(texts(&found, "src_ip"), some(&["10.0.0.1", "2001:db8::1"]));
    assert_eq!(numbers(&found, "connections"), [Some(2), Some(1)]);
    let found = search(vec![flows(&rows)], "::ffff:a00:1").unwrap();
    assert_eq!(
        texts(&found, "dst_ip"),
        some(&["2001:db8::1", "2001:db8::2"])
    );
}

#[test]
fn rows_are_sorted_by_addresses_and_ports_with_nulls_last() {
    let with = |dst_port| Row {
        ports: [Some(5), dst_port],
        ..row("9.0.0.1", "10.0.0.1")
    };
    let rows = [
        with(None),
        row("100.0.0.1", "10.0.0.1"),
        with(Some(443)),
        Row {
            ends: [None, Some("10.0.0.1")],
            ..row("", "")
        },
        with(Some(80)),
        with(None),
    ];
    for cut in 0..rows.len() {
        let batches = vec![flows(&rows[..cut]), flows(&rows[cut..])];
        let found = search(batches, "10.0.0.1").unwrap();
        let ips = ["9.0.0.1", "9.0.0.1", "9.0.0.1", "100.0.0.1"];
        assert_eq!(texts(&found, "src_ip")[..4], some(&ips));
        assert_eq!(texts(&found, "src_ip")[4], None);
        assert_eq!(ports(&found, "dst_port")[..3], [Some(80), Some(443), None]);
        let counts = [1, 1, 2, 1, 1].map(Some);
        assert_eq!(numbers(&found, "connections"), counts);
    }
}

#[test]
fn measures_of_a_row_are_those_of_its_records() {
    let first = Row {
        times: [Some(50), None],
        bytes: [Some(100), Some(11)],
        packets: [None, None],
        protocol: Some("udp"),
        ..row("10.0.0.1", "8.8.8.8")
    };
    let second = Row {
        times: [Some(10), Some(40)],
        flows: 3,
        bytes: [Some(70), None],
        protocol: Some("tcp"),
        ..first.clone()
    };
    let refused = Row {
        times: [None, None],
        flows: 0,
        denied: Some(2),
        bytes: [None, None],
        protocol: None,
        ..first.clone()
    };
    let found = search(vec![flows(&[first, second, refused])], "8.8.8.8").unwrap();
    for (name, expected) in [
        ("connections", Some(4)),
        ("max_bytes", Some(111)),
        ("src_bytes", Some(170)),
        ("dst_bytes", Some(11)),
        ("max_packets", None),
        ("src_packets", None),
        ("denied_connections", Some(2)),
    ] {
        assert_eq!(numbers(&found, name), [expected], "{name}");
    }
    let mean = |name: &str| {
        let column = found.column_by_name(name).unwrap();
        column.as_primitive::<Float64Type>().iter().next().unwrap()
    };
    assert_eq!(
        (mean("mean_bytes"), mean("mean_packets")),
        (Some(181.0 / 6.0), None)
    );
    for (name, expected) in [("first_seen", 10), ("last_seen", 50)] {
        let column = found.column_by_name(name).unwrap();
        let times = column.as_primitive::<TimestampMicrosecondType>();
        assert_eq!(times.value(0), expected, "{name}");
    }
    assert_eq!(texts(&found, "protocols"), some(&["tcp,udp"]));
}

#[test]
fn no_match_gives_an_empty_table_of_the_same_columns() {
    let rows = [row("10.0.0.1", "8.8.8.8")];
    let found = search(vec![flows(&rows)], "10.0.0.1").unwrap();
    for batches in [vec![flows(&rows)], vec![]] {
        let none = search(batches, "::1").unwrap();
        assert_eq!((none.num_rows(), none.schema()), (0, found.schema()));
        let (none, _) = peers_of(none, &["::1"]).unwrap();
        let some = peers(&rows, "10.0.0.1");
        assert_eq!((none.num_rows(), none.schema()), (0, some.schema()));
    }
}

#[test]
fn an_invalid_value_is_named_with_its_row() {
    let bad = [row("10.0.0.1", "8.8.8.8"), row("10.0.0.999", "8.8.8.8")];
    let good = flows(&bad[..1]);
    let message = |batches, ip| search(batches, ip).unwrap_err().to_string();
    assert_eq!(
        message(vec![good.clone(), flows(&bad)], "1.1.1.1"),
        "row 2, column \"src_ip\": \"10.0.0.999\" is not an IP address"
    );
    assert_eq!(
        message(vec![good.clone()], "10.0.0.1/33"),
        "invalid network \"10.0.0.1/33\"; give a CIDR prefix such as 10.0.0.0/8 or fd00::/8"
    );
    let wide: ArrayRef = Arc::new(Int64Array::from(vec![70_000]));
    let mut columns = good.columns().to_vec();
    let place = good.schema().index_of("dst_port").unwrap();
    let mut fields = good.schema().fields().to_vec();
    fields[place] = Arc::new(arrow::datatypes::Field::new(
        "dst_port",
        wide.data_type().clone(),
        true,
    ));
    columns[place] = wide;
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    let odd = RecordBatch::try_new(schema, columns).unwrap();
    assert_eq!(
        message(vec![good.clone(), odd], "8.8.8.8"),
        "row 1, column \"dst_port\": \"70000\" is not a port"
    );
    let much = Row {
        bytes: [Some(i64::MAX), Some(1)],
        ..row("10.0.0.1", "8.8.8.8")
    };
    let error = search(vec![flows(&[much])], "8.8.8.8").unwrap_err();
    assert!(matches!(error, Error::Overflow(_)), "{error}");
    let found = search(vec![good], "10.0.0.1").unwrap();
    let error = peers_of(found, &["10.0.0.2"]).unwrap_err();
    assert!(error.to_string().contains("row 0 of the search"), "{error}");
}

#[test]
fn flows_between_the_hosts_have_no_peer() {
    let rows = [
        row("10.0.0.1", "10.0.0.2"),
        row("10.0.0.1", "8.8.8.8"),
        row("8.8.8.8", "10.0.0.2"),
        row("10.0.0.2", "10.0.0.2"),
    ];
    let found = search(vec![flows(&rows)], "10.0.0.0/30").unwrap();
    let (peers, inside) = peers_of(found, &["10.0.0.0/31", "10.0.0.2"]).unwrap();
    assert_eq!(inside, 1);
    assert_eq!(texts(&peers, "peer"), some(&["8.8.8.8", "10.0.0.2"]));
    assert_eq!(numbers(&peers, "connections"), [Some(2), Some(1)]);
    assert_eq!(texts(&peers, "direction"), some(&["two-way", "two-way"]));
}

#[test]
fn directions_of_peers_follow_the_internal_endpoint() {
    let rows = |ip, a, b, c| [row(a, ip), row(ip, b), row(ip, c), row(c, ip)];
    for (ip, by_source, by_dest) in [
        ("10.0.0.1", "inbound", "outbound"),
        ("8.8.8.8", "outbound", "inbound"),
        ("fd00::1", "inbound", "outbound"),
        ("2606:4700::1", "outbound", "inbound"),
    ] {
        let mut rows = rows(ip, "1.0.0.1", "1.0.0.2", "1.0.0.3");
        for _ in 0..2 {
            let found = peers(&rows, ip);
            assert_eq!(
                texts(&found, "peer"),
                some(&["1.0.0.1", "1.0.0.2", "1.0.0.3"])
            );
            assert_eq!(
                texts(&found, "direction"),
                some(&[by_source, by_dest, "two-way"]),
                "{ip}"
            );
            rows.reverse();
        }
    }
}

#[test]
fn measures_are_separate_for_each_direction() {
    let asks = Row {
        ports: [Some(50_000), Some(443)],
        bytes: [Some(1), Some(10)],
        packets: [Some(2), None],
        ..row("10.0.0.1", "8.8.8.8")
    };
    let calls = Row {
        ports: [Some(80), Some(22)],
        flows: 4,
        bytes: [Some(100), Some(1_000)],
        packets: [None, None],
        ..row("8.8.8.8", "10.0.0.1")
    };
    let found = peers(&[asks, calls], "10.0.0.1");
    for (name, expected) in [
        ("connections", 5),
        ("connections_from_peer", 4),
        ("connections_to_peer", 1),
        ("bytes", 1_111),
        ("bytes_from_peer", 110),
        ("bytes_to_peer", 1_001),
        ("packets", 2),
        ("packets_to_peer", 2),
        ("max_bytes", 1_100),
    ] {
        assert_eq!(numbers(&found, name), [Some(expected)], "{name}");
    }
    assert_eq!(numbers(&found, "packets_from_peer"), [None]);
    assert_eq!(texts(&found, "peer_ports"), some(&["80,443"]));
}

#[test]
fn an_address_that_sends_to_itself_is_its_own_peer() {
    let own = Row {
        ports: [Some(7), Some(9)],
        bytes: [Some(3), Some(4)],
        ..row("10.0.0.1", "10.0.0.1")
    };
    let found = peers(&[own], "10.0.0.1");
    assert_eq!(texts(&found, "direction"), some(&["two-way"]));
    for part in ["", "_from_peer", "_to_peer"] {
        assert_eq!(numbers(&found, &format!("connections{part}")), [Some(1)]);
        assert_eq!(numbers(&found, &format!("bytes{part}")), [Some(7)]);
    }
    assert_eq!(texts(&found, "peer_ports"), some(&["7,9"]));
}

#[test]
fn only_the_lowest_ports_of_a_peer_are_listed() {
    let rows: Vec<Row> = (0..40)
        .map(|port| Row {
            ports: [Some(40 - port), Some(1)],
            ..row("8.8.8.8", "10.0.0.1")
        })
        .collect();
    let found = peers(&rows, "10.0.0.1");
    assert_eq!(texts(&found, "peer_ports"), some(&["1,2,3,4,5,6,7,8,9,10"]));
}

proptest::proptest! {
    #[test]
    fn rows_of_an_address_are_those_whose_parsed_address_is_it(
        texts in proptest::collection::vec(
            "10\\.0\\.0\\.[12]|::ffff:10\\.0\\.0\\.1|2001:db8::[12]|2001:DB8:0:0::1| 10\\.0\\.0\\.1|",
            0..40,
        ),
    ) {
        for form in 0..2 {
            let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            let keys = arrow::datatypes::DataType::Int8;
            let kind = arrow::datatypes::DataType::Dictionary(keys.into(), plain.data_type().clone().into());
            let column = if form == 0 { plain } else { arrow::compute::cast(&plain, &kind).unwrap() };
            let text = Text::read("ip", &column).unwrap();
            let parsed = Addresses::parse(&text).unwrap();
            for ip in ["10.0.0.1", "2001:db8::1"].map(|ip| Ip::parse(ip).unwrap()) {
                let expected: Vec<u32> = (0..texts.len())
                    .filter(|row| parsed.get(*row).get() == Some(ip))
                    .map(|row| row as u32)
                    .collect();
                proptest::prop_assert_eq!(Addresses::rows_of(&text, ip).unwrap(), expected);
            }
        }
    }
}
