//! Known networks, given by AS number or prefix.

use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::parse_network;
use crate::ip::range_map::RangeMap;

/// Known networks with their names.
#[derive(Debug, Default)]
pub struct KnownNetworks {
    by_asn: HashMap<u32, usize>,
    by_prefix: RangeMap<u32>,
    names: Vec<KnownNetwork>,
}

/// A known network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNetwork {
    /// Name of its organisation.
    pub name: String,
    /// Whether it also rents servers to others.
    pub shared: bool,
}

impl KnownNetworks {
    /// Read networks, each a prefix or an AS number such as `AS8075`, with the name of the
    /// organisation, and whether it rents servers to others.
    pub fn parse(networks: Vec<(String, String, bool)>) -> Result<Self> {
        let mut out = Self::default();
        let mut ranges = Vec::new();
        for (network, name, shared) in networks {
            let index = out.names.len();
            let asn = network
                .strip_prefix("AS")
                .and_then(|number| number.parse().ok());
            match (asn, parse_network(&network)) {
                (Some(asn), _) => drop(out.by_asn.insert(asn, index)),
                (None, Some(range)) => ranges.push((range, index as u32)),
                (None, None) => {
                    return Err(Error::Argument(format!(
                        "invalid network {network:?}; give an AS number such as AS8075 or a \
                         CIDR prefix"
                    )));
                }
            }
            out.names.push(KnownNetwork { name, shared });
        }
        out.by_prefix = RangeMap::new(ranges);
        Ok(out)
    }

    /// The known network of an address.
    pub fn find(&self, ip: Ip, asn: Option<u32>) -> Option<&KnownNetwork> {
        let by_prefix = self.by_prefix.find(ip).map(|index| index as usize);
        let index = by_prefix.or_else(|| self.by_asn.get(&asn?).copied())?;
        Some(&self.names[index])
    }
}
