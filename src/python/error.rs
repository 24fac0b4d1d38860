//! Errors of the core as Python exceptions.

use pyo3::prelude::*;

use crate::error::Error;

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let class = match error {
            Error::Source(source) => {
                return match source.downcast::<PyErr>() {
                    Ok(exception) => *exception,
                    Err(other) => named("InputError", other.to_string()),
                };
            }
            Error::Io(error) => return error.into(),
            Error::Argument(_) => "ArgumentError",
            Error::Database { .. } => "DatabaseError",
            Error::Value { .. }
            | Error::Schema(_)
            | Error::Format(_)
            | Error::Overflow(_)
            | Error::Arrow(_) => "InputError",
        };
        named(class, error.to_string())
    }
}

/// An exception from `flowtriage.errors`.
fn named(class: &str, message: String) -> PyErr {
    Python::attach(|py| {
        py.import("flowtriage.errors")
            .and_then(|errors| errors.getattr(class))
            .and_then(|class| class.call1((message,)))
            .map_or_else(|error| error, PyErr::from_value)
    })
}
