//! Records to be read, in the order of the file, each once.

/// Indexes of records, and the index of what each was requested for.
#[derive(Default)]
pub(crate) struct PendingReads {
    /// Record and requester in one word, because words sort fastest.
    pairs: Vec<u64>,
}

/// All requests for one record, at least one.
#[derive(Clone, Copy)]
pub(crate) struct PendingRead<'a>(&'a [u64]);

impl PendingReads {
    pub(crate) fn push(&mut self, record: u32, requester: u32) {
        self.pairs.push(u64::from(record) << 32 | u64::from(requester));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// By record, ascending.
    pub(crate) fn by_record(&mut self) -> Vec<PendingRead<'_>> {
        if !self.pairs.is_sorted() {
            self.pairs.sort_unstable();
        }
        self.pairs.chunk_by(|one, next| one >> 32 == next >> 32).map(PendingRead).collect()
    }
}

impl PendingRead<'_> {
    pub(crate) fn record(self) -> u32 {
        (self.0[0] >> 32) as u32
    }

    pub(crate) fn requesters(self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|pair| *pair as u32 as usize)
    }
}
