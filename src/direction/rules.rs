//! Which way a flow goes, and how that is known.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::range_map::RangeMap;

/// What counts as internal where the caller names no networks:
/// RFC 1918, RFC 4193, carrier-grade NAT and link-local.
pub const DEFAULT_INTERNAL: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// Which way a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From outside to the host or network.
    Inbound,
    /// Between two internal addresses.
    Internal,
    /// From the host or network to outside.
    Outbound,
    /// Not known.
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

    /// The direction of the same flow if its other end began it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Inbound => Self::Outbound,
            Self::Outbound => Self::Inbound,
            other => other,
        }
    }

    /// Reads a letter or a word, whatever its case.
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

/// How a direction is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The source of the flows said so.
    Reported,
    /// One end is the host under investigation.
    Host,
    /// The networks that the caller named as internal.
    InternalRanges,
    /// The default internal networks.
    PrivateAddress,
    /// Ports or TCP flags tell that the destination of a one-way record began the flow.
    PortsFlags,
    /// It is not known.
    None,
}

impl Reason {
    /// All reasons, each at its own place.
    pub const ALL: [Self; 6] = [
        Self::Reported,
        Self::Host,
        Self::InternalRanges,
        Self::PrivateAddress,
        Self::PortsFlags,
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
            Self::None => "none",
        }
    }
}

/// The rules by which directions are told.
#[derive(Clone, Debug)]
pub struct DirectionRules {
    internal: RangeMap<()>,
    by_ranges: Reason,
    host: HashSet<Ip>,
}

impl DirectionRules {
    /// Rules for the given internal networks (`None`: the default ones) and host addresses.
    pub fn new<S: AsRef<str>>(internal: Option<&[S]>, host: &[S]) -> Result<Self> {
        let (internal, by_ranges) = match internal {
            Some([]) => {
                return Err(Error::Argument(
                    "internal is empty, so nothing could be told apart; name networks, or leave it out for the default ones".into(),
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
                    Error::Argument(format!("host: {:?} is not an address", text.as_ref()))
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            internal,
            by_ranges,
            host,
        })
    }

    /// Whether an address is internal.
    pub fn is_internal(&self, ip: Ip) -> bool {
        self.internal.contains(ip)
    }

    /// The direction of a flow from `source` to `dest`. The first of these that tells it wins:
    /// the reported direction, the host under investigation, the internal networks.
    pub fn classify(
        &self,
        source: Option<Ip>,
        dest: Option<Ip>,
        reported: Option<Direction>,
    ) -> (Direction, Reason) {
        if let Some(direction) = reported.filter(|d| *d != Direction::Unknown) {
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

    /// Whether the internal networks contradict a reported direction: it is the opposite of
    /// theirs, or internal or external where they are not. A machine inside may well report as
    /// inbound what comes from another one inside.
    pub fn contradict(&self, [source, dest]: [Option<Ip>; 2], reported: Direction) -> bool {
        let told = self.by_networks(source, dest);
        match reported {
            Direction::Unknown => false,
            Direction::Inbound | Direction::Outbound => told == Some(reported.reversed()),
            Direction::Internal | Direction::External => told.is_some_and(|told| told != reported),
        }
    }
}

impl Default for DirectionRules {
    fn default() -> Self {
        Self::new::<&str>(None, &[]).unwrap_or_else(|_| Self {
            internal: RangeMap::default(),
            by_ranges: Reason::None,
            host: HashSet::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_reasons_are_at_their_places() {
        for (place, direction) in Direction::ALL.into_iter().enumerate() {
            assert_eq!(direction as usize, place);
        }
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }

    fn ip(text: &str) -> Option<Ip> {
        Ip::parse(text)
    }

    #[test]
    fn default_ranges_tell_the_four_directions() {
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
    fn letters_and_words_are_read() {
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
    fn what_was_reported_comes_first_and_the_host_second() {
        let rules = DirectionRules::new(None, &["10.0.0.1"]).unwrap();
        let (a, b) = (ip("10.0.0.1"), ip("10.0.0.2"));
        let reported = Some(Direction::Inbound);
        assert_eq!(
            rules.classify(a, b, reported),
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
    fn networks_contradict_only_what_cannot_be() {
        let rules = DirectionRules::default();
        let (inside, outside) = (ip("10.0.0.1"), ip("8.8.8.8"));
        for (ends, reported, against) in [
            ([inside, outside], Direction::Outbound, false),
            ([inside, outside], Direction::Inbound, true),
            ([inside, outside], Direction::Internal, true),
            ([inside, outside], Direction::Unknown, false),
            ([inside, inside], Direction::Inbound, false),
            ([inside, inside], Direction::External, true),
            ([inside, None], Direction::External, false),
        ] {
            assert_eq!(rules.contradict(ends, reported), against, "{reported:?}");
        }
    }

    #[test]
    fn named_networks_replace_the_default_ones() {
        let rules = DirectionRules::new(Some(&["203.0.113.0/24"]), &[]).unwrap();
        assert_eq!(
            rules.classify(ip("203.0.113.9"), ip("10.0.0.1"), None),
            (Direction::Outbound, Reason::InternalRanges)
        );
        assert!(DirectionRules::new::<&str>(Some(&[]), &[]).is_err());
        assert!(DirectionRules::new(None, &["office-pc"]).is_err());
    }
}
