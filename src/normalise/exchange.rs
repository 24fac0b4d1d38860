//! Flows that their second endpoint initiated, and the exchange of their endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, UInt16Array, new_null_array,
};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, UInt16Type};

use crate::columns::cast::checked_cast;
use crate::direction::rules::{DEFAULT_INTERNAL, Direction, DirectionRules};
use crate::error::Result;
use crate::flow::initiator::ExchangeReason::{
    self, Address, Exporter, IcmpType, Logged, Ports, TcpFlags,
};
use crate::flow::initiator::addresses::{Broadcasts, is_unspecified, may_be_broadcast, may_tell};
use crate::flow::initiator::tcp::{self, Opening};
use crate::flow::initiator::{icmp, ports};
use crate::flow::tcp_flags;
use crate::ip::Ip;
use crate::normalise::columns::{CanonicalColumns, position};
use crate::normalise::endpoints::{End, Ends};
use crate::normalise::flow_rows::{counts, set, value};
use crate::normalise::log::Log;
use crate::normalise::spec::{Condition, Kind, Spec};
use crate::normalise::values::{Cells, Conditions};

/// Columns of the two endpoints.
pub(super) const SIDES: [(&str, &str); 5] = [
    ("src_ip", "dst_ip"),
    ("src_port", "dst_port"),
    ("src_bytes", "dst_bytes"),
    ("src_packets", "dst_packets"),
    ("src_payload_bytes", "dst_payload_bytes"),
];

/// Columns of directions as seen from the source.
pub(super) const DIRECTIONS: [&str; 2] = ["reported_direction", "direction"];

/// Records with a count of both endpoints, by the column that has it.
pub type Totals<'a> = BTreeMap<&'a str, BTreeSet<usize>>;

/// Flows whose endpoints are to be exchanged, with the reasons.
pub struct Exchanged(Vec<(usize, ExchangeReason)>);

/// Find the flows that their second endpoint initiated, by their addresses alone.
pub fn find_by_addresses(columns: &CanonicalColumns<'_>, ends: &Ends) -> Exchanged {
    static DEFAULT: LazyLock<Broadcasts> = LazyLock::new(|| Broadcasts::of(DEFAULT_INTERNAL));
    let columns = FlowColumns::of(columns);
    let flows = ends.flows.iter().enumerate();
    let by_dest = |(row, end)| by_addresses(&DEFAULT, &columns, row, end) == Some(false);
    let found = flows.filter(|flow| by_dest(*flow));
    Exchanged(found.map(|(row, _)| (row, Address)).collect())
}

/// Find the flows that their second endpoint initiated.
pub fn find(
    log: &Log<'_>,
    spec: &Spec,
    columns: &CanonicalColumns<'_>,
    ends: &Ends,
) -> Result<Exchanged> {
    let evidence = LoggedEvidence::find(log, spec)?;
    let columns = FlowColumns::of(columns);
    let flows = ends.flows.iter().enumerate();
    let only_addresses = evidence.is_none();
    let found = flows.filter_map(|(row, end)| {
        if only_addresses && !may_tell(end.source, end.dest) {
            return None;
        }
        let (by_source, reason) = evidence.initiator(&columns, row, end)?;
        (!by_source).then_some((row, reason))
    });
    Ok(Exchanged(found.collect()))
}

