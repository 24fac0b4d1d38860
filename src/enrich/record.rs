//! Records of a database, in any of the schemas in use.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::ip::IpKind;

/// Facts about a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system's holder.
    pub name: Option<String>,
    /// ISO 3166 code of the country.
    pub country: Option<String>,
}

/// A record in the schemas in use: GeoLite2-ASN, GeoIP2-ISP and -Enterprise, `IPinfo`,
/// ip-location-db.
#[derive(Deserialize)]
pub struct Raw<'a> {
    autonomous_system_number: Option<System>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
    asn: Option<System>,
    as_name: Option<&'a str>,
    country_code: Option<&'a str>,
    country: Option<Country<'a>>,
    registered_country: Option<Country<'a>>,
    traits: Option<Traits<'a>>,
}

#[derive(Deserialize)]
struct Traits<'a> {
    autonomous_system_number: Option<System>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
}

/// Number of an autonomous system, in any width or as a string such as `AS64500`; `None` if the
/// string is not a number.
#[derive(Clone, Copy)]
struct System(Option<u32>);

impl<'de> Deserialize<'de> for System {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyWidth)
    }
}

struct AnyWidth;

impl Visitor<'_> for AnyWidth {
    type Value = System;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an AS number from 0 to 4294967295")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<System, E> {
        let fits = u32::try_from(number)
            .map_err(|_| E::custom(format!("AS number {number} exceeds 4294967295")));
        Ok(System(Some(fits?)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<System, E> {
        let fits = u32::try_from(number)
            .map_err(|_| E::custom(format!("AS number {number} is out of range")));
        Ok(System(Some(fits?)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<System, E> {
        Ok(System(text.trim_start_matches(['A', 'S']).parse().ok()))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Country<'a> {
    Code(&'a str),
    Record { iso_code: Option<&'a str> },
}

impl From<Raw<'_>> for Record {
    fn from(raw: Raw<'_>) -> Self {
        let (number, holder) = raw.traits.map_or((None, None), |traits| {
            (
                traits.autonomous_system_number,
                traits.autonomous_system_organization,
            )
        });
        let system = |system: Option<System>| system.and_then(|system| system.0);
        let code = |country: Option<Country<'_>>| {
            country.and_then(|country| match country {
                Country::Code(code) => non_empty(Some(code)),
                Country::Record { iso_code } => non_empty(iso_code),
            })
        };
        Self {
            asn: system(raw.autonomous_system_number)
                .or(system(number))
                .or(system(raw.asn))
                .filter(|asn| *asn != 0),
            name: non_empty(raw.autonomous_system_organization)
                .or_else(|| non_empty(holder))
                .or_else(|| non_empty(raw.as_name)),
            country: non_empty(raw.country_code)
                .or_else(|| code(raw.country))
                .or_else(|| code(raw.registered_country)),
        }
    }
}

fn non_empty(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Label by which the flows of an autonomous system are grouped; never empty.
pub fn label(record: &Record) -> String {
    match (record.asn, &record.name) {
        (Some(asn), Some(name)) => format!("AS{asn} {name}"),
        (Some(asn), None) => format!("AS{asn}"),
        (None, _) => unnamed(Some(IpKind::Public)).into(),
    }
}

/// Label of addresses without an ASN.
///
/// Non-public addresses are labelled by category and public ones as having no record, so that
/// every address belongs to a group.
pub fn unnamed(kind: Option<IpKind>) -> &'static str {
    match kind {
        None => "No address",
        Some(IpKind::Public) => "No ASN record",
        Some(IpKind::Private) => "Private address",
        Some(IpKind::Shared) => "Shared address",
        Some(IpKind::Loopback) => "Loopback address",
        Some(IpKind::LinkLocal) => "Link Local address",
        Some(IpKind::Multicast) => "Multicast address",
        Some(IpKind::Unspecified) => "Unspecified address",
        Some(IpKind::Reserved) => "Reserved address",
    }
}
