//! Dates that show the order of day and month in a log.

use crate::normalise::times::{DateOrder, order_shown};

/// A date of a log.
#[derive(Clone, Debug)]
pub struct Date<N> {
    /// Its row.
    pub row: N,
    /// Its column.
    pub column: String,
    /// The date.
    pub value: String,
}

/// The first dates that have only one order of day and month, and the first that may have both.
#[derive(Clone, Debug)]
pub struct Dates<N> {
    /// Month first.
    pub month_first: Option<Date<N>>,
    /// Day first.
    pub day_first: Option<Date<N>>,
    /// Either.
    pub ambiguous: Option<Date<N>>,
}

impl<N> Default for Dates<N> {
    fn default() -> Self {
        Self {
            month_first: None,
            day_first: None,
            ambiguous: None,
        }
    }
}

impl<N> Dates<N> {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                month_first: None,
                day_first: None,
                ambiguous: None
            }
        )
    }

    /// Note a date.
    pub fn note(&mut self, row: N, column: &str, text: &str, is_ambiguous: bool) {
        let first = match order_shown(text) {
            _ if is_ambiguous => &mut self.ambiguous,
            Some(DateOrder::MonthFirst) => &mut self.month_first,
            Some(DateOrder::DayFirst) => &mut self.day_first,
            None => return,
        };
        first.get_or_insert_with(|| Date {
            row,
            column: column.into(),
            value: text.chars().take(80).collect(),
        });
    }

    /// Append the dates of later records.
    pub fn append(&mut self, later: Self) {
        self.month_first = self.month_first.take().or(later.month_first);
        self.day_first = self.day_first.take().or(later.day_first);
        self.ambiguous = self.ambiguous.take().or(later.ambiguous);
    }

    /// The dates with other numbers of their rows.
    pub fn numbered<M>(self, number: impl Fn(N) -> M) -> Dates<M> {
        let numbered = |date: Option<Date<N>>| {
            date.map(|Date { row, column, value }| Date {
                row: number(row),
                column,
                value,
            })
        };
        Dates {
            month_first: numbered(self.month_first),
            day_first: numbered(self.day_first),
            ambiguous: numbered(self.ambiguous),
        }
    }
}
