//! Entries laid out by the part that they belong to.

/// Entries in the order of their parts, and in their own order within each.
#[derive(Debug)]
pub struct Scattered<T> {
    entries: Vec<T>,
    ends: Vec<u32>,
}

impl<T: Copy> Scattered<T> {
    /// Lays entries out in the parts numbered below `parts`.
    pub fn new(
        entries: impl ExactSizeIterator<Item = T>,
        parts: usize,
        part_of: impl Fn(&T) -> usize,
    ) -> Self {
        let mut ends = vec![0_u32; parts];
        let mut unordered = Vec::with_capacity(entries.len());
        let mut numbers = Vec::with_capacity(entries.len());
        for entry in entries {
            let part = part_of(&entry);
            ends[part] += 1;
            unordered.push(entry);
            numbers.push(part as u16);
        }
        let mut next = vec![0; parts];
        let mut total = 0;
        for (end, next) in ends.iter_mut().zip(&mut next) {
            *next = total;
            total += *end;
            *end = total;
        }
        let mut entries = unordered.clone();
        for (entry, part) in unordered.into_iter().zip(numbers) {
            let slot = &mut next[part as usize];
            entries[*slot as usize] = entry;
            *slot += 1;
        }
        Self { entries, ends }
    }

    /// The entries of a part.
    pub fn part(&self, part: usize) -> &[T] {
        let start = match part {
            0 => 0,
            _ => self.ends[part - 1],
        };
        &self.entries[start as usize..self.ends[part] as usize]
    }
}
