//! What the rows of flows show.

/// Findings over all rows. Counts are exact unless listed in `estimated`.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Number of rows.
    pub rows: u64,
    /// Allowed flows that they stand for.
    pub flows: i128,
    /// Denied flows.
    pub denied_flows: i128,
    /// Number of null values, by column of the canonical schema.
    pub nulls: Vec<(String, u64)>,
    /// First start of a flow, in microseconds since 1970.
    pub first: Option<i64>,
    /// Last start or end.
    pub last: Option<i64>,
    /// Maximum duration of a record, in microseconds.
    pub max_record_duration: Option<i64>,
    /// Records that last more than a year.
    pub long_records: u64,
    /// Number of coverage gaps.
    pub gaps: u64,
    /// Start and end of the longest gap.
    pub longest_gap: Option<(i64, i64)>,
    /// Starts far from all others.
    pub time_outliers: u64,
    /// Rows that repeat an earlier one.
    pub repeats: u64,
    /// Number of exporters.
    pub exporters: u64,
    /// Duplicate observations: rows about flows that another exporter reported too.
    pub duplicates: u64,
    /// Superseded records of flows.
    pub superseded: u64,
    /// Rows with packets or bytes in one direction only.
    pub unidirectional: u64,
    /// Rows with bytes, except those of ICMP, whose answers have the size of their requests.
    pub counted: u64,
    /// Of these, rows with the same bytes and packets in both directions.
    pub equal_sides: u64,
    /// TCP rows in which only the responder sent packets.
    pub uncounted_initiators: u64,
    /// Rows in which an endpoint sent packets of 0 bytes.
    pub packets_without_bytes: u64,
    /// Rows in which an endpoint sent bytes in 0 packets.
    pub bytes_without_packets: u64,
    /// Rows whose logged direction contradicts their addresses.
    pub direction_conflicts: u64,
    /// Rows with a 32-bit counter that overflowed.
    pub counter_overflows: u64,
    /// Names of the counts that were estimated from a sample to bound memory.
    pub estimated: Vec<&'static str>,
}

impl Findings {
    /// Add the counts and times of other rows.
    pub fn add(&mut self, other: &Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.max_record_duration = self.max_record_duration.max(other.max_record_duration);
        self.flows += other.flows;
        self.denied_flows += other.denied_flows;
        self.long_records += other.long_records;
        self.unidirectional += other.unidirectional;
        self.counted += other.counted;
        self.equal_sides += other.equal_sides;
        self.uncounted_initiators += other.uncounted_initiators;
        self.packets_without_bytes += other.packets_without_bytes;
        self.bytes_without_packets += other.bytes_without_packets;
        self.direction_conflicts += other.direction_conflicts;
        self.counter_overflows += other.counter_overflows;
    }
}
