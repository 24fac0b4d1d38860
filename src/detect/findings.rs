//! Findings and their table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, StructBuilder, TimestampMicrosecondArray, UInt16Array,
};
use arrow::datatypes::{DataType, Field, Fields};

use crate::columns::batch::{batch, named};
use crate::detect::filter::Filter;
use crate::detect::log::Log;
use crate::direction::rules::Direction;
use crate::error::Result;
use crate::ip::Ip;

/// What a finding would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Worth a look.
    Warning,
    /// Look first.
    High,
}

impl Severity {
    /// Name of the severity.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::High => "high",
        }
    }
}

/// A part of a score, with the limit that it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Name of the part.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// The limit, if it has one.
    pub threshold: Option<f64>,
}

/// A part of a score.
pub fn evidence(name: &'static str, value: f64, threshold: impl Into<Option<f64>>) -> Evidence {
    Evidence {
        name,
        value,
        threshold: threshold.into(),
    }
}

/// A finding; addresses are ranks.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Name of the detector.
    pub detector: &'static str,
    /// What it would mean.
    pub severity: Severity,
    /// How well the behaviour fits, from 0 to 1.
    pub score: f64,
    /// Initiator; `None` if there are several.
    pub source: Option<u64>,
    /// Responder; `None` if there are several.
    pub dest: Option<u64>,
    /// The responder's port; `None` if there are several or none.
    pub port: Option<u16>,
    /// Protocol; `None` if there are several.
    pub protocol: Option<u32>,
    /// Direction of the flows.
    pub direction: Direction,
    /// A network that distinguishes findings of the same endpoints.
    pub system: Option<u32>,
    /// Name of the outside network.
    pub as_name: Option<String>,
    /// Country of the outside network.
    pub country: Option<String>,
    /// First start.
    pub first: Option<i64>,
    /// Last end.
    pub last: Option<i64>,
    /// Flows, allowed and denied.
    pub flows: u64,
    /// Bytes that the initiators sent.
    pub sent: u64,
    /// Bytes that the responders sent.
    pub received: u64,
    /// Whether the bytes are known.
    pub has_bytes: bool,
    /// A sentence.
    pub summary: String,
    /// Parts of the score.
    pub evidence: Vec<Evidence>,
    /// ATT&CK technique.
    pub technique: &'static str,
    /// Circumstances.
    pub context: Vec<String>,
    /// The flows behind it.
    pub filter: Filter,
}

impl Finding {
    /// The endpoint whose network counts: that outside.
    pub fn outside(&self) -> Option<u64> {
        match self.direction {
            Direction::Inbound => self.source,
            Direction::Internal => None,
            _ => self.dest,
        }
    }

    /// Lower the severity, with the reason.
    pub fn demote(&mut self, reason: String) {
        self.severity = Severity::Information;
        self.context.push(reason);
    }
}

/// A finding as it is written.
struct Row {
    finding: Finding,
    id: String,
    source: Option<Ip>,
    dest: Option<Ip>,
    protocol: Option<String>,
    filter: String,
}

/// Hash of a key (FNV-1a, 64 bits).
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Row {
    fn new(log: &Log, finding: Finding) -> Self {
        let ip = |rank: Option<u64>| rank.and_then(|rank| log.ip(rank));
        let (source, dest) = (ip(finding.source), ip(finding.dest));
        let protocol = log.protocol(finding.protocol).map(str::to_owned);
        let text = |ip: Option<Ip>| ip.map(|ip| ip.to_string()).unwrap_or_default();
        let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
        let key = [
            finding.detector.to_owned(),
            text(source),
            text(dest),
            number(finding.port.map(u32::from)),
            protocol.clone().unwrap_or_default(),
            number(finding.system),
        ];
        Self {
            id: format!("{:016x}", hash(&key.join("|"))),
            filter: finding.filter.text(log),
            finding,
            source,
            dest,
            protocol,
        }
    }
}

/// Rank findings and write them as a table.
pub fn table(log: &Log, findings: Vec<Finding>) -> Result<RecordBatch> {
    let mut rows: Vec<Row> = (findings.into_iter().map(|finding| Row::new(log, finding))).collect();
    rows.sort_by(|a, b| {
        let (x, y) = (&a.finding, &b.finding);
        (y.severity.cmp(&x.severity))
            .then(y.score.total_cmp(&x.score))
            .then_with(|| {
                let key =
                    |row: &Row| (row.finding.detector, row.source, row.dest, row.finding.port);
                key(a).cmp(&key(b))
            })
            .then_with(|| (&a.protocol, &a.filter).cmp(&(&b.protocol, &b.filter)))
    });
    write(&rows)
}

fn write(rows: &[Row]) -> Result<RecordBatch> {
    let text = |name: &str, value: &dyn Fn(&Row) -> Option<String>| {
        named(
            name,
            Arc::new(rows.iter().map(value).collect::<StringArray>()),
        )
    };
    let time = |name: &str, value: fn(&Finding) -> Option<i64>| {
        let times = rows.iter().map(|row| value(&row.finding));
        let times = times
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC");
        named(name, Arc::new(times))
    };
    let bytes = |name: &str, value: fn(&Finding) -> u64| {
        let bytes = rows.iter().map(|row| {
            let known = row.finding.has_bytes.then(|| value(&row.finding));
            known.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
        });
        named(name, Arc::new(bytes.collect::<Int64Array>()))
    };
    let flows = rows
        .iter()
        .map(|row| i64::try_from(row.finding.flows).unwrap_or(i64::MAX));
    let scores = rows.iter().map(|row| row.finding.score);
    let ports = rows.iter().map(|row| row.finding.port);
    batch(vec![
        text("finding", &|row| Some(row.id.clone())),
        text("detector", &|row| Some(row.finding.detector.into())),
        text("severity", &|row| Some(row.finding.severity.name().into())),
        named(
            "score",
            Arc::new(scores.map(Some).collect::<Float64Array>()),
        ),
        text("source", &|row| row.source.map(|ip| ip.to_string())),
        text("dest", &|row| row.dest.map(|ip| ip.to_string())),
        named("dst_port", Arc::new(ports.collect::<UInt16Array>())),
        text("protocol", &|row| row.protocol.clone()),
        text("as_name", &|row| row.finding.as_name.clone()),
        text("country", &|row| row.finding.country.clone()),
        time("first_seen", |finding| finding.first),
        time("last_seen", |finding| finding.last),
        named("flows", Arc::new(flows.map(Some).collect::<Int64Array>())),
        bytes("bytes_out", |finding| finding.sent),
        bytes("bytes_in", |finding| finding.received),
        text("summary", &|row| Some(row.finding.summary.clone())),
        named("evidence", evidence_column(rows)),
        text("technique", &|row| Some(row.finding.technique.into())),
        named("context", context_column(rows)),
        text("flows_filter", &|row| Some(row.filter.clone())),
    ])
}

fn evidence_column(rows: &[Row]) -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("value", DataType::Float64, true),
        Field::new("threshold", DataType::Float64, true),
    ]);
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields, rows.len()));
    for row in rows {
        let parts = lists.values();
        for part in &row.finding.evidence {
            if let Some(names) = parts.field_builder::<StringBuilder>(0) {
                names.append_value(part.name);
            }
            if let Some(values) = parts.field_builder::<Float64Builder>(1) {
                values.append_value(part.value);
            }
            if let Some(thresholds) = parts.field_builder::<Float64Builder>(2) {
                thresholds.append_option(part.threshold);
            }
            parts.append(true);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn context_column(rows: &[Row]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for text in &row.finding.context {
            lists.values().append_value(text);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}
