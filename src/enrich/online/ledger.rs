//! Online queries and their outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::datatypes::{DataType, Field};

use crate::columns::batch::batch;
use crate::enrich::online::facts::{Facts, Service};
use crate::error::Result;
use crate::flow::schema::timestamp;
use crate::ip::Ip;

/// Outcome of each query, by address and service.
pub type Ledger = BTreeMap<(Ip, Service), Entry>;

/// Outcome of a query, with its origin and time.
#[derive(Clone, Debug)]
pub struct Entry {
    outcome: Outcome,
    cached: bool,
    at: u64,
}

/// Outcome of a query.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The service answered, with facts or without a record.
    Answered(Facts),
    /// The query failed, with the reason.
    Failed(String),
    /// No query was made, with the reason.
    NotQueried(String),
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

impl Entry {
    /// An entry with a time in seconds since 1970.
    pub fn new(outcome: Outcome, cached: bool, at: u64) -> Self {
        Self {
            outcome,
            cached,
            at,
        }
    }

    /// An entry with the current time.
    pub fn now(outcome: Outcome) -> Self {
        Self::new(outcome, false, now())
    }

    /// Facts of a query that was answered.
    pub fn facts(&self) -> Option<&Facts> {
        match &self.outcome {
            Outcome::Answered(facts) => Some(facts),
            _ => None,
        }
    }

    fn status(&self) -> &'static str {
        match &self.outcome {
            Outcome::Answered(facts) if *facts == Facts::default() => "no record",
            Outcome::Answered(_) => "result",
            Outcome::Failed(_) => "failed",
            Outcome::NotQueried(_) => "not queried",
        }
    }

    fn reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Answered(facts) => facts.note.as_deref(),
            Outcome::Failed(reason) | Outcome::NotQueried(reason) => Some(reason),
        }
    }
}

/// The ledger as a table, ordered by address and service.
pub fn table(ledger: &Ledger) -> Result<RecordBatch> {
    let text = |name: &str, of: &dyn Fn(&(Ip, Service), &Entry) -> Option<String>| {
        let values = ledger.iter().map(|(key, entry)| of(key, entry));
        let values: ArrayRef = Arc::new(values.collect::<StringArray>());
        (Field::new(name, DataType::Utf8, true), values)
    };
    let fact = |name: &str, of: fn(&Facts) -> Option<&String>| {
        text(name, &|_, entry| of(entry.facts()?).cloned())
    };
    let cached: BooleanArray = ledger.values().map(|entry| Some(entry.cached)).collect();
    let asns: UInt32Array = ledger.values().map(|entry| entry.facts()?.asn).collect();
    let times = ledger.values().map(|entry| entry.at as i64 * 1_000_000);
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    batch(vec![
        text("address", &|(ip, _), _| Some(ip.to_string())),
        text("service", &|(_, service), _| Some(service.name().into())),
        text("status", &|_, entry| Some(entry.status().into())),
        (
            Field::new("cached", DataType::Boolean, true),
            Arc::new(cached),
        ),
        text("reason", &|_, entry| entry.reason().map(str::to_owned)),
        (Field::new("asn", DataType::UInt32, true), Arc::new(asns)),
        fact("name", |facts| facts.name.as_ref()),
        fact("country", |facts| facts.country.as_ref()),
        fact("network", |facts| facts.network.as_ref()),
        (Field::new("time", timestamp(), true), Arc::new(times)),
    ])
}
