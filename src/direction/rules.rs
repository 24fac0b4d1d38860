//! Rules for the direction of a flow.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::flow::initiator::addresses::Broadcasts;
use crate::ip::Ip;
use crate::ip::range_map::RangeMap;

/// Default internal prefixes: RFC 1918, RFC 4193, carrier-grade NAT and link-local.
pub const DEFAULT_INTERNAL: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// Direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From outside to the host or the internal network.
    Inbound,
    /// Between two internal addresses.
    Internal,
    /// From the host or the internal network to outside.
    Outbound,
    /// Unknown.
    Unknown,
    /// Between two external addresses.
    External,
}

impl Direction {
    /// All directions in the order of their letters.
    pub const ALL: [Self; 5] = [
        Self::Inbound,
        Self::Internal,
        Self::Outbound,
        Self::Unknown,
        Self::External,
    ];

    /// Letter used in the flow index.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Inbound => "I",
            Self::Internal => "L",
            Self::Outbound => "O",
            Self::Unknown => "U",
            Self::External => "X",
        }
    }

    /// Word used in the canonical schema.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Internal => "internal",
            Self::Outbound => "outbound",
            Self::Unknown => "unknown",
            Self::External => "external",
        }
    }

    /// The direction of the same flow if its other endpoint initiated it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Inbound => Self::Outbound,
            Self::Outbound => Self::Inbound,
            other => other,
        }
    }

    /// Parse a letter or a word, ignoring case.
    #[inline]
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [letter] => Self::BY_LETTER[*letter as usize],
            _ => Self::parse_word(text),
        }
    }

    const BY_LETTER: [Option<Self>; 256] = {
        let mut directions = [None; 256];
        let mut i = 0;
        while i < Self::ALL.len() {
            let letter = Self::ALL[i].letter().as_bytes()[0];
            directions[letter as usize] = Some(Self::ALL[i]);
            directions[letter.to_ascii_lowercase() as usize] = Some(Self::ALL[i]);
            i += 1;
        }
        directions
    };

    fn parse_word(text: &str) -> Option<Self> {
        let known = match text.as_bytes().first()?.to_ascii_lowercase() {
            b'i' if text.len() == Self::Internal.word().len() => Self::Internal,
            b'i' => Self::Inbound,
            b'o' => Self::Outbound,
            b'u' => Self::Unknown,
            _ => Self::External,
        };
        text.eq_ignore_ascii_case(known.word()).then_some(known)
    }
}

/// Reason for a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Logged by the source.
    Reported,
    /// An endpoint is the host under investigation.
    Host,
    /// Internal prefixes of the caller.
    InternalRanges,
    /// Default internal prefixes.
    PrivateAddress,
    /// Ports or TCP flags: the destination of a unidirectional record initiated the flow.
    PortsFlags,
    /// The source only receives, so the destination initiated the flow.
    Address,
    /// Unknown direction.
    None,
}

impl Reason {
    /// All reasons, indexed by discriminant.
    pub const ALL: [Self; 7] = [
        Self::Reported,
        Self::Host,
        Self::InternalRanges,
        Self::PrivateAddress,
        Self::PortsFlags,
        Self::Address,
        Self::None,
    ];

    /// Name of the reason.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Host => "host",
            Self::InternalRanges => "internal ranges",
            Self::PrivateAddress => "private address",
            Self::PortsFlags => "ports/flags",
            Self::Address => "destination-only address",
            Self::None => "none",
        }
    }
}

/// Rules for directions.
#[derive(Clone, Debug)]
pub struct DirectionRules {
    internal: RangeMap<()>,
    broadcasts: Broadcasts,
    by_ranges: Reason,
    host: HashSet<Ip>,
}

