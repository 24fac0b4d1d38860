//! Detectors: behaviour that an analyst should look at, found in flows of any log.

pub mod beacons;
pub mod circumstances;
pub mod context;
pub mod conversation;
pub mod draft;
pub mod facts;
pub mod filter;
pub mod findings;
pub mod host_sweeps;
pub mod humanize;
pub mod hunt;
pub mod known;
pub mod limits;
pub mod log;
pub mod outcome;
pub mod port_scans;
pub mod record;
pub mod retries;
pub mod rhythm;
pub mod service;
pub mod systems;
pub mod window;
