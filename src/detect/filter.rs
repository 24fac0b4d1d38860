//! The predicate that selects the flows behind a finding, as an SQL condition over the canonical
//! columns.

use crate::detect::log::Log;

/// Conditions on the endpoints of flows; an empty list sets no condition.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The initiator.
    pub source: Option<u64>,
    /// The responders.
    pub dests: Vec<u64>,
    /// The responder's ports, or that there is none.
    pub ports: Vec<Option<u16>>,
    /// The protocols.
    pub protocols: Vec<Option<u32>>,
    /// Whether records may have exchanged endpoints.
    pub exchanged: bool,
}

impl Filter {
    /// The condition.
    pub fn text(&self, log: &Log) -> String {
        let forward = self.one_way(log, ["src_ip", "dst_ip", "dst_port"]);
        if !self.exchanged {
            return forward;
        }
        let backward = self.one_way(log, ["dst_ip", "src_ip", "src_port"]);
        format!("({forward}) OR ({backward})")
    }

    fn one_way(&self, log: &Log, [source, dest, port]: [&str; 3]) -> String {
        let address = |rank: u64| log.ip(rank).map(|ip| quoted(&ip.to_string()));
        let protocol = |id: Option<u32>| log.protocol(id).map(quoted);
        let mut parts = Vec::new();
        if let Some(rank) = self.source {
            parts.push(one_of(source, &[address(rank)]));
        }
        if !self.dests.is_empty() {
            let dests: Vec<_> = self.dests.iter().map(|rank| address(*rank)).collect();
            parts.push(one_of(dest, &dests));
        }
        if !self.ports.is_empty() {
            let number = |number: &Option<u16>| number.map(|number| number.to_string());
            let numbers: Vec<_> = self.ports.iter().map(number).collect();
            parts.push(one_of(port, &numbers));
        }
        if !self.protocols.is_empty() {
            let protocols: Vec<_> = self.protocols.iter().map(|id| protocol(*id)).collect();
            parts.push(one_of("protocol", &protocols));
        }
        parts.join(" AND ")
    }
}

/// A string as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The condition that a column has one of some values, given as literals.
fn one_of(column: &str, values: &[Option<String>]) -> String {
    let known: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
    let is_null = known.len() < values.len();
    let equal = match known.as_slice() {
        [] => return format!("{column} IS NULL"),
        [one] => format!("{column} = {one}"),
        several => format!("{column} IN ({})", several.join(", ")),
    };
    if is_null {
        format!("({equal} OR {column} IS NULL)")
    } else {
        equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_quoted() {
        let text = Some(quoted("t'cp"));
        assert_eq!(
            one_of("protocol", std::slice::from_ref(&text)),
            "protocol = 't''cp'"
        );
        assert_eq!(
            one_of("protocol", &[text, None]),
            "(protocol = 't''cp' OR protocol IS NULL)"
        );
        assert_eq!(one_of("dst_port", &[None]), "dst_port IS NULL");
        let two = ["1", "2"].map(|text| Some(text.to_owned()));
        assert_eq!(one_of("dst_port", &two), "dst_port IN (1, 2)");
    }
}
