//! A flow: its schema, batches of flows, TCP flags, protocols, and who initiated it.

pub mod batch;
pub mod initiator;
pub mod protocols;
pub mod schema;
pub mod tcp_flags;
