//! The one error type of the core.

/// Errors of the core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An invalid value in the input.
    #[error("row {row}, column {column:?}: {value:?} {reason}")]
    Value {
        /// Row of the input, counted from 0.
        row: usize,
        /// Column of the input.
        column: String,
        /// The value as a string.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A required column is absent or has an unsupported type.
    #[error("{0}")]
    Schema(String),
    /// An invalid argument.
    #[error("{0}")]
    Argument(String),
    /// Text that is malformed in its format.
    #[error("{0}")]
    Format(String),
    /// An unreadable address database.
    #[error("{path}: {reason}")]
    Database {
        /// Path as given.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A sum beyond the range of a 64-bit integer.
    #[error("the sum of {0} exceeds the range of a 64-bit integer")]
    Overflow(&'static str),
    /// Reading a file failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An error of the arrow library.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// An error raised by the source of the input.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// Result type of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Number the row by its number in the input.
    #[must_use]
    pub fn at(mut self, number: impl FnOnce(usize) -> usize) -> Self {
        if let Self::Value { row, .. } = &mut self {
            *row = number(*row);
        }
        self
    }
}
