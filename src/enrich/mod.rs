//! Facts about addresses: databases in `MaxMind`'s format, cities, and online services.

pub mod city;
pub mod database;
pub mod lookup;
pub mod online;
pub mod record;
pub mod results;
