//! What a log contains, by which detectors decide whether they can work.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::detect::record::{HAS_BYTES, HAS_END, NO_START, ONE_WAY, Outcome, RESPONSE, Record};
use crate::detect::service_ports::mismatch;

const MINUTE: i64 = 60_000_000;

/// Share of records below which a log counts as without a fact.
const ENOUGH: f64 = 0.05;

/// Minimum records from which times on full minutes count as those of intervals.
const MIN_TIMES: u64 = 100;

/// Mismatches of protocols and ports, and ports with some, from which their share is judged.
const MIN_MISMATCHES: u64 = 1_000;
const MIN_MISMATCHED_PORTS: u32 = 4;

/// Share of mismatches above which the protocols of a log are unreliable.
const MAX_MISMATCHES: f64 = 0.2;

/// Counts of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// All records.
    pub records: u64,
    /// With a start.
    pub starts: u64,
    /// With a start on a full minute.
    pub minutes: u64,
    /// With an end.
    pub ends: u64,
    /// With bytes of both endpoints.
    pub bytes: u64,
    /// With bytes that were sent.
    pub sent: u64,
    /// With a known outcome.
    pub outcomes: u64,
    /// With a port.
    pub ports: u64,
    /// With a layer-7 protocol.
    pub services: u64,
    /// With a layer-7 protocol on a port that belongs to another one.
    pub mismatches: u64,
    /// These ports, as bits.
    pub mismatched_ports: u32,
    /// Of several flows.
    pub aggregated: u64,
    /// Distinct starts on a full minute; counted only if most starts are on one.
    pub intervals: u64,
    /// Unidirectional requests.
    pub requests: u64,
    /// Unidirectional responses.
    pub responses: u64,
    /// First start.
    pub first: Option<i64>,
    /// Last start.
    pub last: Option<i64>,
}

impl Facts {
    /// Count records.
    pub fn of(buckets: &[Vec<Record>]) -> Self {
        let counted = buckets.par_iter().map(|bucket| {
            let counted = bucket.iter().map(Self::of_record);
            counted.fold(Self::default(), Self::merge)
        });
        let mut out = counted.reduce(Self::default, Self::merge);
        if out.are_on_minutes() {
            let starts = buckets.par_iter().flatten_iter().map(|record| record.start);
            let minutes: HashSet<i64> = starts.filter(|start| start % MINUTE == 0).collect();
            out.intervals = minutes.len() as u64;
        }
        out
    }

    fn are_on_minutes(&self) -> bool {
        self.starts >= MIN_TIMES && self.minutes as f64 > 0.9 * self.starts as f64
    }

    fn of_record(record: &Record) -> Self {
        let is_response = record.has(RESPONSE);
        let mismatch = mismatch(record);
        let start = Some(record.start).filter(|start| *start != NO_START);
        Self {
            records: 1,
            starts: start.is_some().into(),
            minutes: start.is_some_and(|start| start % MINUTE == 0).into(),
            ends: record.has(HAS_END).into(),
            bytes: record.has(HAS_BYTES).into(),
            sent: (record.sent + record.received > 0).into(),
            outcomes: (!is_response && record.outcome != Outcome::Unknown).into(),
            ports: record.key.port().is_some().into(),
            services: (record.services != 0).into(),
            mismatches: (mismatch != 0).into(),
            mismatched_ports: mismatch,
            aggregated: (record.flows > 1).into(),
            intervals: 0,
            requests: (record.has(ONE_WAY) && !is_response).into(),
            responses: is_response.into(),
            first: start,
            last: start,
        }
    }

    fn merge(self, other: Self) -> Self {
        let first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            records: self.records + other.records,
            starts: self.starts + other.starts,
            minutes: self.minutes + other.minutes,
            ends: self.ends + other.ends,
            bytes: self.bytes + other.bytes,
            sent: self.sent + other.sent,
            outcomes: self.outcomes + other.outcomes,
            ports: self.ports + other.ports,
            services: self.services + other.services,
            mismatches: self.mismatches + other.mismatches,
            mismatched_ports: self.mismatched_ports | other.mismatched_ports,
            aggregated: self.aggregated + other.aggregated,
            intervals: 0,
            requests: self.requests + other.requests,
            responses: self.responses + other.responses,
            first,
            last: self.last.max(other.last),
        }
    }

    fn has(&self, count: u64) -> bool {
        count as f64 > ENOUGH * self.records as f64
    }

    /// Whether unidirectional records have their responses in the log.
    pub fn sees_responses(&self) -> bool {
        self.responses as f64 > ENOUGH * self.requests as f64
    }

    /// Time from the first to the last start, in seconds.
    pub fn span(&self) -> f64 {
        let span = self.first.zip(self.last);
        span.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6)
    }

    fn without_times(&self) -> Option<&'static str> {
        if !self.has(self.starts) {
            return Some("the log has no start times");
        }
        // Records of an interval share its start; calls by a clock have starts of their own.
        let in_intervals = self.are_on_minutes() && 2 * self.intervals <= self.minutes;
        (in_intervals || self.has(self.aggregated)).then_some(
            "records are of intervals or of several flows, without the time of each flow",
        )
    }

    fn without_outcomes(&self) -> Option<&'static str> {
        if self.has(self.outcomes) || self.sees_responses() && self.requests > 0 {
            None
        } else if self.has(self.requests) {
            Some("the log has unidirectional records without responses, so failures are unknown")
        } else {
            Some("the log states neither results nor packets or bytes of the responder")
        }
    }

    fn has_bytes(&self) -> bool {
        self.has(self.bytes) || self.has(self.sent) && self.sees_responses()
    }

    fn without_services(&self) -> Option<&'static str> {
        if !self.has(self.services) {
            return Some("the log has no layer-7 protocols");
        }
        let are_many = self.mismatches >= MIN_MISMATCHES
            && self.mismatched_ports.count_ones() >= MIN_MISMATCHED_PORTS
            && self.mismatches as f64 > MAX_MISMATCHES * self.services as f64;
        are_many.then_some("the layer-7 protocols contradict most ports, so they are unreliable")
    }

    /// Why the log cannot answer something; `None` if it can, or has no records at all.
    pub fn lacks(&self, needs: &[Need]) -> Option<&'static str> {
        if self.records == 0 {
            return None;
        }
        needs.iter().find_map(|need| match need {
            Need::Times => self.without_times(),
            Need::Starts => (!self.has(self.starts)).then_some("the log has no start times"),
            Need::Outcomes => self.without_outcomes(),
            Need::Bytes => (!self.has_bytes()).then_some("the log has no bytes of both directions"),
            Need::Ends => (!self.has(self.ends)).then_some("the log has no end times or durations"),
            Need::Ports => (!self.has(self.ports)).then_some("the log has no ports"),
            Need::Services => self.without_services(),
        })
    }
}

/// What a detector needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The start of each single flow.
    Times,
    /// Start times, even of intervals.
    Starts,
    /// Whether flows were answered.
    Outcomes,
    /// Bytes of both directions.
    Bytes,
    /// End times.
    Ends,
    /// Destination ports.
    Ports,
    /// Layer-7 protocols.
    Services,
}
