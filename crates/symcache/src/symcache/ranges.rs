//! From offsets to ranges.

use super::payload::Reader;
use crate::lookup_error::Damaged;
use crate::raw::{NONE, Sections};
use crate::trailer::{PAGE, SAMPLE_EVERY};

/// The ranges between two samples, one of which contains the offset. They are on one page or two.
#[derive(Clone, Copy)]
struct Window {
    offset: u32,
    /// Index in the result.
    position: usize,
    first: u32,
    /// The first one on the second page.
    middle: u32,
    end: u32,
    /// A range close to the wanted one, probably on the same page.
    guess: u32,
}

/// The range of each offset, [`NONE`] before the first one. The offsets are ascending.
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
    reader.for_each(
        &windows,
        |window| sections.range_at(window.guess),
        |reader, window| {
            ranges[window.position] = window.find(reader, sections)?;
            Ok(())
        },
    )?;
    Ok(ranges)
}

impl Window {
    fn new(sections: &Sections, samples: &[u32], sample: usize, offset: u32, position: usize) -> Self {
        let first = (sample * SAMPLE_EVERY) as u32;
        let end = sections.ranges.min(first + SAMPLE_EVERY as u32);
        let to_page_end = PAGE as u64 - sections.range_at(first) % PAGE as u64;
        let middle = end.min(first + (to_page_end / 4) as u32);
        // Interpolate, because ranges are of similar lengths.
        let start = samples[sample];
        let span = samples.get(sample + 1).map_or(u32::MAX, |behind| behind.saturating_sub(start)).max(1);
        let share = u64::from(end - first) * u64::from(offset - start) / u64::from(span);
        let guess = first + share.min(u64::from(end - first - 1)) as u32;
        Self { offset, position, first, middle, end, guess }
    }

    /// The last range that starts at or before the offset.
    fn find(self, reader: &mut Reader, sections: &Sections) -> Result<u32, Damaged> {
        let Self { first, middle, end, guess, .. } = self;
        let halves = [(first, middle), (middle, end)];
        let (near, far) = if guess < middle { (halves[0], halves[1]) } else { (halves[1], halves[0]) };
        let mut behind = self.first_behind(reader, sections, near)?;
        if behind == middle {
            behind = self.first_behind(reader, sections, far)?;
        }
        if behind == first { Err(Damaged("ranges that don't start with their sample")) } else { Ok(behind - 1) }
    }

    /// The first range behind the offset among `from..to`, which are on one page; `to` if there is none.
    fn first_behind(self, reader: &mut Reader, sections: &Sections, (from, to): (u32, u32)) -> Result<u32, Damaged> {
        if from == to {
            return Ok(to);
        }
        let (ranges, _) = reader.rest(sections.range_at(from))?.as_chunks::<4>();
        let ranges = ranges.get(..(to - from) as usize).ok_or(Damaged("ranges behind the end"))?;
        let is_before = |start: &[u8; 4]| u32::from_le_bytes(*start) <= self.offset;

        // Search near the guess first, because its neighbors are in the processor's cache.
        let guess = (self.guess.clamp(from, to - 1) - from) as usize;
        let (mut low, mut high, mut reach) = (guess, guess, 8);
        while low > 0 && !is_before(&ranges[low - 1]) || high < ranges.len() && is_before(&ranges[high]) {
            (low, high) = (guess.saturating_sub(reach), ranges.len().min(guess + reach));
            reach *= 4;
        }
        Ok(from + (low + ranges[low..high].partition_point(is_before)) as u32)
    }
}