impl Exchanged {
    /// Number of flows.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Number of flows by reason.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (_, reason) in &self.0 {
            *counts.entry(reason.name()).or_default() += 1;
        }
        counts
    }

    /// Exchange addresses, ports and counters, and reverse the direction. Totals stay.
    pub fn apply(
        &self,
        columns: &mut CanonicalColumns<'_>,
        ends: &Ends,
        totals: &Totals<'_>,
    ) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let marked = self.marked(ends, &BTreeSet::new());
        for (one, other) in SIDES {
            let (Some(first), Some(second)) =
                (side(columns, one, other), side(columns, other, one))
            else {
                continue;
            };
            let of_both = totals.get(one).filter(|records| !records.is_empty());
            let marked =
                of_both.map_or_else(|| marked.clone(), |of_both| self.marked(ends, of_both));
            set(columns, one, zip(&marked, &second, &first)?);
            set(columns, other, zip(&marked, &first, &second)?);
        }
        for name in DIRECTIONS {
            if let Some(index) = position(columns, name) {
                let logged = checked_cast(name, &columns[index].1, &DataType::Utf8)?;
                columns[index].1 = Arc::new(self.reversed(logged.as_string::<i32>(), ends));
            }
        }
        Ok(())
    }

    fn marked(&self, ends: &Ends, except: &BTreeSet<usize>) -> BooleanArray {
        let mut marked = vec![false; ends.flows.len()];
        for (row, _) in &self.0 {
            marked[*row] = !except.contains(&(ends.flows[*row].record as usize));
        }
        BooleanArray::from(marked)
    }

    /// Reverse the directions of the exchanged flows, except for those that already were those of
    /// the initiator: the log states it, or they contradicted the endpoints as logged.
    fn reversed(&self, logged: &StringArray, ends: &Ends) -> StringArray {
        static RULES: LazyLock<DirectionRules> = LazyLock::new(DirectionRules::default);
        let mut words: Vec<Option<&str>> = logged.iter().collect();
        for (row, reason) in &self.0 {
            let End { source, dest, .. } = ends.flows[*row];
            let direction = words[*row].and_then(Direction::parse);
            if let Some(direction) = direction.filter(|direction| {
                !matches!(reason, Exporter | Logged)
                    && !RULES.contradict([Some(source), Some(dest)], *direction)
            }) {
                words[*row] = Some(direction.reversed().word());
            }
        }
        StringArray::from(words)
    }
}

/// The column of an endpoint; nulls if only the other endpoint has one.
fn side(columns: &CanonicalColumns<'_>, name: &str, other: &str) -> Option<ArrayRef> {
    let column = |index: usize| &columns[index].1;
    let nulls = |array: &ArrayRef| new_null_array(array.data_type(), array.len());
    match position(columns, name) {
        Some(index) => Some(Arc::clone(column(index))),
        None => position(columns, other).map(column).map(nulls),
    }
}

