//! Locations of addresses, from city files in `MaxMind`'s format.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use maxminddb::Reader;
use serde::Deserialize;

use crate::columns::batch::batch;
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::ip::{Ip, IpKind};

/// Location of an address.
#[derive(Clone, Debug, PartialEq)]
struct Location {
    latitude: f64,
    longitude: f64,
    city: Option<String>,
    country: Option<String>,
}

/// A record in the schemas in use: GeoLite2-City and -Enterprise, and flat ones such as
/// ip-location-db's.
#[derive(Deserialize)]
struct Raw<'a> {
    location: Option<Point>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(borrow)]
    city: Option<Name<'a>>,
    #[serde(borrow)]
    country: Option<Name<'a>>,
    country_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Point {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name<'a> {
    Text(&'a str),
    Record {
        #[serde(borrow)]
        names: Option<English<'a>>,
        iso_code: Option<&'a str>,
    },
}

#[derive(Deserialize)]
struct English<'a> {
    en: Option<&'a str>,
}

impl Location {
    fn new(raw: Raw<'_>) -> Option<Self> {
        let (latitude, longitude) = match raw.location {
            Some(point) => (point.latitude?, point.longitude?),
            None => (raw.latitude?, raw.longitude?),
        };
        let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let city = match raw.city {
            Some(Name::Text(name)) => Some(name),
            Some(Name::Record { names, .. }) => names.and_then(|names| names.en),
            None => None,
        };
        let country = raw.country_code.or(match raw.country {
            Some(Name::Text(code)) => Some(code),
            Some(Name::Record { iso_code, .. }) => iso_code,
            None => None,
        });
        let text = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        on_earth.then(|| Self {
            latitude,
            longitude,
            city: text(city),
            country: text(country),
        })
    }
}

/// An ordered list of files; the first that has a location for an address wins.
pub struct CityFiles {
    files: Vec<(String, Reader<Vec<u8>>)>,
}

impl CityFiles {
    /// Open the files; each is read into memory.
    pub fn open<S: AsRef<str>>(paths: &[S]) -> Result<Self> {
        let open = |path: &str| -> Result<(String, Reader<Vec<u8>>)> {
            let bytes = std::fs::read(path)
                .map_err(|error| std::io::Error::new(error.kind(), format!("{path}: {error}")))?;
            let reader =
                Reader::from_source(bytes).map_err(|error| damaged(path, &error.to_string()))?;
            Ok((path.into(), reader))
        };
        let files = paths.iter().map(|path| open(path.as_ref()));
        Ok(Self {
            files: files.collect::<Result<_>>()?,
        })
    }

    /// The location of an address; the error is the path of a damaged file, and the reason.
    fn find(&self, ip: Ip) -> Result<Option<Location>, (String, String)> {
        for (path, reader) in &self.files {
            if ip.v4().is_none() && reader.metadata().ip_version == 4 {
                continue;
            }
            let raw = reader.lookup(ip.to_std()).and_then(|found| found.decode());
            let raw: Option<Raw<'_>> =
                raw.map_err(|error| (path.clone(), format!("{ip}: {error}")))?;
            if let Some(location) = raw.and_then(Location::new) {
                return Ok(Some(location));
            }
        }
        Ok(None)
    }

    /// Columns `latitude`, `longitude`, `city` and `country` (ISO 3166 code), a row for each
    /// address; all are null where no file has a location.
    pub fn find_all(&self, addresses: &Text) -> Result<RecordBatch> {
        let locations = addresses
            .map(|text| {
                let ip = text.and_then(Ip::parse);
                let public = ip.filter(|ip| ip.kind() == IpKind::Public);
                public.map_or(Ok(None), |ip| self.find(ip))
            })
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|(path, reason)| damaged(&path, &reason))?;
        let number = |name: &str, value: fn(&Location) -> f64| -> (Field, ArrayRef) {
            let values: Float64Array = locations.iter().map(|l| l.as_ref().map(value)).collect();
            (
                Field::new(name, DataType::Float64, true),
                Arc::new(values) as ArrayRef,
            )
        };
        let text = |name: &str, value: fn(&Location) -> Option<&str>| -> (Field, ArrayRef) {
            let values: StringArray = locations
                .iter()
                .map(|l| l.as_ref().and_then(value))
                .collect();
            (
                Field::new(name, DataType::Utf8, true),
                Arc::new(values) as ArrayRef,
            )
        };
        batch(vec![
            number("latitude", |location| location.latitude),
            number("longitude", |location| location.longitude),
            text("city", |location| location.city.as_deref()),
            text("country", |location| location.country.as_deref()),
        ])
    }
}

fn damaged(path: &str, reason: &str) -> Error {
    Error::Database {
        path: path.into(),
        reason: format!("is not a usable database in MaxMind's format ({reason})"),
    }
}
