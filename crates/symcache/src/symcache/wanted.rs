//! Records that are wanted, in the order of the file, each once.

/// Numbers of records, and who wants each.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Record and who, in one word, for those sort fastest.
    pairs: Vec<u64>,
}

/// All who want one record: never none.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a>(&'a [u64]);

impl Wanted {
    pub(crate) fn push(&mut self, record: u32, who: u32) {
        self.pairs.push(u64::from(record) << 32 | u64::from(who));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// By record, ascending.
    pub(crate) fn groups(&mut self) -> Vec<Group<'_>> {
        if !self.pairs.is_sorted() {
            self.pairs.sort_unstable();
        }
        self.pairs.chunk_by(|one, next| one >> 32 == next >> 32).map(Group).collect()
    }
}

impl Group<'_> {
    pub(crate) fn record(self) -> u32 {
        (self.0[0] >> 32) as u32
    }

    pub(crate) fn who(self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|pair| *pair as u32 as usize)
    }
}
