//! Which of many networks or ranges holds an address.

mod networks;
mod prefix_set;
mod ranges;

pub use networks::Networks;
pub use prefix_set::PrefixSet;
pub use ranges::Ranges;
