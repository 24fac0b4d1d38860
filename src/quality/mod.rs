//! How far flows can be trusted, as their own rows tell, in memory that does not grow with them.

mod distinct;
mod gaps;
mod sample;

use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, Int64Array, TimestampMicrosecondArray};

use crate::columns::cast::int64;
use crate::columns::parallel::by_row;
use crate::columns::text::Text;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::ip::column::Addresses;
use crate::quality::distinct::Distinct;
use crate::quality::gaps::Busy;
use crate::quality::sample::Sample;
use crate::records::compare::{Observation, count};

const COUNTERS: [&str; 6] = [
    "src_bytes",
    "dst_bytes",
    "src_packets",
    "dst_packets",
    "flows",
    "denied_flows",
];

/// What was found in all rows. Counts are exact unless `about` is set.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Number of rows.
    pub rows: u64,
    /// Rows without a value, by column of the canonical schema.
    pub nulls: Vec<(String, u64)>,
    /// First start of a flow, in microseconds.
    pub first: Option<i64>,
    /// Last start or end.
    pub last: Option<i64>,
    /// The longest time that one record sums up.
    pub longest_record: Option<i64>,
    /// Stretches without the start of a flow.
    pub gaps: u64,
    /// The longest of them.
    pub longest_gap: Option<(i64, i64)>,
    /// Rows that are the same as an earlier one.
    pub repeats: u64,
    /// Machines that reported flows.
    pub reporters: u64,
    /// Rows about flows that another machine reported too.
    pub reported_again: u64,
    /// Rows that tell an earlier state of a flow.
    pub earlier_states: u64,
    /// Rows with packets or bytes in one direction only.
    pub one_way: u64,
    /// Rows whose reported direction is against what their addresses tell.
    pub contradictions: u64,
    /// Rows whose counters have 32 bits and ran full.
    pub rollovers: u64,
    /// Counts that were estimated from a sample, since there were too many rows.
    pub about: Vec<&'static str>,
}

/// Looks at flows, a batch at a time.
pub struct Quality {
    rules: DirectionRules,
    found: Findings,
    nulls: Vec<u64>,
    busy: Busy,
    rows: Distinct,
    hosts: Distinct,
    records: Option<Sample>,
}

impl Quality {
    /// A look at nothing yet; `compare` tells whether records of one flow are sought, too.
    pub fn new(rules: DirectionRules, compare: bool) -> Self {
        Self {
            rules,
            found: Findings::default(),
            nulls: vec![0; CANONICAL.fields().len()],
            busy: Busy::default(),
            rows: Distinct::default(),
            hosts: Distinct::default(),
            records: compare.then(Sample::default),
        }
    }

    /// Looks at a batch.
    pub fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let columns = Columns::read(batch)?;
        for (nulls, field) in self.nulls.iter_mut().zip(CANONICAL.fields()) {
            let column = batch.column(field.name());
            *nulls += column.map_or(batch.rows(), Array::logical_null_count) as u64;
        }
        self.look_at_times(&columns);
        for hash in by_row(batch.rows(), |row| columns.hash(row)) {
            self.rows.add(hash);
        }
        for hash in columns
            .host
            .map(|host| host.map(hash_of))
            .into_iter()
            .flatten()
        {
            self.hosts.add(hash);
        }
        if let Some(records) = &mut self.records {
            let first = self.found.rows;
            let seen = by_row(batch.rows(), |row| columns.seen(row, first));
            seen.into_iter()
                .flatten()
                .for_each(|seen| records.add(seen));
        }
        let reported = columns.reported.map(|text| text.and_then(Direction::parse));
        for (row, reported) in reported.into_iter().enumerate() {
            self.found.one_way += u64::from(columns.sent(0, row) != columns.sent(1, row));
            self.found.rollovers += u64::from((0..2).any(|side| columns.ran_full(side, row)));
            let ends = [&columns.source, &columns.dest].map(|end| end.get(row).get());
            let against = reported.is_some_and(|told| self.rules.contradict(ends, told));
            self.found.contradictions += u64::from(against);
        }
        self.found.rows += batch.rows() as u64;
        Ok(())
    }

    fn look_at_times(&mut self, columns: &Columns) {
        let times = |times: &Option<TimestampMicrosecondArray>| -> Vec<i64> {
            times.iter().flatten().flatten().collect()
        };
        let (starts, ends) = (times(&columns.starts), times(&columns.ends));
        let first = starts.iter().min().copied();
        self.found.first = self.found.first.into_iter().chain(first).min();
        let last = starts.iter().chain(&ends).max().copied();
        self.found.last = self.found.last.max(last);
        if let (Some(starts), Some(ends)) = (&columns.starts, &columns.ends) {
            let lengths = starts.iter().zip(ends.iter());
            let longest = lengths.filter_map(|(start, end)| Some(end?.saturating_sub(start?)));
            self.found.longest_record = self.found.longest_record.max(longest.max());
        }
        self.busy.add(starts);
    }

    /// What was found.
    pub fn finish(mut self) -> Findings {
        let names = CANONICAL.fields().iter().map(|field| field.name().clone());
        self.found.nulls = names.zip(self.nulls).collect();
        let record = self.found.longest_record.unwrap_or_default();
        (self.found.gaps, self.found.longest_gap) = self.busy.gaps(record);
        self.found.repeats = self.rows.again();
        if self.rows.is_sampled() {
            self.found.about.push("repeats");
        }
        self.found.reporters = self.hosts.count();
        if let Some(records) = self.records {
            let several = self.found.reporters > 1;
            if records.is_sampled() {
                self.found.about.push("earlier_states");
                self.found.about.extend(several.then_some("reported_again"));
            }
            (self.found.reported_again, self.found.earlier_states) = records.count(several);
        }
        self.found
    }
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The columns that tell a row from others.
struct Columns {
    starts: Option<TimestampMicrosecondArray>,
    ends: Option<TimestampMicrosecondArray>,
    source: Addresses,
    dest: Addresses,
    ports: [Option<Int64Array>; 2],
    counters: [Option<Int64Array>; 6],
    protocol: Text,
    reported: Text,
    state: Text,
    host: Text,
}

