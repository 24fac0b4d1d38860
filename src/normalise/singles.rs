//! Cells with exactly one address in its usual notation, parsed as a column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;

use crate::columns::column::Column;
use crate::columns::nulls::get;
use crate::columns::text::Text;
use crate::error::Result;
use crate::ip::{Ip, parse_mapped, parse_v4, parse_v6};
use crate::normalise::log::Log;
use crate::normalise::single_codes::{Codes, Dictionaries, EMPTY, OTHER, Single, V6};
use crate::normalise::spec::{Endpoints, Spec};
use crate::normalise::values::{Cells, LogColumn};

impl Dictionaries {
    /// Parse the addresses in the dictionaries of a table.
    pub fn of(log: &Log<'_>, spec: &Spec) -> Result<Self> {
        let mut out = Self::default();
        for name in spec.endpoints.iter().flat_map(Endpoints::columns) {
            let is_dictionary = |array: &ArrayRef| matches!(array.data_type(), DataType::Dictionary(_, values) if values.is_string());
            if out.0.contains_key(name) || !log.array(name).is_some_and(is_dictionary) {
                continue;
            }
            let cells = Cells::find(log, name, &spec.nulls)?;
            if let LogColumn::Column(Column::Text(Text::Dictionary(_, values))) = &cells.values {
                let mut codes = Codes::default();
                codes.fill(&cells, values.len(), |index| values.get(index));
                out.0.insert(name.clone(), Arc::new(codes));
            }
        }
        Ok(out)
    }
}

/// The cells of a column.
#[derive(Debug)]
pub struct Singles {
    codes: Arc<Codes>,
    /// Indices of the codes, if these are of a dictionary.
    keys: Option<Int64Array>,
}

impl Singles {
    /// Look at all cells of a column; `None` if it does not hold strings of a table.
    pub fn of(cells: &Cells<'_>, dictionaries: &Dictionaries) -> Option<Self> {
        let LogColumn::Column(Column::Text(text)) = &cells.values else {
            return None;
        };
        if let (Text::Dictionary(keys, _), Some(codes)) = (text, dictionaries.0.get(&cells.name)) {
            return Some(Self {
                codes: Arc::clone(codes),
                keys: Some(keys.clone()),
            });
        }
        Some(Self {
            codes: Arc::new(Codes::of(cells, text)),
            keys: None,
        })
    }

    /// Whether the addresses are those of a dictionary.
    pub const fn is_dictionary(&self) -> bool {
        self.keys.is_some()
    }

    /// What the cell of a row has.
    #[inline]
    pub fn get(&self, row: usize) -> Single {
        match &self.keys {
            None => self.codes.get(row),
            Some(keys) => get(keys, row).map_or(Single::Empty, |key| self.codes.get(key as usize)),
        }
    }
}

impl Codes {
    fn of(cells: &Cells<'_>, text: &Text) -> Self {
        let mut out = Self {
            codes: Vec::with_capacity(text.len()),
            wide: Vec::new(),
        };
        match text {
            Text::Utf8(a) => out.fill(cells, a.len(), |row| a.is_valid(row).then(|| a.value(row))),
            Text::Large(a) => out.fill(cells, a.len(), |row| a.is_valid(row).then(|| a.value(row))),
            Text::View(a) => out.fill(cells, a.len(), |row| a.is_valid(row).then(|| a.value(row))),
            Text::Null(rows) => out.codes.resize(*rows, EMPTY),
            Text::Dictionary(..) => out.fill(cells, text.len(), |row| text.get(row)),
        }
        out
    }

    fn fill<'a>(
        &mut self,
        cells: &Cells<'_>,
        count: usize,
        text: impl Fn(usize) -> Option<&'a str>,
    ) {
        for index in 0..count {
            let code = match text(index).map(|text| (text, parse_v4(text.as_bytes()))) {
                None | Some(("", _)) => EMPTY,
                Some((_, Some(v4))) => v4.into(),
                Some((text, None)) => self.other(cells, text),
            };
            self.codes.push(code);
        }
    }

    fn other(&mut self, cells: &Cells<'_>, text: &str) -> u64 {
        if let Some(v4) = parse_mapped(text.as_bytes()) {
            return v4.into();
        }
        match parse_v6(text.as_bytes()) {
            Some(v6) if self.wide.len() < u32::MAX as usize => {
                self.wide.push(Ip(v6));
                V6 | (self.wide.len() - 1) as u64
            }
            _ if cells.meaning(text.into()).is_none() => EMPTY,
            _ => OTHER,
        }
    }
}
