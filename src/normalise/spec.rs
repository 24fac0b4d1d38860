//! Specification: how columns of a log map to the canonical schema.

use arrow::array::timezone::Tz;

use crate::normalise::hosts::Hosts;
use crate::normalise::times::DateOrder;

/// Declaration of a format, bound to the columns of a log.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Strings that mean a missing value.
    pub nulls: Vec<String>,
    /// Columns of the endpoints; the first that are not empty are read.
    pub endpoints: Vec<Endpoints>,
    /// The other columns.
    pub fields: Vec<Field>,
    /// Conditions of flow records; a missing value meets them.
    pub keep: Vec<Condition>,
    /// Conditions of records that are no flows.
    pub skip: Vec<Condition>,
    /// All words with a meaning in the columns that state whether a flow was allowed.
    pub actions: Vec<Condition>,
    /// Columns that show who initiated a flow.
    pub initiator: Initiator,
    /// Pairs of columns with the address of an endpoint, and that in the packet.
    pub translated: Vec<(String, String)>,
    /// Time zone of times without one.
    pub zone: Tz,
    /// Order of day and month in dates with the year last.
    pub date_order: Option<DateOrder>,
    /// Hosts whose flows are wanted; `None` for all flows.
    pub hosts: Option<Hosts>,
    /// Whether earlier dates of the log show this order, so that others can contradict it.
    pub date_order_shown: bool,
    /// The columns that projected flows have in any case; `None` for all canonical columns.
    /// Projected flows do not leave the core: addresses are numbers, repeated strings dictionaries,
    /// and columns without values absent.
    pub projected: Option<Vec<String>>,
}

/// Requires the first value among columns to be one of these, in upper or lower case; an empty
/// string stands for a missing one.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The columns.
    pub columns: Vec<String>,
    /// The values.
    pub values: Vec<String>,
}

/// Columns that show which endpoint of a record initiated the flow.
#[derive(Clone, Debug, Default)]
pub struct Initiator {
    /// Conditions of records whose second endpoint is the initiator.
    pub reversed: Vec<Condition>,
    /// Conditions of records whose endpoints the log could not assign; ports decide.
    pub unassigned: Vec<Condition>,
    /// Column of Zeek's history of the connection.
    pub history: Option<String>,
    /// Columns of the TCP flags that each endpoint sent, in hexadecimal.
    pub flags: Option<(String, String)>,
    /// Column of the ICMP type that the first endpoint sent.
    pub icmp: Option<String>,
    /// Whether the ports are the ICMP types of both endpoints.
    pub icmp_ports: bool,
    /// Columns of the exporter's address and of the direction as it sees it.
    pub exporter: Option<(String, String)>,
    /// Conditions of records whose exporter is one of the endpoints.
    pub at_endpoint: Vec<Condition>,
    /// Known networks, whose broadcast addresses only receive.
    pub networks: Vec<String>,
}

impl Initiator {
    fn columns(&self) -> impl Iterator<Item = &String> {
        let conditions = [&self.reversed, &self.unassigned, &self.at_endpoint];
        let conditions = conditions.into_iter().flatten();
        let pairs = self.flags.iter().chain(&self.exporter);
        (self.history.iter().chain(&self.icmp))
            .chain(pairs.flat_map(|(one, other)| [one, other]))
            .chain(conditions.flat_map(|condition| &condition.columns))
    }
}

/// Columns of the two endpoints of a flow.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Column of one or several sources.
    pub source: String,
    /// Column of one or several destinations.
    pub dest: String,
    /// Column of the direction as seen from the source, if the source is the observed host and
    /// the destination its peer.
    pub direction: Option<String>,
    /// Column of all peers of a record that was expanded into one row per peer.
    pub among: Option<String>,
    /// Whether a cell may hold several addresses.
    pub several: bool,
}

impl Endpoints {
    /// The columns of addresses.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        [&self.source, &self.dest].into_iter().chain(&self.among)
    }
}

/// Mapping to one column of the canonical schema. Of several for one column, each row has the
/// first value that is not null.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name of the canonical column.
    pub target: String,
    /// How the column is computed.
    pub kind: Kind,
    /// Source columns.
    pub columns: Vec<String>,
    /// Further strings that mean a missing value.
    pub nulls: Vec<String>,
    /// Strings that are replaced by others.
    pub values: Vec<(String, String)>,
    /// Conditions that must all hold; otherwise a count is 0.
    pub when: Vec<Condition>,
    /// Conditions of which at least one must hold, if there are any.
    pub when_any: Vec<Condition>,
    /// Conditions of which none may hold.
    pub unless: Vec<Condition>,
    /// Whether a later field is the alternative for null values of this one.
    pub has_alternative: bool,
    /// Whether no other field is for the same canonical column.
    pub is_sole: bool,
}

