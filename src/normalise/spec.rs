//! How the columns of a log become those of the canonical schema.

use arrow::array::timezone::Tz;

/// The declaration of a format, with its columns found in the log at hand.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Texts that mean a missing value.
    pub nulls: Vec<String>,
    /// Where the two ends of a flow stand; the first that is filled counts.
    pub endpoints: Vec<Endpoints>,
    /// The other columns.
    pub fields: Vec<Field>,
    /// Conditions that a record of a flow meets, or leaves open; others are no flows.
    pub keep: Vec<Condition>,
    /// Condition of records whose second end began the flow.
    pub reversed: Vec<Condition>,
    /// Zone of times that are written without one.
    pub zone: Tz,
}

/// A column must hold one of these values; empty text stands for a missing one.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The values.
    pub values: Vec<String>,
}

/// Where the two ends of a flow stand.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Column of the source, or of several.
    pub source: String,
    /// Column of the destination, or of several.
    pub dest: String,
    /// Where the source is the observed machine and the destination its peer: column of the
    /// direction, seen from that machine.
    pub direction: Option<String>,
    /// Column of all the peers of a record that was expanded into one row for each.
    pub among: Option<String>,
}

/// One column of the canonical schema.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub target: String,
    /// How it comes about.
    pub kind: Kind,
    /// The columns it comes from.
    pub columns: Vec<String>,
    /// Texts that mean a missing value here.
    pub nulls: Vec<String>,
    /// Texts that stand for others.
    pub values: Vec<(String, String)>,
    /// Conditions without which a count is 0.
    pub when: Vec<Condition>,
}

/// How a column of the canonical schema comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A point in time: ISO 8601, or a number since 1970.
    Time(Unit),
    /// A time after `start_time`.
    Duration(Unit),
    /// A port.
    Port,
    /// A port, or type and code of ICMP with a point between.
    PortOrIcmp,
    /// The sum of columns of whole numbers.
    Count,
    /// The first column less the second.
    Difference,
    /// A number.
    Number,
    /// The first text among columns.
    Text,
    /// The first text after a direction where that is inbound, else the second; the other where
    /// that is missing.
    Observer,
    /// An IANA protocol: number, keyword or first letter.
    Protocol,
    /// A direction: letter or word.
    Direction,
    /// TCP flags: letters, or a number.
    Flags,
    /// TCP flags: letters, or a hexadecimal number.
    HexFlags,
    /// The same number for every record.
    Constant(i64),
}

/// Unit of a number that is a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

impl Unit {
    /// Microseconds in one.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000,
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1,
        }
    }
}

impl Spec {
    /// The columns of the log that are read.
    pub fn columns(&self) -> Vec<&str> {
        let ends = self.endpoints.iter().flat_map(|ends| {
            let further = ends.direction.iter().chain(&ends.among);
            [&ends.source, &ends.dest].into_iter().chain(further)
        });
        let fields = self.fields.iter().flat_map(|field| {
            let when = field.when.iter().map(|condition| &condition.column);
            field.columns.iter().chain(when)
        });
        let conditions = self.keep.iter().chain(&self.reversed).map(|c| &c.column);
        let mut names: Vec<&str> = ends
            .chain(fields)
            .chain(conditions)
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
