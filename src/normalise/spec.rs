//! How the columns of a log become those of the canonical schema.

/// The declaration of a format, with its columns found in the log at hand.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Texts that mean a missing value.
    pub nulls: Vec<String>,
    /// Where the two ends of a flow stand; the first that is filled counts.
    pub endpoints: Vec<Endpoints>,
    /// The other columns.
    pub fields: Vec<Field>,
    /// Columns whose value, where there is one, must be among these; else it is no flow.
    pub keep: Vec<(String, Vec<String>)>,
}

/// Where the two ends of a flow stand.
#[derive(Clone, Debug)]
pub enum Endpoints {
    /// In a column each.
    Pair {
        /// Column of the source.
        source: String,
        /// Column of the destination, or of several.
        dest: String,
    },
    /// The observed machine in one column and its peers in another; a third tells who began.
    Oriented {
        /// Column of the observed machine.
        local: String,
        /// Column of its peers.
        peers: String,
        /// Column of the direction, seen from the observed machine.
        direction: String,
    },
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
    /// The sum of columns of whole numbers.
    Count,
    /// Text as it is.
    Text,
    /// An IANA protocol: number, keyword or first letter.
    Protocol,
    /// A direction: letter or word.
    Direction,
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
    /// Digits after the point of a second.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000,
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1,
        }
    }
}
