//! Flow words: the vocabulary of the topic model, by the rules of Apache Spot's spot-ml.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;

use crate::columns::interner::Interner;
use crate::columns::parallel::by_row;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::flow::view::{Integers, Times};

/// Port of flows between two well-known ports.
const BOTH_LOW: u32 = 111_111;
/// Port of flows between two ports that are not well-known.
const BOTH_HIGH: u32 = 333_333;
/// Highest port that counts as well-known.
const MAX_LOW: u32 = 1024;
const HOUR: i64 = 3_600_000_000;

/// The word of a flow at one of its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    protocol: u32,
    port: u32,
    /// Whether the port belongs to this endpoint.
    own_port: bool,
    hour: u8,
    bytes: u8,
    packets: u8,
}

/// The service port of a flow, and whether it belongs to the source or the destination.
fn port(src: u32, dst: u32) -> (u32, bool, bool) {
    match (src, dst) {
        (0, 0) => (0, false, false),
        (src, 0) => (src, true, false),
        (0, dst) => (dst, false, true),
        (src, dst) => match (src <= MAX_LOW, dst <= MAX_LOW) {
            (true, true) => (BOTH_LOW, false, false),
            (false, false) => (BOTH_HIGH, false, false),
            (true, false) => (src, true, false),
            (false, true) => (dst, false, true),
        },
    }
}

/// `log2(count + 1)` rounded up; a missing count is 0, a negative one has no magnitude.
fn magnitude(count: Option<i64>) -> Option<u8> {
    let count = u64::try_from(count.unwrap_or_default()).ok()?;
    Some((u64::BITS - count.leading_zeros()) as u8)
}

/// The columns of a batch that words are made of.
struct WordColumns {
    protocols: Vec<Option<u32>>,
    starts: Times,
    ports: [Integers; 2],
    bytes: Integers,
    packets: Integers,
}

impl WordColumns {
    fn read(batch: &FlowBatch, names: &mut Interner) -> Result<Self> {
        let integers = |name: &str| Integers::read(batch, name);
        let protocols = names.encode(&batch.text("protocol")?);
        Ok(Self {
            protocols: by_row(batch.rows(), |row| protocols.id(row).get()),
            starts: Times::starts(batch)?,
            ports: [integers("src_port")?, integers("dst_port")?],
            bytes: integers("src_bytes")?,
            packets: integers("src_packets")?,
        })
    }

    /// The words of a row at its source and destination; `None` if the flow has no start or
    /// protocol, or a number is out of range.
    fn words(&self, row: usize) -> Option<[Word; 2]> {
        let start = self.starts.get(row)?;
        let ports = self.ports.each_ref();
        let [src, dst] = ports.map(|ports| u16::try_from(ports.count(row)).map(u32::from));
        let (port, of_src, of_dst) = port(src.ok()?, dst.ok()?);
        let word = Word {
            protocol: self.protocols[row]?,
            port,
            own_port: of_src,
            hour: start.div_euclid(HOUR).rem_euclid(24) as u8,
            bytes: magnitude(self.bytes.get(row))?,
            packets: magnitude(self.packets.get(row))?,
        };
        let at_dst = Word {
            own_port: of_dst,
            ..word
        };
        Some([word, at_dst])
    }
}

/// Columns `src_word` and `dst_word` of every flow, dictionary-encoded with one sorted dictionary.
/// A flow without words has nulls.
pub fn flow_words(batches: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let mut protocols = Interner::default();
    let mut rows: Vec<Option<[Word; 2]>> = Vec::new();
    for batch in batches {
        let batch = batch?;
        let columns = WordColumns::read(&batch, &mut protocols)?;
        rows.extend(by_row(batch.rows(), |row| columns.words(row)));
    }
    let mut vocabulary: Vec<Word> = rows.iter().flatten().flatten().copied().collect();
    vocabulary.par_sort_unstable();
    vocabulary.dedup();
    let protocols = protocols.into_sorted();
    let text = |word: &Word| {
        let mut text = String::from(if word.own_port { "-1_" } else { "" });
        let protocol = protocols.value(protocols.rank(Some(word.protocol).into()));
        let Word { port, hour, .. } = word;
        // Writing to a string cannot fail.
        let _ = write!(text, "{port}_{}_{hour}", protocol.unwrap_or_default());
        let _ = write!(text, "_{}_{}", word.bytes, word.packets);
        text
    };
    let mut texts: Vec<(String, u32)> = vocabulary.iter().map(text).zip(0..).collect();
    texts.par_sort_unstable();
    let mut ranks = vec![0; texts.len()];
    for (rank, (_, index)) in (0..).zip(&texts) {
        ranks[*index as usize] = rank;
    }
    i32::try_from(texts.len())
        .map_err(|_| Error::Argument("too many distinct flow words for a dictionary".into()))?;
    let values: Arc<StringArray> = Arc::new(texts.iter().map(|(text, _)| Some(text)).collect());
    let column = |side: usize| -> Result<ArrayRef> {
        let keys = by_row(rows.len(), |row| {
            let word = rows[row].map(|words| words[side]);
            word.and_then(|word| vocabulary.binary_search(&word).ok())
                .map(|index| ranks[index])
        });
        let keys: Int32Array = keys.into_iter().collect();
        Ok(Arc::new(DictionaryArray::try_new(keys, values.clone())?))
    };
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = ["src_word", "dst_word"].map(|name| Field::new(name, kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    Ok(RecordBatch::try_new(schema, vec![column(0)?, column(1)?])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_port_has_an_owner() {
        for (src, dst, expected) in [
            (0, 0, (0, false, false)),
            (53, 0, (53, true, false)),
            (0, 50_000, (50_000, false, true)),
            (22, 443, (BOTH_LOW, false, false)),
            (1024, 1024, (BOTH_LOW, false, false)),
            (1025, 50_000, (BOTH_HIGH, false, false)),
            (1024, 1025, (1024, true, false)),
            (50_000, 443, (443, false, true)),
        ] {
            assert_eq!(port(src, dst), expected, "{src} {dst}");
        }
    }

    #[test]
    fn magnitudes_are_logarithms_rounded_up() {
        for count in (0..5000).chain([(1 << 40) - 1, 1 << 40, (1 << 40) + 1]) {
            let expected = ((count + 1) as f64).log2().ceil() as u8;
            assert_eq!(magnitude(Some(count)), Some(expected), "{count}");
        }
        assert_eq!(magnitude(None), Some(0));
        assert_eq!(magnitude(Some(i64::MAX)), Some(63));
        assert_eq!(magnitude(Some(-1)), None);
    }
}
