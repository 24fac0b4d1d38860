//! Facts about addresses: databases in `MaxMind`'s format, cities, and services online.

pub mod answers;
pub mod city;
pub mod database;
pub mod lookup;
pub mod online;
pub mod record;
