//! The one error type of the core.

/// Everything that can go wrong in the core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the input that cannot be used.
    #[error("row {row}, column {column:?}: {value:?} {reason}")]
    Value {
        /// Row of the input, counted from 0.
        row: usize,
        /// Column of the input.
        column: String,
        /// The value as text.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A column that the work needs is absent or has an unusable type.
    #[error("{0}")]
    Schema(String),
    /// An argument that the caller has to change.
    #[error("{0}")]
    Argument(String),
    /// The input text does not follow its own format.
    #[error("{0}")]
    Format(String),
    /// An address database that cannot be read.
    #[error("{path}: {reason}")]
    Database {
        /// Path as given.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A sum that leaves the range of a 64-bit integer.
    #[error("the sum of {0} exceeds the range of a 64-bit integer")]
    Overflow(&'static str),
    /// Reading a file failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The arrow library refused the data.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// The source of the input failed with an error of its own.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// Result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;
