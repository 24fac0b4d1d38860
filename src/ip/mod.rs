//! IP addresses: parsing, kinds, prefixes, range maps, address columns.

mod address;
pub mod address_ranges;
pub mod column;
mod kind;
pub mod prefix;
pub mod range_map;
pub mod v4;
#[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
mod v4_simd;
mod v6;
pub mod write;

pub use address::{Ip, parse_ip};
pub use kind::IpKind;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
pub use v4::parse_v4;
#[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
pub use v4_simd::parse_v4;
pub use v6::{parse_mapped, parse_v6};
