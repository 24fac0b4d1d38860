//! Words of flows: what a topic model reads in place of text.
//!
//! The rules are those of Apache Spot's spot-ml.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch};
use arrow::array::{StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;

use crate::columns::cast::int64;
use crate::columns::interner::Interner;
use crate::columns::parallel::by_row;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;

/// Stands for two ports that both belong to named services.
const BOTH_LOW: u32 = 111_111;
/// Stands for two ports of which neither belongs to a named service.
const BOTH_HIGH: u32 = 333_333;
/// The last port that names a service.
const LAST_LOW: u32 = 1024;
const HOUR: i64 = 3_600_000_000;

/// What the word of a flow says of one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    protocol: u32,
    port: u32,
    /// Whether the named port is at this end.
    owner: bool,
    hour: u8,
    bytes: u8,
    packets: u8,
}

/// The named port of a flow, and whether its source or its destination owns it.
fn port(src: u32, dst: u32) -> (u32, bool, bool) {
    match (src, dst) {
        (0, 0) => (0, false, false),
        (src, 0) => (src, true, false),
        (0, dst) => (dst, false, true),
        (src, dst) => match (src <= LAST_LOW, dst <= LAST_LOW) {
            (true, true) => (BOTH_LOW, false, false),
            (false, false) => (BOTH_HIGH, false, false),
            (true, false) => (src, true, false),
            (false, true) => (dst, false, true),
        },
    }
}

/// The smallest whole number that is not below log2(count + 1); a missing count is none.
fn magnitude(count: Option<i64>) -> Option<u8> {
    let count = u64::try_from(count.unwrap_or_default()).ok()?;
    Some((u64::BITS - count.leading_zeros()) as u8)
}

/// The columns of a batch that make words.
struct Columns {
    protocols: Vec<Option<u32>>,
    times: Option<TimestampMicrosecondArray>,
    ports: [Option<Int64Array>; 2],
    bytes: Option<Int64Array>,
    packets: Option<Int64Array>,
}

fn value(array: Option<&Int64Array>, row: usize) -> Option<i64> {
    array.and_then(|array| array.is_valid(row).then(|| array.value(row)))
}

impl Columns {
    fn read(batch: &FlowBatch, names: &mut Interner) -> Result<Self> {
        let number = |name: &str| {
            let column = batch.column(name);
            column.map(|array| int64(name, array)).transpose()
        };
        let protocols = names.encode(&batch.text("protocol")?);
        Ok(Self {
            protocols: by_row(batch.rows(), |row| protocols.id(row).get()),
            times: batch.start_times()?,
            ports: [number("src_port")?, number("dst_port")?],
            bytes: number("src_bytes")?,
            packets: number("src_packets")?,
        })
    }

    /// The words of a row at its source and its destination; none where the flow has no start
    /// or no protocol, or where a number is out of its range.
    fn words(&self, row: usize) -> Option<[Word; 2]> {
        let time = self.times.as_ref().filter(|times| times.is_valid(row))?;
        let [src, dst] = [0, 1].map(|end| {
            let port = value(self.ports[end].as_ref(), row).unwrap_or_default();
            u16::try_from(port).map(u32::from)
        });
        let (port, of_src, of_dst) = port(src.ok()?, dst.ok()?);
        let word = Word {
            protocol: self.protocols[row]?,
            port,
            owner: of_src,
            hour: time.value(row).div_euclid(HOUR).rem_euclid(24) as u8,
            bytes: magnitude(value(self.bytes.as_ref(), row))?,
            packets: magnitude(value(self.packets.as_ref(), row))?,
        };
        let at_dst = Word {
            owner: of_dst,
            ..word
        };
        Some([word, at_dst])
    }
}

/// Columns `src_word` and `dst_word` of every flow, dictionary-encoded; both have the same
/// dictionary, in order. A flow that has no words has nulls.
pub fn flow_words(batches: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let mut protocols = Interner::default();
    let mut rows: Vec<Option<[Word; 2]>> = Vec::new();
    for batch in batches {
        let batch = batch?;
        let columns = Columns::read(&batch, &mut protocols)?;
        rows.extend(by_row(batch.rows(), |row| columns.words(row)));
    }
    let mut vocabulary: Vec<Word> = rows.iter().flatten().flatten().copied().collect();
    vocabulary.par_sort_unstable();
    vocabulary.dedup();
    let protocols = protocols.into_sorted();
    let text = |word: &Word| {
        let mut text = String::from(if word.owner { "-1_" } else { "" });
        let protocol = protocols.value(protocols.rank(Some(word.protocol).into()));
        let Word { port, hour, .. } = word;
        // Writing into a text does not fail.
        let _ = write!(text, "{port}_{}_{hour}", protocol.unwrap_or_default());
        let _ = write!(text, "_{}_{}", word.bytes, word.packets);
        text
    };
    let mut texts: Vec<(String, u32)> = vocabulary.iter().map(text).zip(0..).collect();
    texts.par_sort_unstable();
    let mut ranks = vec![0; texts.len()];
    for (rank, (_, place)) in (0..).zip(&texts) {
        ranks[*place as usize] = rank;
    }
    i32::try_from(texts.len())
        .map_err(|_| Error::Argument("there are too many distinct words of flows".into()))?;
    let values: Arc<StringArray> = Arc::new(texts.iter().map(|(text, _)| Some(text)).collect());
    let column = |end: usize| -> Result<ArrayRef> {
        let keys = by_row(rows.len(), |row| {
            let word = rows[row].map(|words| words[end]);
            word.and_then(|word| vocabulary.binary_search(&word).ok())
                .map(|place| ranks[place])
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
    fn the_named_port_is_told_with_its_owner() {
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