/// Columns of the log that show who initiated a flow.
struct LoggedEvidence<'a> {
    broadcasts: Broadcasts,
    reversed: Option<Conditions<'a>>,
    unassigned: Option<Conditions<'a>>,
    history: Option<Cells<'a>>,
    flags: Option<[Cells<'a>; 2]>,
    icmp: Option<Cells<'a>>,
    /// Whether the destination port is the type and code of an ICMP message.
    icmp_in_port: bool,
    /// Whether the ports are the ICMP types of both endpoints.
    icmp_ports: bool,
    exporter: Option<([Cells<'a>; 2], Conditions<'a>)>,
}

impl<'a> LoggedEvidence<'a> {
    fn find(log: &'a Log<'_>, spec: &'a Spec) -> Result<Self> {
        let declared = &spec.initiator;
        let cells = |name: &String| Cells::find(log, name, &spec.nulls);
        let conditions = |wanted: &'a Vec<Condition>| Conditions::find(log, wanted, &spec.nulls);
        let some = |wanted: &'a Vec<Condition>| {
            let wanted = (!wanted.is_empty()).then_some(wanted);
            wanted.map(conditions).transpose()
        };
        let pair = |(one, other): &(String, String)| -> Result<[Cells<'a>; 2]> {
            Ok([cells(one)?, cells(other)?])
        };
        let exporter = declared.exporter.as_ref().map(pair).transpose()?;
        Ok(Self {
            broadcasts: if declared.networks.is_empty() {
                Broadcasts::of(DEFAULT_INTERNAL)
            } else {
                Broadcasts::of(&declared.networks)
            },
            reversed: some(&declared.reversed)?,
            unassigned: some(&declared.unassigned)?,
            history: declared.history.as_ref().map(cells).transpose()?,
            flags: declared.flags.as_ref().map(pair).transpose()?,
            icmp: declared.icmp.as_ref().map(cells).transpose()?,
            icmp_in_port: spec
                .fields
                .iter()
                .any(|field| field.target == "dst_port" && field.kind == Kind::PortOrIcmp),
            icmp_ports: declared.icmp_ports,
            exporter: match exporter {
                Some(columns) => Some((columns, conditions(&declared.at_endpoint)?)),
                None => None,
            },
        })
    }

    /// Whether the log declares no evidence, so that only addresses tell.
    const fn is_none(&self) -> bool {
        let declared = self.reversed.is_some()
            || self.unassigned.is_some()
            || self.history.is_some()
            || self.flags.is_some()
            || self.icmp.is_some()
            || self.exporter.is_some();
        !declared && !self.icmp_in_port && !self.icmp_ports
    }

    /// Whether the source initiated the flow, by the first evidence that decides.
    fn initiator(
        &self,
        columns: &FlowColumns<'_>,
        row: usize,
        end: &End,
    ) -> Option<(bool, ExchangeReason)> {
        let record = end.record as usize;
        let by = |reason| move |by_source| (by_source, reason);
        by_addresses(&self.broadcasts, columns, row, end)
            .map(by(Address))
            .or_else(|| self.by_log(record).map(by(Logged)))
            .or_else(|| self.by_exporter(record, end).map(by(Exporter)))
            .or_else(|| self.by_icmp(columns, row, end).map(by(IcmpType)))
            .or_else(|| self.by_opening(columns, row, record))
    }

    fn by_log(&self, record: usize) -> Option<bool> {
        self.reversed.as_ref()?.met(record).then_some(false)
    }

    /// An exporter that is one of the endpoints is the source of outbound flows, and the
    /// destination of inbound ones.
    fn by_exporter(&self, record: usize, end: &End) -> Option<bool> {
        let ([address, direction], at_endpoint) = self.exporter.as_ref()?;
        let own = Ip::parse(&address.get(record)?)?;
        if end.source == end.dest || !at_endpoint.met(record) {
            return None;
        }
        let is_source = match own {
            _ if own == end.source => true,
            _ if own == end.dest => false,
            _ => return None,
        };
        match Direction::parse(&direction.get(record)?)? {
            Direction::Outbound => Some(is_source),
            Direction::Inbound => Some(!is_source),
            _ => None,
        }
    }

    fn by_icmp(&self, columns: &FlowColumns<'_>, row: usize, end: &End) -> Option<bool> {
        let is_v4 = end.source.v4().is_some();
        let by_type = |kind| icmp::by_type(is_v4, kind);
        if let Some(kind) = self
            .icmp
            .as_ref()
            .and_then(|cells| cells.get(end.record as usize))
        {
            return kind.parse().map_or_else(|_| icmp::by_name(&kind), by_type);
        }
        let [source, dest] = columns.ports(row);
        let by_source = match (source, dest) {
            (None | Some(0), Some(dest)) if self.icmp_in_port => by_type((dest >> 8) as u8),
            (Some(source), Some(dest)) if self.icmp_ports => icmp::by_types(is_v4, [source, dest]),
            _ => None,
        };
        by_source.filter(|_| columns.protocol(row).is_some_and(icmp::is_icmp))
    }

    /// TCP flags decide; if they show that the start was not seen, ports.
    fn by_opening(
        &self,
        columns: &FlowColumns<'_>,
        row: usize,
        record: usize,
    ) -> Option<(bool, ExchangeReason)> {
        match self.opening(columns, row, record)? {
            Opening::BySource | Opening::Assigned => Some((true, TcpFlags)),
            Opening::ByDest => Some((false, TcpFlags)),
            Opening::Unseen => {
                let [source, dest] = columns.ports(row);
                let by_source = ports::initiated(source, dest)?;
                let has_ports = !columns.protocol(row).is_some_and(icmp::is_icmp);
                has_ports.then_some((by_source, Ports))
            }
        }
    }

    fn opening(&self, columns: &FlowColumns<'_>, row: usize, record: usize) -> Option<Opening> {
        let history = self.history.as_ref().and_then(|cells| cells.get(record));
        if let Some(history) = history {
            let opening = tcp::by_history(&history);
            let is_tcp = opening != Opening::Unseen || columns.protocol(row) == Some("tcp");
            return is_tcp.then_some(opening);
        }
        let flags = |cells: &Cells<'_>| tcp_flags::parse(&cells.get(record)?, 16);
        let flags = self.flags.as_ref().map(|cells| cells.each_ref().map(flags));
        if let Some([Some(source), Some(dest)]) = flags {
            return Some(tcp::by_flags(source, dest, columns.is_one_packet(row)));
        }
        let unassigned = self.unassigned.as_ref()?.met(record);
        unassigned.then_some(Opening::Unseen)
    }
}

