//! Who an address belongs to.

pub mod database;
pub mod table;

use std::borrow::Cow;

use crate::asn::database::Resolved;
use crate::ip::IpKind;

/// The name under which the flows of an address are grouped; never empty.
///
/// Addresses that are not public are named by their category and public ones without a record by
/// that fact, so that no group is lost.
pub fn label(resolved: &Resolved) -> Cow<'static, str> {
    match (resolved.asn, &resolved.name) {
        (Some(asn), Some(name)) => format!("AS{asn} {name}").into(),
        (Some(asn), None) => format!("AS{asn}").into(),
        (None, _) => unnamed(resolved.kind).into(),
    }
}

/// What an address without an ASN is called.
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