impl DirectionRules {
    /// Build rules from internal prefixes (`None`: the default ones) and host addresses.
    pub fn new<S: AsRef<str>>(internal: Option<&[S]>, host: &[S]) -> Result<Self> {
        let broadcasts = internal.map_or_else(|| Broadcasts::of(DEFAULT_INTERNAL), Broadcasts::of);
        let (internal, by_ranges) = match internal {
            Some([]) => {
                return Err(Error::Argument(
                    "internal is empty; give at least one network, or omit it for the default ones"
                        .into(),
                ));
            }
            Some(networks) => (RangeMap::from_prefixes(networks)?, Reason::InternalRanges),
            None => (
                RangeMap::from_prefixes(DEFAULT_INTERNAL)?,
                Reason::PrivateAddress,
            ),
        };
        let host = host
            .iter()
            .map(|text| {
                Ip::parse(text.as_ref()).ok_or_else(|| {
                    Error::Argument(format!(
                        "invalid host address {:?}; give IPv4 or IPv6",
                        text.as_ref()
                    ))
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            internal,
            broadcasts,
            by_ranges,
            host,
        })
    }

    /// Broadcast addresses of the internal prefixes.
    pub fn broadcasts(&self) -> &Broadcasts {
        &self.broadcasts
    }

    /// Whether an address is internal.
    pub fn is_internal(&self, ip: Ip) -> bool {
        self.internal.contains(ip)
    }

    /// Classify a flow from `source` to `dest`: by the logged direction, else by the host under
    /// investigation, else by the internal prefixes.
    pub fn classify(
        &self,
        source: Option<Ip>,
        dest: Option<Ip>,
        logged: Option<Direction>,
    ) -> (Direction, Reason) {
        if let Some(direction) = logged.filter(|d| *d != Direction::Unknown) {
            return (direction, Reason::Reported);
        }
        if !self.host.is_empty() {
            let is_host = |ip: Option<Ip>| ip.is_some_and(|ip| self.host.contains(&ip));
            match (is_host(source), is_host(dest)) {
                (true, true) => return (Direction::Internal, Reason::Host),
                (true, false) => return (Direction::Outbound, Reason::Host),
                (false, true) => return (Direction::Inbound, Reason::Host),
                (false, false) => {}
            }
        }
        match self.by_networks(source, dest) {
            Some(direction) => (direction, self.by_ranges),
            None => (Direction::Unknown, Reason::None),
        }
    }

    fn by_networks(&self, source: Option<Ip>, dest: Option<Ip>) -> Option<Direction> {
        let direction = match (
            self.internal.contains(source?),
            self.internal.contains(dest?),
        ) {
            (true, true) => Direction::Internal,
            (true, false) => Direction::Outbound,
            (false, true) => Direction::Inbound,
            (false, false) => Direction::External,
        };
        Some(direction)
    }

    /// Whether the internal prefixes contradict a logged direction: it is the opposite of theirs,
    /// or internal or external where they say otherwise. An internal exporter may log flows from
    /// another internal host as inbound.
    pub fn contradict(&self, [source, dest]: [Option<Ip>; 2], logged: Direction) -> bool {
        let expected = self.by_networks(source, dest);
        match logged {
            Direction::Unknown => false,
            Direction::Inbound | Direction::Outbound => expected == Some(logged.reversed()),
            Direction::Internal | Direction::External => {
                expected.is_some_and(|expected| expected != logged)
            }
        }
    }
}

impl Default for DirectionRules {
    fn default() -> Self {
        Self::new::<&str>(None, &[]).unwrap_or_else(|_| Self {
            internal: RangeMap::default(),
            broadcasts: Broadcasts::default(),
            by_ranges: Reason::None,
            host: HashSet::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_reasons_are_indexed_by_discriminant() {
        for (index, direction) in Direction::ALL.into_iter().enumerate() {
            assert_eq!(direction as usize, index);
        }
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    fn ip(text: &str) -> Option<Ip> {
        Ip::parse(text)
    }

    #[test]
    fn default_prefixes_give_the_four_directions() {
        let rules = DirectionRules::default();
        for (source, dest, expected) in [
            ("10.0.0.1", "8.8.8.8", Direction::Outbound),
            ("8.8.8.8", "10.0.0.1", Direction::Inbound),
            ("10.0.0.1", "192.168.0.1", Direction::Internal),
            ("8.8.8.8", "1.1.1.1", Direction::External),
            ("fd00::1", "2606:4700::1", Direction::Outbound),
            ("100.64.0.1", "8.8.8.8", Direction::Outbound),
        ] {
            assert_eq!(
                rules.classify(ip(source), ip(dest), None),
                (expected, Reason::PrivateAddress),
                "{source} {dest}"
            );
        }
        assert_eq!(
            rules.classify(ip("10.0.0.1"), None, None),
            (Direction::Unknown, Reason::None)
        );
    }

    #[test]
    fn letters_and_words_are_parsed() {
        for direction in Direction::ALL {
            assert_eq!(Direction::parse(direction.letter()), Some(direction));
            assert_eq!(
                Direction::parse(&direction.word().to_uppercase()),
                Some(direction)
            );
        }
        for text in [
            "",
            "in",
            "inside",
            "localhost",
            "z",
            "outwards",
            "internals",
        ] {
            assert_eq!(Direction::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_logged_direction_precedes_the_host() {
        let rules = DirectionRules::new(None, &["10.0.0.1"]).unwrap();
        let (a, b) = (ip("10.0.0.1"), ip("10.0.0.2"));
        let logged = Some(Direction::Inbound);
        assert_eq!(
            rules.classify(a, b, logged),
            (Direction::Inbound, Reason::Reported)
        );
        assert_eq!(
            rules.classify(a, b, None),
            (Direction::Outbound, Reason::Host)
        );
        assert_eq!(
            rules.classify(b, a, None),
            (Direction::Inbound, Reason::Host)
        );
        assert_eq!(
            rules.classify(b, b, Some(Direction::Unknown)),
            (Direction::Internal, Reason::PrivateAddress)
        );
    }

    #[test]
    fn prefixes_contradict_only_impossible_directions() {
        let rules = DirectionRules::default();
        let (inside, outside) = (ip("10.0.0.1"), ip("8.8.8.8"));
        for (endpoints, logged, conflicts) in [
            ([inside, outside], Direction::Outbound, false),
            ([inside, outside], Direction::Inbound, true),
            ([inside, outside], Direction::Internal, true),
            ([inside, outside], Direction::Unknown, false),
            ([inside, inside], Direction::Inbound, false),
            ([inside, inside], Direction::External, true),
            ([inside, None], Direction::External, false),
        ] {
            assert_eq!(rules.contradict(endpoints, logged), conflicts, "{logged:?}");
        }
    }

    #[test]
    fn given_prefixes_replace_the_default_ones() {
        let rules = DirectionRules::new(Some(&["203.0.113.0/24"]), &[]).unwrap();
        assert_eq!(
            rules.classify(ip("203.0.113.9"), ip("10.0.0.1"), None),
            (Direction::Outbound, Reason::InternalRanges)
        );
        assert!(DirectionRules::new::<&str>(Some(&[]), &[]).is_err());
        assert!(DirectionRules::new(None, &["office-pc"]).is_err());
    }
}
