//! Hosts whose flows are wanted, and the search for lines that may have them.

use std::net::Ipv4Addr;

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};

use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::parse_network;
use crate::ip::range_map::RangeMap;

/// Strings that are searched for one by one; more are searched for together.
const MAX_TEXTS: usize = 3;

/// Addresses, networks and names of wanted hosts.
#[derive(Clone, Debug)]
pub struct Hosts {
    addresses: RangeMap<u32>,
    by_name: bool,
    needles: Option<Vec<Needle>>,
}

/// Lines of a text that may have a flow of a host.
#[derive(Debug, Default)]
pub struct FoundLines {
    /// The lines.
    pub text: Vec<u8>,
    /// The number of each.
    pub numbers: Vec<u64>,
    /// Number of other records.
    pub others: u64,
}

impl Hosts {
    /// Addresses and CIDR prefixes, and names in any case, of wanted hosts.
    pub fn new(networks: &[String], names: &[String]) -> Result<Self> {
        let ranges = networks.iter().map(|text| {
            parse_network(text).ok_or_else(|| Error::Argument(format!("invalid network {text:?}")))
        });
        let ranges = ranges.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            needles: needles(&ranges, names),
            addresses: RangeMap::new(ranges.into_iter().zip(0..)),
            by_name: !names.is_empty(),
        })
    }

    /// Whether the endpoints of a flow tell whether it is wanted.
    pub const fn by_address(&self) -> bool {
        !self.by_name
    }

    /// Whether an address is one of the hosts.
    pub fn include(&self, ip: Ip) -> bool {
        self.addresses.find(ip).is_some()
    }

    /// The lines of a text that may have a host in any notation; `None` if a search cannot tell.
    /// Empty lines, and others for which `is_other`, are no records.
    pub fn lines(
        &self,
        text: &[u8],
        first_line: u64,
        is_other: impl Fn(&[u8]) -> bool,
    ) -> Option<FoundLines> {
        let needles = self.needles.as_ref()?.iter();
        let mut needles: Vec<_> = needles
            .map(|needle| (needle, needle.find(text, 0)))
            .collect();
        let (mut found, mut position, mut line) = (FoundLines::default(), 0, first_line);
        let pass = |skipped: &[u8], line: &mut u64, others: &mut u64| {
            let mut start = 0;
            for end in memchr_iter(b'\n', skipped).chain([skipped.len()]) {
                let content = &skipped[start..end];
                let content = content.strip_suffix(b"\r").unwrap_or(content);
                *others += u64::from(!content.is_empty() && !is_other(content));
                *line += u64::from(end < skipped.len());
                start = (end + 1).min(skipped.len());
            }
        };
        while let Some(at) = needles.iter().filter_map(|(_, at)| *at).min() {
            let start =
                memrchr(b'\n', &text[position..at]).map_or(position, |end| position + end + 1);
            let end = memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1);
            pass(&text[position..start], &mut line, &mut found.others);
            found.text.extend_from_slice(&text[start..end]);
            found.numbers.push(line);
            position = end;
            line += 1;
            for (needle, at) in &mut needles {
                if at.is_some_and(|at| at < position) {
                    *at = needle.find(text, position);
                }
            }
        }
        pass(&text[position..], &mut line, &mut found.others);
        Some(found)
    }
}

/// What a text is searched for.
#[derive(Clone, Debug)]
enum Needle {
    /// A string.
    Text(Box<Finder<'static>>),
    /// One of several strings.
    Any(AhoCorasick),
    /// The end of `::ffff:` before an IPv4 address.
    Mapped,
    /// An escaped character, of JSON or of Zeek.
    Escape,
}

impl Needle {
    fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let found = match self {
            Self::Text(finder) => finder.find(rest),
            Self::Any(search) => search.find(rest).map(|found| found.start()),
            Self::Mapped => {
                let mapped = |colon: &usize| {
                    text[..from + colon]
                        .last_chunk()
                        .is_some_and(|group: &[u8; 4]| group.eq_ignore_ascii_case(b"ffff"))
                };
                memchr_iter(b':', rest).find(mapped)
            }
            Self::Escape => memchr_iter(b'\\', rest)
                .find(|start| matches!(rest.get(start + 1), Some(b'u' | b'x'))),
        };
        found.map(|position| from + position)
    }
}

/// Needles of which any notation of one of the ranges and names has one; `None` if there are none.
fn needles(ranges: &[(Ip, Ip)], names: &[String]) -> Option<Vec<Needle>> {
    if names.iter().any(|name| name.is_empty() || !name.is_ascii()) {
        return None;
    }
    let (mut texts, mut any_case) = (Vec::new(), names.to_vec());
    for (first, last) in ranges {
        let prefix = (first.0 ^ last.0).leading_zeros();
        if first.v4().is_some() && last.v4().is_some() {
            texts.push(dotted(*first, prefix - 96)?);
        } else {
            any_case.extend(groups(*first, prefix)?);
        }
    }
    let mut needles = vec![Needle::Escape];
    if !texts.is_empty() {
        needles.push(Needle::Mapped);
    }
    if texts.len() > MAX_TEXTS {
        any_case.append(&mut texts);
    }
    needles.extend(
        texts
            .iter()
            .map(|text| Needle::Text(Box::new(Finder::new(text).into_owned()))),
    );
    if !any_case.is_empty() {
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(any_case);
        needles.push(Needle::Any(search.ok()?));
    }
    Some(needles)
}

/// The whole octets of an IPv4 prefix.
fn dotted(first: Ip, length: u32) -> Option<String> {
    let octets = Ipv4Addr::from(first.v4()?).octets();
    let whole = octets[..length as usize / 8].iter();
    let text = whole.map(u8::to_string).collect::<Vec<_>>().join(".");
    (!text.is_empty()).then(|| if length < 32 { text + "." } else { text })
}

/// Notations of the longest group of an IPv6 prefix, between colons or points.
fn groups(first: Ip, length: u32) -> Option<Vec<String>> {
    let group = |index: &u32| (first.0 >> (112 - 16 * index)) as u16;
    let known = (0..length / 16).filter(|index| group(index) != 0);
    let index = known.max_by_key(|index| (format!("{:x}", group(index)).len(), *index))?;
    let hex = format!("{:x}", group(&index));
    if index == 0 {
        return Some(vec![hex + ":"]);
    }
    let padded = (0..=4 - hex.len()).map(|zeros| format!(":{}{hex}", "0".repeat(zeros)));
    let [high, low] = group(&index).to_be_bytes();
    // The last two groups may be written as an IPv4 address.
    let dotted = (index > 5).then(|| format!("{high}.{low}"));
    Some(padded.chain(dotted).collect())
}
