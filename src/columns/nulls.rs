//! Values that may be null.

use arrow::array::{Array, ArrowPrimitiveType, PrimitiveArray};

/// A nullable value; nulls sort last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NullsLast<T> {
    null: bool,
    value: T,
}

impl<T: Copy + Default> NullsLast<T> {
    /// The value, if there is one.
    pub fn get(self) -> Option<T> {
        (!self.null).then_some(self.value)
    }

    /// Apply `f` to the value.
    pub fn map<U: Copy + Default>(self, f: impl FnOnce(T) -> U) -> NullsLast<U> {
        self.get().map(f).into()
    }
}

impl<T: Copy + Default> From<Option<T>> for NullsLast<T> {
    fn from(value: Option<T>) -> Self {
        Self {
            null: value.is_none(),
            value: value.unwrap_or_default(),
        }
    }
}

/// The value of a row of a column.
#[inline]
pub fn get<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    values.is_valid(row).then(|| values.value(row))
}
