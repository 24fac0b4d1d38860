//! Who an address belongs to.

pub mod answers;
pub mod database;
pub mod online;
pub mod record;
pub mod table;

use crate::asn::record::Record;
use crate::ip::IpKind;

/// The name under which the flows of an autonomous system are grouped; never empty.
pub fn label(record: &Record) -> String {
    match (record.asn, &record.name) {
        (Some(asn), Some(name)) => format!("AS{asn} {name}"),
        (Some(asn), None) => format!("AS{asn}"),
        (None, _) => unnamed(Some(IpKind::Public)).into(),
    }
}

/// What an address without an ASN is called, and its flows are grouped under.
///
/// Addresses that are not public are named by their category and public ones without a record by
/// that fact, so that no group is lost.
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
