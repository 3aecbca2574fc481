//! From offsets to ranges.

use crate::payload::Reader;
use crate::sections::Sections;
use crate::symcache::Damaged;
use crate::trailer::{PAGE, SAMPLE_EVERY};
use crate::wanted::NONE;

/// Ranges between two samples, one of which has the offset. They lie on one page or two.
#[derive(Clone, Copy)]
struct Window {
    offset: u32,
    /// Where in the result it belongs.
    position: usize,
    first: u32,
    /// The first one on the second page.
    middle: u32,
    end: u32,
    /// Whether it is more likely on the second page.
    begin_behind: bool,
}

/// The range that each offset is in, [`NONE`] before the first one. The offsets are ascending.
pub(crate) fn find_ranges(
    reader: &mut Reader,
    sections: &Sections,
    samples: &[u32],
    offsets: impl Iterator<Item = u32>,
) -> Result<Vec<u32>, Damaged> {
    let mut ranges = Vec::new();
    let mut windows = Vec::new();
    let mut next = 0;
    for (position, offset) in offsets.enumerate() {
        while samples.get(next).is_some_and(|sample| *sample <= offset) {
            next += 1;
        }
        ranges.push(NONE);
        if next > 0 {
            windows.push(Window::new(sections, samples, next - 1, offset, position));
        }
    }
    let begin = |window: Window| if window.begin_behind { window.middle } else { window.first };
    reader.for_each(&windows, |window| sections.range_at(begin(window)), |reader, window| {
        ranges[window.position] = window.find(reader, sections)?;
        Ok(())
    })?;
    Ok(ranges)
}

impl Window {
    fn new(sections: &Sections, samples: &[u32], sample: usize, offset: u32, position: usize) -> Self {
        let first = (sample * SAMPLE_EVERY) as u32;
        let end = sections.ranges.min(first + SAMPLE_EVERY as u32);
        let to_page_end = PAGE as u64 - sections.range_at(first) % PAGE as u64;
        let middle = end.min(first + (to_page_end / 4) as u32);
        // Ranges are of similar lengths, so the share of the addresses that lie before it tells where it will be.
        let (start, behind) = (samples[sample], samples.get(sample + 1).copied());
        let begin_behind = middle < end
            && behind.is_some_and(|behind| {
                let span = u64::from(behind.saturating_sub(start));
                u64::from(offset - start) * u64::from(end - first) >= u64::from(middle - first) * span
            });
        Self { offset, position, first, middle, end, begin_behind }
    }

    /// The last range that doesn't begin behind the offset.
    fn find(self, reader: &mut Reader, sections: &Sections) -> Result<u32, Damaged> {
        let mut before = |from: u32, to: u32| -> Result<u32, Damaged> {
            if from == to {
                return Ok(from);
            }
            let (ranges, _) = reader.rest(sections.range_at(from))?.as_chunks::<4>();
            let ranges = ranges.get(..(to - from) as usize).ok_or(Damaged("ranges behind its end"))?;
            Ok(from + ranges.partition_point(|start| u32::from_le_bytes(*start) <= self.offset) as u32)
        };
        let Self { first, middle, end, .. } = self;
        let found = if self.begin_behind {
            match before(middle, end)? {
                found if found == middle => before(first, middle)?,
                found => found,
            }
        } else {
            match before(first, middle)? {
                found if found == middle => before(middle, end)?,
                found => found,
            }
        };
        if found == first { Err(Damaged("ranges that don't begin with their sample")) } else { Ok(found - 1) }
    }
}
