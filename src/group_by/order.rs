//! Sorting of keys.

/// Number of fields of a key; unused ones are 0.
pub const FIELDS: usize = 5;

/// A key of a result, ordered by its fields.
pub trait Rank: Copy + Send {
    /// The fields, most significant first.
    fn fields(&self) -> [u64; FIELDS];
}

/// Indices that sort distinct keys.
///
/// The bits that differ between keys are packed into a word with the index of each key, as far as
/// they fit; words are sorted faster than keys.
pub fn order<R: Rank>(keys: &[R]) -> Vec<u32> {
    let index_bits = usize::BITS - keys.len().leading_zeros();
    let pack = packing(keys);
    let index_mask = (1_u64 << index_bits) - 1;
    let mut words: Vec<u64> = keys
        .iter()
        .zip(0_u64..)
        .map(|(key, index)| pack(key) & !index_mask | index)
        .collect();
    words.sort_unstable();
    let mut order: Vec<u32> = words
        .iter()
        .map(|word| (word & index_mask) as u32)
        .collect();
    let mut rest = order.as_mut_slice();
    for same in words.chunk_by(|a, b| a >> index_bits == b >> index_bits) {
        let (own, others) = rest.split_at_mut(same.len());
        if own.len() > 1 {
            own.sort_unstable_by_key(|index| keys[*index as usize].fields());
        }
        rest = others;
    }
    order
}

/// Pack the bits that differ between keys, field by field from the highest bit.
fn packing<R: Rank>(keys: &[R]) -> impl Fn(&R) -> u64 {
    let mut differing = [0; FIELDS];
    if let [first, others @ ..] = keys {
        let first = first.fields();
        for key in others {
            let fields = key.fields();
            for field in 0..FIELDS {
                differing[field] |= fields[field] ^ first[field];
            }
        }
    }
    let mut free = u64::BITS as i32;
    let parts = differing.map(|bits| {
        let width = u64::BITS - bits.leading_zeros();
        free -= width as i32;
        // Bits beyond the lowest bit of the word are shifted out.
        let mask = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
        let beyond = (-free).max(0) as u32;
        match u64::BITS.checked_sub(beyond) {
            Some(1..) => (mask, free.max(0) as u32 % u64::BITS, beyond),
            _ => (0, 0, 0),
        }
    });
    move |key| {
        let fields = key.fields().into_iter().zip(parts);
        fields.fold(0, |word, (field, (mask, left, right))| {
            word | (field & mask) << left >> right
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Rank for [u64; FIELDS] {
        fn fields(&self) -> [u64; FIELDS] {
            *self
        }
    }

    proptest! {
        #[test]
        fn keys_are_sorted(
            keys in prop::collection::hash_set(prop::array::uniform5(prop_oneof![
                0_u64..3,
                any::<u64>(),
                any::<u32>().prop_map(|low| 7 << 40 | u64::from(low)),
            ]), 0..80),
        ) {
            let keys: Vec<_> = keys.into_iter().collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            let sorted: Vec<_> = order(&keys).into_iter().map(|index| keys[index as usize]).collect();
            prop_assert_eq!(sorted, expected);
        }
    }
}