impl Columns {
    fn read(batch: &FlowBatch) -> Result<Self> {
        let number = |name: &str| {
            let column = batch.column(name);
            column.map(|array| int64(name, array)).transpose()
        };
        let mut counters = [const { None }; 6];
        for (counter, name) in counters.iter_mut().zip(COUNTERS) {
            *counter = number(name)?;
        }
        let times = batch.measures()?;
        Ok(Self {
            starts: times.first,
            ends: times.last,
            source: batch.addresses("src_ip")?,
            dest: batch.addresses("dst_ip")?,
            ports: [number("src_port")?, number("dst_port")?],
            counters,
            protocol: batch.text("protocol")?,
            reported: batch.text("reported_direction")?,
            state: batch.text("state")?,
            host: batch.text("host")?,
        })
    }

    /// Hash of all that makes a row the same as another.
    fn hash(&self, row: usize) -> u64 {
        let counters = self.counters.each_ref();
        let counters = counters.map(|counts| number(counts.as_ref(), row));
        hash_of((
            time(self.starts.as_ref(), row),
            time(self.ends.as_ref(), row),
            self.tuple(row),
            counters,
            self.state.get(row),
            self.host.get(row),
        ))
    }

    /// Hash of the tuple of a row.
    fn tuple(&self, row: usize) -> u64 {
        let [src_port, dst_port] = self.ports.each_ref();
        hash_of((
            self.source.get(row).get(),
            self.dest.get(row).get(),
            number(src_port.as_ref(), row),
            number(dst_port.as_ref(), row),
            self.protocol.get(row),
        ))
    }

    /// A row with its flow, as it is compared with others.
    fn seen(&self, row: usize, first: u64) -> Option<(u64, Observation)> {
        self.source.get(row).get()?;
        self.dest.get(row).get()?;
        let start = time(self.starts.as_ref(), row)?;
        let refused = count(self.counters[5].as_ref(), row) > 0;
        let sent = count(self.counters[0].as_ref(), row);
        let seen = Observation {
            host: self.host.get(row).map_or(0, hash_of),
            start,
            end: time(self.ends.as_ref(), row).unwrap_or(start).max(start),
            bytes: sent.saturating_add(count(self.counters[1].as_ref(), row)),
            row: first + row as u64,
        };
        Some((hash_of((self.tuple(row), refused)), seen))
    }

    /// Whether an end sent anything.
    fn sent(&self, side: usize, row: usize) -> bool {
        [side, side + 2]
            .into_iter()
            .any(|place| count(self.counters[place].as_ref(), row) > 0)
    }

    /// Whether a counter of an end stands at the most that 32 bits hold, or began again from 0:
    /// then its packets have fewer bytes than their headers, and a possible number with 2^32 more.
    fn ran_full(&self, side: usize, row: usize) -> bool {
        const MOST: i64 = u32::MAX as i64;
        const HEADER: i64 = 20;
        const PACKET: i64 = 65_535;
        let [bytes, packets] =
            [side, side + 2].map(|place| number(self.counters[place].as_ref(), row));
        if bytes == Some(MOST) || packets == Some(MOST) {
            return true;
        }
        let (Some(bytes), Some(packets)) = (bytes, packets) else {
            return false;
        };
        bytes < packets.saturating_mul(HEADER)
            && bytes.saturating_add(MOST) < packets.saturating_mul(PACKET)
    }
}

fn number(numbers: Option<&Int64Array>, row: usize) -> Option<i64> {
    numbers
        .filter(|numbers| numbers.is_valid(row))
        .map(|numbers| numbers.value(row))
}

fn time(times: Option<&TimestampMicrosecondArray>, row: usize) -> Option<i64> {
    times
        .filter(|times| times.is_valid(row))
        .map(|times| times.value(row))
}
