//! Named limits of detectors, given by the caller.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// Limits by detector and name.
pub type LimitMap = HashMap<String, HashMap<String, f64>>;

/// Read a limit.
pub fn limit(map: &LimitMap, detector: &str, name: &str) -> Result<f64> {
    let found = map.get(detector).and_then(|limits| limits.get(name));
    match found {
        Some(value) if value.is_finite() && *value >= 0.0 => Ok(*value),
        Some(value) => Err(Error::Argument(format!(
            "{detector}: {name} must be a number of 0 or more, got {value}"
        ))),
        None => Err(Error::Argument(format!("{detector}: {name} is missing"))),
    }
}

/// Define the limits of a detector.
macro_rules! limits {
    ($detector:literal, $($(#[$text:meta])* $name:ident),+ $(,)?) => {
        /// The limits of the detector.
        #[derive(Clone, Debug)]
        pub struct Limits {
            $($(#[$text])* pub $name: f64,)+
        }

        /// Name of the detector.
        pub const NAME: &str = $detector;

        impl Limits {
            /// Read the limits.
            pub fn read(map: &$crate::detect::limits::LimitMap) -> $crate::error::Result<Self> {
                Ok(Self {
                    $($name: $crate::detect::limits::limit(map, NAME, stringify!($name))?,)+
                })
            }
        }
    };
}

pub(crate) use limits;