/// Numbers of a column of a text log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Integers that are not negative.
    Integer,
    /// Points in time.
    Time(Unit),
    /// Lengths of time.
    Duration(Unit),
}

impl Kind {
    /// What its columns hold, if these are numbers.
    const fn number(self) -> Option<Number> {
        match self {
            Self::Time(unit) => Some(Number::Time(unit)),
            Self::Duration(unit) => Some(Number::Duration(unit)),
            Self::Count | Self::Total | Self::Difference | Self::Port => Some(Number::Integer),
            _ => None,
        }
    }
}

/// How a column of the canonical schema is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A point in time: ISO 8601, or a number since 1970.
    Time(Unit),
    /// A time after `start_time`.
    Duration(Unit),
    /// A port.
    Port,
    /// A port, or ICMP type and code with a dot between.
    PortOrIcmp,
    /// A port, or the name of a service of the protocol in the second column.
    PortOrName,
    /// The sum of integer columns.
    Count,
    /// A count of both endpoints together, given as that of the source.
    Total,
    /// The first column minus the second.
    Difference,
    /// A number.
    Number,
    /// The first string among columns.
    Text,
    /// Given columns direction, destination and source: the destination if inbound, else the
    /// source; the other one if that is missing.
    Observer,
    /// An IANA protocol: number, keyword or first letter.
    Protocol,
    /// A direction, as a letter or word.
    Direction,
    /// TCP flags, as letters or a number.
    Flags,
    /// TCP flags, as letters or a hexadecimal number.
    HexFlags,
    /// The same number for every record.
    Constant(i64),
}

/// Unit of a time.
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
    /// Microseconds per unit.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000,
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1,
        }
    }
}

impl Spec {
    /// Whether the flows are projected.
    pub const fn is_projected(&self) -> bool {
        self.projected.is_some()
    }

    /// What the values of a column are, if all uses of it agree that they are numbers of one kind.
    pub fn number(&self, name: &str) -> Option<Number> {
        let is_named = |known: &String| known == name;
        if self.other_columns().any(is_named) {
            return None;
        }
        let fields = self
            .fields
            .iter()
            .filter(|field| field.columns.iter().any(is_named));
        let mut kinds = fields.clone().map(|field| field.kind.number());
        let number = kinds.next()??;
        let is_number = |null: &&String| null.bytes().any(|byte| byte.is_ascii_digit());
        let mut nulls = self
            .nulls
            .iter()
            .chain(fields.flat_map(|field| &field.nulls));
        let keeps_nulls = match number {
            Number::Integer => nulls.filter(is_number).all(|null| null == "0"),
            _ => !nulls.any(|null| is_number(&null)),
        };
        (keeps_nulls && kinds.all(|kind| kind == Some(number))).then_some(number)
    }

    /// Whether dates are noted because they may show the order of day and month, or contradict it.
    pub const fn notes_dates(&self) -> bool {
        self.date_order.is_none() || self.date_order_shown
    }

    /// Columns of the log that are read, sorted by name.
    pub fn columns(&self) -> Vec<&str> {
        let fields = self.fields.iter().flat_map(|field| &field.columns);
        let mut names: Vec<&str> = self
            .other_columns()
            .chain(fields)
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The columns of a log that are used for anything but the values of fields.
    fn other_columns(&self) -> impl Iterator<Item = &String> {
        let ends = self.endpoints.iter().flat_map(|ends| {
            let further = ends.direction.iter().chain(&ends.among);
            [&ends.source, &ends.dest].into_iter().chain(further)
        });
        let of_fields = self.fields.iter().flat_map(|field| {
            let conditions = field.when.iter().chain(&field.when_any);
            conditions.chain(&field.unless)
        });
        let conditions = [&self.keep, &self.skip, &self.actions];
        let conditions = conditions.into_iter().flatten().chain(of_fields);
        let pairs = self.translated.iter();
        ends.chain(conditions.flat_map(|condition| &condition.columns))
            .chain(self.initiator.columns())
            .chain(pairs.flat_map(|(own, packet)| [own, packet]))
    }
}
