//! Records to flows in the canonical schema.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::columns::parallel::{MORSEL, by_part};
use crate::error::Result;
use crate::normalise::columns::{CanonicalColumns, canonical, projected};
use crate::normalise::endpoints::Ends;
use crate::normalise::exchange::Totals;
use crate::normalise::fields::BadRows;
use crate::normalise::log::Log;
use crate::normalise::outcome::Normalised;
use crate::normalise::single_codes::Dictionaries;
use crate::normalise::spec::{Kind, Spec};
use crate::normalise::values::Conditions;
use crate::normalise::{
    alternatives, counters, endpoints, exchange, flow_rows, other_dates, translated,
};

/// Rows of a part of projected flows, each of which is aggregated in parallel.
const PART: usize = 1 << 16;

/// Normalise a table; `number` gives the number of each row in messages.
pub fn table(
    batch: &RecordBatch,
    spec: &Spec,
    number: impl Fn(usize) -> u64 + Sync,
) -> Result<Normalised> {
    let whole = Log::Table(batch.clone(), Arc::default());
    let dictionaries = Arc::new(Dictionaries::of(&whole, spec)?);
    let size = if spec.is_projected() { PART } else { MORSEL };
    let parts = by_part(batch.num_rows(), size, |rows| {
        let part = batch.slice(rows.start, rows.len());
        let numbers = rows.map(&number).collect();
        records(Log::Table(part, Arc::clone(&dictionaries)), spec, numbers)
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
    let (mut bad, dates) = (BadRows::new(), RefCell::default());
    let mut ends = endpoints::read(&log, spec, &mut bad)?;
    let mut all_dates = None;
    if let Some(rows) = rows_of_hosts(spec, &ends, log.rows()) {
        all_dates = Some(other_dates::noted(&log, spec)?.numbered(|row| numbers[row]));
        out.other_hosts = (log.rows() - rows.len() - bad.len()) as u64;
        out.reject_all(std::mem::take(&mut bad), &numbers);
        numbers = rows.iter().map(|row| numbers[*row as usize]).collect();
        log = log.take(&rows)?;
        ends = endpoints::read(&log, spec, &mut bad)?;
    }
    let mut columns: CanonicalColumns<'_> = Vec::with_capacity(spec.fields.len() + 2);
    let mut totals = Totals::new();
    for field in &spec.fields {
        let found = alternatives::add(field, &log, spec, &mut columns, (&mut bad, &dates))?;
        if field.kind == Kind::Total {
            totals.entry(&field.target).or_default().extend(found);
        }
    }
    let read_dates = || dates.into_inner().numbered(|row: usize| numbers[row]);
    out.dates = all_dates.unwrap_or_else(read_dates);
    let is_good = |row: &usize| !bad.contains_key(row);
    let without_sides: BTreeSet<_> = totals.values().flatten().copied().collect();
    out.without_sides = without_sides.into_iter().filter(is_good).count() as u64;
    out.contradicted_totals = counters::contradicted_totals(&log, spec, &columns, &bad)?;
    out.payload_only = counters::payload_only(&columns, log.rows(), &bad);
    out.end_before_start = flow_rows::drop_early_ends(&mut columns, is_good) as u64;
    ends.drop_rows(&bad);
    count_unknown_actions(&log, spec, &bad, &mut out)?;
    flow_rows::per_flow(&mut columns, &ends, log.rows(), spec.is_projected())?;
    out.expanded = ends.expanded();
    out.counted = (0..ends.flows.len())
        .filter(|flow| ends.own(*flow).is_some())
        .count() as u64;
    out.repeated = flow_rows::repeated(&columns, &ends);
    out.translated = translated::count(&log, spec, &ends)?;
    let exchanged = exchange::find(&log, spec, &columns, &ends)?;
    exchanged.apply(&mut columns, &ends, &totals)?;
    out.reversed = exchanged.counts();
    let rows = ends.flows.len();
    out.batches.push(match &spec.projected {
        Some(wanted) => projected(columns, wanted, rows)?,
        None => canonical(&columns, rows)?,
    });
    out.reject_all(bad, &numbers);
    Ok(out)
}

/// The rows with a flow of a wanted host, if others are among them.
fn rows_of_hosts(spec: &Spec, ends: &Ends, rows: usize) -> Option<Vec<u32>> {
    let hosts = spec.hosts.as_ref().filter(|hosts| hosts.by_address())?;
    let flows = ends.flows.iter();
    let wanted = flows.filter(|end| hosts.include(end.source) || hosts.include(end.dest));
    let mut wanted: Vec<u32> = wanted.map(|end| end.record).collect();
    wanted.dedup();
    (wanted.len() < rows).then_some(wanted)
}

/// Count records whose action is not among the known ones; they count as allowed.
fn count_unknown_actions(
    log: &Log<'_>,
    spec: &Spec,
    bad: &BadRows,
    out: &mut Normalised,
) -> Result<()> {
    if spec.actions.is_empty() {
        return Ok(());
    }
    let actions = Conditions::find(log, &spec.actions, &spec.nulls)?;
    for row in (0..log.rows()).filter(|row| !bad.contains_key(row)) {
        for (column, value) in actions.all_unmet(row) {
            out.add_unknown_action(column, &value);
        }
    }
    Ok(())
}

/// The rows that are flows, if others are among them; counts the non-flow records.
fn flow_rows(log: &Log<'_>, spec: &Spec, out: &mut Normalised) -> Result<Option<Vec<u32>>> {
    if spec.keep.is_empty() && spec.skip.is_empty() {
        return Ok(None);
    }
    let keep = Conditions::find(log, &spec.keep, &spec.nulls)?;
    let skip = Conditions::find(log, &spec.skip, &spec.nulls)?;
    let mut flows = Vec::with_capacity(log.rows());
    for row in 0..log.rows() {
        match keep.unmet(row).or_else(|| skip.hit(row)) {
            None => flows.push(row as u32),
            Some((column, value)) => out.skip(column, &value),
        }
    }
    Ok((flows.len() < log.rows()).then_some(flows))
}
