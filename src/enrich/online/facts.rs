//! Facts about an address, and the services that they come from.

use serde::{Deserialize, Serialize};

use crate::ip::Ip;
use crate::ip::prefix::parse_network;

/// Services that are queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The autonomous system that announces the address.
    Origin,
    /// The registrant of the address.
    Registration,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 2] = [Self::Origin, Self::Registration];

    /// Name of the service.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Registration => "registration",
        }
    }
}

/// Facts about an address from a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Holder of the autonomous system, or registrant.
    pub name: Option<String>,
    /// ISO 3166 code of the country.
    pub country: Option<String>,
    /// The network that the facts are about.
    pub network: Option<String>,
    /// Remark for the ledger.
    pub note: Option<String>,
}

impl Facts {
    /// Add a remark for the ledger.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.note = Some(match self.note {
            Some(earlier) => format!("{earlier}; {note}"),
            None => note,
        });
        self
    }

    /// Prefix length of the network; that of a single address if there is none.
    pub fn prefix(&self, ip: Ip) -> u8 {
        let whole: u8 = if ip.v4().is_some() { 32 } else { 128 };
        let network = self.network.as_deref().and_then(parse_network);
        network.map_or(whole, |(first, last)| {
            whole.saturating_sub((128 - (first.0 ^ last.0).leading_zeros()) as u8)
        })
    }
}

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 200;

/// A name, trimmed and shortened to the maximum length.
pub fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let end = text
        .char_indices()
        .nth(MAX_NAME)
        .map_or(text.len(), |c| c.0);
    (!text.is_empty()).then(|| text[..end].to_owned())
}
