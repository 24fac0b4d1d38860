//! Records to flows in the canonical schema.

use arrow::array::RecordBatch;

use crate::columns::parallel::by_morsel;
use crate::error::Result;
use crate::normalise::columns::{CanonicalColumns, canonical, position};
use crate::normalise::fields::BadRows;
use crate::normalise::log::Log;
use crate::normalise::outcome::{BadRow, Normalised};
use crate::normalise::spec::Spec;
use crate::normalise::values::Conditions;
use crate::normalise::{endpoints, fields, flow_rows};

/// Normalise a table; `number` gives the number of each row in messages.
pub fn table(
    batch: &RecordBatch,
    spec: &Spec,
    number: impl Fn(usize) -> u64 + Sync,
) -> Result<Normalised> {
    let parts = by_morsel(batch.num_rows(), |rows| {
        let part = batch.slice(rows.start, rows.len());
        let numbers = rows.map(&number).collect();
        records(Log::Table(part), spec, numbers)
    });
    let mut all = Normalised::default();
    for part in parts {
        all.append(part?);
    }
    Ok(all)
}

/// Normalise records; `numbers` has the number of each in messages.
pub fn records(mut log: Log<'_>, spec: &Spec, mut numbers: Vec<u64>) -> Result<Normalised> {
    let mut out = Normalised {
        records: log.rows() as u64,
        ..Normalised::default()
    };
    if let Some(flows) = flow_rows(&log, spec, &mut out)? {
        numbers = flows.iter().map(|row| numbers[*row as usize]).collect();
        log = log.take(&flows)?;
    }
    let mut bad = BadRows::new();
    let mut ends = endpoints::read(&log, spec, &mut bad)?;
    let mut columns: CanonicalColumns<'_> = Vec::with_capacity(spec.fields.len() + 2);
    for field in &spec.fields {
        let start = position(&columns, "start_time").map(|index| &columns[index].1);
        let column = fields::column(field, &log, spec, start, &mut bad)?;
        columns.push((&field.target, column));
    }
    ends.drop_rows(&bad);
    let reversed = flow_rows::reversed(&log, spec, &ends)?;
    flow_rows::per_flow(&mut columns, &ends, log.rows())?;
    out.expanded = ends.expanded();
    out.counted = (0..ends.flows.len())
        .filter(|flow| ends.own(*flow).is_some())
        .count() as u64;
    out.repeated = flow_rows::repeated(&columns, &ends);
    if let Some(reversed) = reversed {
        flow_rows::swap(&mut columns, &reversed)?;
    }
    out.batches.push(canonical(&columns, ends.flows.len())?);
    for (row, reason) in bad {
        out.reject(BadRow {
            number: numbers[row],
            ..reason
        });
    }
    Ok(out)
}

/// The rows that are flows, if others are among them; counts the non-flow records.
fn flow_rows(log: &Log<'_>, spec: &Spec, out: &mut Normalised) -> Result<Option<Vec<u32>>> {
    if spec.keep.is_empty() {
        return Ok(None);
    }
    let keep = Conditions::find(log, &spec.keep, &spec.nulls)?;
    let mut flows = Vec::with_capacity(log.rows());
    for row in 0..log.rows() {
        match keep.unmet(row) {
            None => flows.push(row as u32),
            Some((column, value)) => {
                let value: String = value.chars().take(40).collect();
                out.skip(format!("{column} {value}"), 1);
            }
        }
    }
    Ok((flows.len() < log.rows()).then_some(flows))
}
