//! The strings of a symcache.

use std::borrow::Cow;

use siphasher::sip::SipHasher13;

/// Longer names and paths are truncated: every frame of a response repeats them.
pub const MAX_NAME_BYTES: usize = 131_072;

/// A random key.
pub type HashKey = [u8; 16];

/// Bytes of a segment of the section. A longer string gets a segment of its own.
const SEGMENT: usize = 1 << 20;

/// The string section of a symcache: each distinct string once, after its length in LEB128.
///
/// The section grows in segments, so that nothing is copied. A hash table with linear probing finds existing strings: a slot
/// is 0 or contains 32 bits of a string's hash and, in the low half, the string's offset plus one. The hash needs a secret key:
/// names that are made for equal hashes would take minutes.
#[derive(Default)]
pub(crate) struct StringTable {
    hasher: SipHasher13,
    segments: Vec<Vec<u8>>,
    /// For each segment the offset of its first byte.
    bases: Vec<usize>,
    length: usize,
    slots: Vec<u64>,
    count: usize,
}

impl StringTable {
    /// A table whose slots depend on the key, but not its section.
    pub(crate) fn new(key: &HashKey) -> Self {
        let hasher = SipHasher13::new_with_key(key);
        Self { hasher, slots: vec![0; 1 << 10], ..Self::default() }
    }

    /// The offset of a string, which is added if necessary.
    pub(crate) fn insert(&mut self, string: &str) -> u32 {
        let hash = self.hasher.hash(string.as_bytes()) >> 32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            if slot >> 32 == hash && self.get(slot as u32 - 1) == string.as_bytes() {
                return slot as u32 - 1;
            }
            at = (at + 1) & mask;
        }
        let offset = self.append(string);
        self.slots[at] = hash << 32 | (u64::from(offset) + 1);
        self.count += 1;
        if self.count > self.slots.len() / 2 {
            self.grow();
        }
        offset
    }

    /// The offset of a name, which is truncated if it is too long.
    pub(crate) fn insert_name(&mut self, name: &str) -> u32 {
        self.insert(&truncate(name))
    }

    /// The length of the section in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The section in pieces.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map(Vec::as_slice)
    }

    fn append(&mut self, string: &str) -> u32 {
        let offset = self.length;
        // A symcache refers to strings by 32-bit offsets. WebAssembly runs out of memory earlier.
        assert!(offset + string.len() + 10 < u32::MAX as usize, "more than 4 GB of names");
        let fits = self.segments.last().is_some_and(|last| last.capacity() - last.len() >= string.len() + 10);
        if !fits {
            let capacity = if self.segments.is_empty() { SEGMENT / 64 } else { SEGMENT };
            self.segments.push(Vec::with_capacity(capacity.max(string.len() + 10)));
            self.bases.push(offset);
        }
        let segment = self.segments.last_mut().expect("a segment");
        let before = segment.len();
        let mut length = string.len();
        while length >= 0x80 {
            segment.push(length as u8 | 0x80);
            length >>= 7;
        }
        segment.push(length as u8);
        segment.extend_from_slice(string.as_bytes());
        self.length += segment.len() - before;
        offset as u32
    }

    fn get(&self, offset: u32) -> &[u8] {
        let segment = self.bases.partition_point(|base| *base <= offset as usize) - 1;
        let mut at = offset as usize - self.bases[segment];
        let bytes = &self.segments[segment];
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = bytes[at];
            at += 1;
            length |= (byte as usize & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return &bytes[at..at + length];
            }
        }
    }

    /// Doubles the hash table.
    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        let mut slots = vec![0; mask + 1];
        for slot in self.slots.iter().filter(|slot| **slot != 0) {
            let mut at = (slot >> 32) as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = *slot;
        }
        self.slots = slots;
    }
}

/// Truncates a name to [`MAX_NAME_BYTES`], with an ellipsis, between characters.
pub(crate) fn truncate(name: &str) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if name.len() <= MAX_NAME_BYTES {
        return Cow::Borrowed(name);
    }
    let end = name.floor_char_boundary(MAX_NAME_BYTES - ELLIPSIS.len());
    Cow::Owned([&name[..end], ELLIPSIS].concat())
}

#[cfg(test)]
mod tests {
    use super::StringTable;

    #[test]
    fn returns_the_same_offset_for_equal_strings() {
        let mut table = StringTable::new(&[0; 16]);
        let strings: Vec<String> = (0..50_000).map(|i| format!("{i}{}", "é".repeat(i % 200))).collect();
        let offsets: Vec<u32> = strings.iter().map(|string| table.insert(string)).collect();
        assert!(offsets.is_sorted_by(|a, b| a < b));
        assert_eq!(strings.iter().map(|string| table.insert(string)).collect::<Vec<_>>(), offsets);

        let section: Vec<u8> = table.pieces().flatten().copied().collect();
        assert_eq!(section.len(), table.len());
        for (string, offset) in strings.iter().zip(offsets) {
            let prefix = if string.len() < 0x80 { 1 } else { 2 };
            assert_eq!(&section[offset as usize + prefix..][..string.len()], string.as_bytes());
        }
    }

    #[test]
    fn only_the_slots_depend_on_the_key() {
        let [one, other] = [[0; 16], [1; 16]].map(|key| {
            let mut table = StringTable::new(&key);
            let _: Vec<u32> = (0..100).map(|i| table.insert(&i.to_string())).collect();
            table
        });
        assert_ne!(one.slots, other.slots);
        assert!(one.pieces().eq(other.pieces()));
    }
}
