//! Kernels on flows of many hosts.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flowtriage::aggregate::index::Entries;
use flowtriage::aggregate::summary::summarise;
use flowtriage::aggregate::top_n::top_n;
use flowtriage::aggregate::{index, timeline};
use flowtriage::columns::text::Text;
use flowtriage::direction::classify::classify;
use flowtriage::direction::rules::DirectionRules;
use flowtriage::enrich::database::Database;
use flowtriage::enrich::lookup::lookup;
use flowtriage::error::Error;
use flowtriage::flow::batch::FlowBatch;
use flowtriage::ip::column::Addresses;

const ROWS: usize = 1_000_000;
const SERVICES: [Option<&str>; 5] = [Some("ssl"), Some("dns"), Some("http"), Some("ntp"), None];

/// A reproducible pseudorandom sequence (xorshift).
fn numbers() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0x9e37_79b9_7f4a_7c15_u64), |x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    })
}

fn flows() -> Result<RecordBatch, Error> {
    let inside: StringArray = numbers()
        .take(ROWS)
        .map(|n| Some(format!("10.{}.{}.{}", n % 4, n / 7 % 256, n / 11 % 256)))
        .collect();
    let outside: StringArray = numbers()
        .skip(ROWS)
        .take(ROWS)
        .map(|n| Some(format!("93.184.{}.{}", n % 256, n / 256 % 256)))
        .collect();
    let services: StringArray = numbers()
        .take(ROWS)
        .map(|n| SERVICES[(n % 5) as usize])
        .collect();
    let starts: TimestampMicrosecondArray = numbers()
        .take(ROWS)
        .map(|n| Some((n % 86_400_000_000) as i64))
        .collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("start_time", Arc::new(starts)),
        ("src_ip", Arc::new(inside)),
        ("dst_ip", Arc::new(outside)),
        ("service", Arc::new(services)),
        ("flows", Arc::new(Int64Array::from(vec![1; ROWS]))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// The flows with other columns, which replace those of the same name.
fn with(batch: &RecordBatch, others: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, Error> {
    let fields = batch.schema();
    let names = fields.fields().iter().map(|field| field.name().as_str());
    let mut columns: Vec<(&str, ArrayRef)> = names.zip(batch.columns().to_vec()).collect();
    for (name, array) in others {
        columns.retain(|(known, _)| *known != name);
        columns.push((name, array));
    }
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// Flows whose index has its cost elsewhere, by name.
fn shapes(batch: &RecordBatch) -> Result<Vec<(&'static str, RecordBatch)>, Error> {
    let texts = |text: fn(u64) -> String| {
        let texts = numbers().take(ROWS).map(|number| Some(text(number)));
        Arc::new(texts.collect::<StringArray>()) as ArrayRef
    };
    let v6 = texts(|n| {
        format!(
            "2001:db8:{:x}:{:x}::{:x}",
            n % 16,
            n / 7 % 4096,
            n / 11 % 97 + 1
        )
    });
    let mapped = texts(|n| format!("::ffff:93.184.{}.{}", n % 256, n / 256 % 256));
    let few = texts(|n| format!("10.0.0.{}", n % 50));
    let peer = texts(|n| format!("93.184.216.{}", n / 64 % 30));
    let flags = texts(|n| ["S", "SAF", "SA", "18"][(n % 4) as usize].to_owned());
    let ports = |of: fn(u64) -> i64| {
        let ports = numbers().take(ROWS).map(of);
        Arc::new(Int64Array::from_iter_values(ports)) as ArrayRef
    };
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let encoded = |column: usize| cast(batch.column(column), &kind);
    Ok(vec![
        ("IPv6", with(batch, vec![("src_ip", v6)])?),
        ("mapped addresses", with(batch, vec![("dst_ip", mapped)])?),
        (
            "dictionaries",
            with(
                batch,
                vec![
                    ("src_ip", encoded(1)?),
                    ("dst_ip", encoded(2)?),
                    ("service", encoded(3)?),
                ],
            )?,
        ),
        (
            "few groups",
            with(batch, vec![("src_ip", few), ("dst_ip", peer)])?,
        ),
        (
            "TCP flags",
            with(
                batch,
                vec![
                    ("tcp_flags", flags),
                    ("src_port", ports(|n| (n % 60_000) as i64)),
                    ("dst_port", ports(|n| (n / 7 % 60_000) as i64)),
                ],
            )?,
        ),
    ])
}

fn kernels(criterion: &mut Criterion) {
    let Ok(batch) = flows() else {
        panic!("the flows of the benchmark are valid");
    };
    let input = || std::iter::once(FlowBatch::new(batch.clone(), 0));
    let rules = DirectionRules::default();
    let Ok(asn) = Database::open(&[
        "python/flowtriage/data/asn.mmdb",
        "python/flowtriage/data/country.mmdb",
    ]) else {
        panic!("the bundled databases are valid");
    };
    let mut group = criterion.benchmark_group("1 million flows");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("flow_index", |b| {
        b.iter(|| {
            let entries = index::collect(input(), &rules);
            black_box(entries.and_then(Entries::into_batches))
        });
    });
    group.bench_function("flow_index, not yet in order", |b| {
        b.iter(|| black_box(index::collect(input(), &rules)));
    });
    let Ok(shapes) = shapes(&batch) else {
        panic!("the flows of the benchmark are valid");
    };
    for (name, batch) in shapes {
        group.bench_function(format!("flow_index of {name}"), |b| {
            b.iter(|| {
                let flows = std::iter::once(FlowBatch::new(batch.clone(), 0));
                let entries = index::collect(flows, &rules);
                black_box(entries.and_then(Entries::into_batches))
            });
        });
    }
    group.bench_function("timeline", |b| {
        b.iter(|| black_box(timeline::timeline(input(), "service", 120, &rules)));
    });
    group.bench_function("flow_summary", |b| {
        b.iter(|| {
            let entries = index::collect(input(), &rules);
            black_box(entries.and_then(|entries| summarise(&entries.into_index(), &asn)))
        });
    });
    let key = ["source".to_owned(), "dest".to_owned()];
    group.bench_function("top_n", |b| {
        b.iter(|| black_box(top_n(input(), &key, "flows", 20, &rules)));
    });
    group.bench_function("classify", |b| {
        b.iter(|| {
            let batch = FlowBatch::new(batch.clone(), 0);
            black_box(batch.and_then(|batch| classify(&batch, &rules)))
        });
    });
    group.bench_function("addresses", |b| {
        let text = Text::read("dst_ip", batch.column(2));
        b.iter(|| text.as_ref().map(|text| black_box(Addresses::parse(text))));
    });
    group.bench_function("asn", |b| {
        let text = Text::read("dst_ip", batch.column(2));
        b.iter(|| text.as_ref().map(|text| black_box(lookup(&asn, text))));
    });
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
