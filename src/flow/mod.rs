//! Flows: schema, batches, typed columns, TCP flags, protocols, initiator.

pub mod batch;
pub mod initiator;
pub mod protocols;
pub mod schema;
pub mod tcp_flags;
pub mod view;