fn by_addresses(
    broadcasts: &Broadcasts,
    columns: &FlowColumns<'_>,
    row: usize,
    end: &End,
) -> Option<bool> {
    let End { source, dest, .. } = *end;
    if let Some(by_source) = broadcasts.initiated(source, dest) {
        return Some(by_source);
    }
    let only_dest_sent = is_unspecified(dest) && !is_unspecified(source)
        || may_be_broadcast(source, dest)
            && columns.is_silent(row)
            && columns.protocol(row) != Some("tcp");
    (only_dest_sent && columns.sent(1, row)).then_some(false)
}

/// Canonical columns of the flows; in pairs, that of the source comes first.
struct FlowColumns<'a> {
    ports: [Option<&'a UInt16Array>; 2],
    packets: [Option<&'a Int64Array>; 2],
    bytes: [Option<&'a Int64Array>; 2],
    protocol: Option<&'a StringArray>,
}

impl<'a> FlowColumns<'a> {
    fn of(columns: &'a CanonicalColumns<'_>) -> Self {
        let column = |name| position(columns, name).map(|index| &columns[index].1);
        Self {
            ports: ["src_port", "dst_port"].map(|name| {
                column(name).and_then(|column| column.as_primitive_opt::<UInt16Type>())
            }),
            packets: ["src_packets", "dst_packets"].map(|name| counts(columns, name)),
            bytes: ["src_bytes", "dst_bytes"].map(|name| counts(columns, name)),
            protocol: column("protocol").and_then(|column| column.as_string_opt()),
        }
    }

    #[inline]
    fn ports(&self, row: usize) -> [Option<u16>; 2] {
        self.ports.map(|ports| {
            ports
                .filter(|ports| ports.is_valid(row))
                .map(|ports| ports.value(row))
        })
    }

    fn protocol(&self, row: usize) -> Option<&'a str> {
        let protocol = self.protocol?;
        protocol.is_valid(row).then(|| protocol.value(row))
    }

    fn counters(&self, side: usize, row: usize) -> impl Iterator<Item = i64> {
        let counters = [self.packets[side], self.bytes[side]];
        counters
            .into_iter()
            .filter_map(move |counts| value(counts, row))
    }

    /// Whether an endpoint sent anything.
    fn sent(&self, side: usize, row: usize) -> bool {
        self.counters(side, row).any(|count| count > 0)
    }

    /// Whether the source sent one packet.
    fn is_one_packet(&self, row: usize) -> bool {
        value(self.packets[0], row) == Some(1)
    }

    /// Whether the source is known to have sent nothing.
    fn is_silent(&self, row: usize) -> bool {
        self.counters(0, row).next().is_some() && !self.sent(0, row)
    }
}
