//! Records of a database, in any of the spellings in use.

use serde::Deserialize;

/// What a record says of its network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system's holder.
    pub name: Option<String>,
    /// ISO 3166 code of the country.
    pub country: Option<String>,
}

/// A record in the spellings in use: GeoLite2-ASN, GeoIP2-ISP and -Enterprise, `IPinfo`,
/// ip-location-db.
#[derive(Deserialize)]
pub struct Raw<'a> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
    asn: Option<Number<'a>>,
    as_name: Option<&'a str>,
    country_code: Option<&'a str>,
    country: Option<Country<'a>>,
    registered_country: Option<Country<'a>>,
    traits: Option<Traits<'a>>,
}

#[derive(Deserialize)]
struct Traits<'a> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Number(u32),
    Text(&'a str),
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
        let written = raw.asn.and_then(|asn| match asn {
            Number::Number(number) => Some(number),
            Number::Text(text) => text.trim_start_matches(['A', 'S']).parse().ok(),
        });
        let code = |country: Option<Country<'_>>| {
            country.and_then(|country| match country {
                Country::Code(code) => some_text(Some(code)),
                Country::Record { iso_code } => some_text(iso_code),
            })
        };
        Self {
            asn: raw
                .autonomous_system_number
                .or(number)
                .or(written)
                .filter(|asn| *asn != 0),
            name: some_text(raw.autonomous_system_organization)
                .or_else(|| some_text(holder))
                .or_else(|| some_text(raw.as_name)),
            country: some_text(raw.country_code)
                .or_else(|| code(raw.country))
                .or_else(|| code(raw.registered_country)),
        }
    }
}

fn some_text(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
