//! Records whose packets had other addresses, as at a NAT gateway.

use crate::error::Result;
use crate::ip::Ip;
use crate::normalise::endpoints::Ends;
use crate::normalise::log::Log;
use crate::normalise::spec::Spec;
use crate::normalise::values::Cells;

/// Number of records in whose packets an endpoint had another address.
pub fn count(log: &Log<'_>, spec: &Spec, ends: &Ends) -> Result<u64> {
    if spec.translated.is_empty() {
        return Ok(0);
    }
    let pairs = spec.translated.iter().map(|(own, packet)| {
        let cells = |name| Cells::find(log, name, &spec.nulls);
        Ok((cells(own)?, cells(packet)?))
    });
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    let differ = |record: usize| {
        pairs.iter().any(|(own, packet)| {
            let (Some(own), Some(packet)) = (own.get(record), packet.get(record)) else {
                return false;
            };
            let other = || Some(Ip::parse(&own)? != Ip::parse(&packet)?);
            own != packet && other() == Some(true)
        })
    };
    let records = ends.flows.chunk_by(|a, b| a.record == b.record);
    Ok(records
        .filter(|flows| differ(flows[0].record as usize))
        .count() as u64)
}
