//! Symcache files whose checksums are right and whose numbers are not: opened or refused, answered or found damaged, but
//! never a panic, nor a loop.

#![no_main]

#[path = "../../tests/judge/mod.rs"]
mod judge;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use judge::{convert, read_from, trailer};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use symcache::trailer::{PAGE, Trailer, page_checksum};
use symcache::{Damaged, PageCache, ReadAt, Symcache};

const DEBUG_FILENAME: &str = "a.so";
const DEBUG_ID: &str = "A1B2C3D4E5F60718293A4B5C6D7E8F901";

/// What becomes of a good symcache file before it is looked into.
#[derive(Arbitrary, Debug)]
struct Forgery {
    /// Of many pages, and more ranges than there are between two samples.
    large: bool,
    words: Vec<(Section, u16, Number)>,
    /// Bytes by which the symcache becomes shorter or longer.
    resized_by: Option<i8>,
    samples: Vec<(u8, Number)>,
    one_more_sample: Option<u32>,
    /// A byte that changes when the checksums are made.
    damage: Option<(u16, u8)>,
    /// Reads that succeed.
    reads: Option<u8>,
    /// Pages that are kept in memory.
    pages: u8,
    /// Pages that are read ahead at a time, from 1, if any.
    read_ahead: Option<u8>,
    offsets: Vec<Number>,
}

/// A part of a symcache.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Section {
    Header,
    Files,
    Functions,
    Locations,
    Ranges,
    Strings,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(u8),
    Medium(u16),
    Any(u32),
    None,
}

impl From<Number> for u32 {
    fn from(number: Number) -> Self {
        match number {
            Number::Small(number) => number.into(),
            Number::Medium(number) => number.into(),
            Number::Any(number) => number,
            Number::None => Self::MAX,
        }
    }
}

/// A good symcache and its trailer.
struct Genuine {
    payload: Vec<u8>,
    trailer: Trailer,
    /// Where the sections begin, and where the last one ends.
    sections: [usize; 7],
}

impl Genuine {
    fn new(text: &str) -> Self {
        let text = format!("MODULE Linux x86_64 {DEBUG_ID} a.so\nFILE 0 a.c\nFILE 1 /b/b.c\nINLINE_ORIGIN 0 g\n{text}");
        let mut payload = convert(DEBUG_FILENAME, DEBUG_ID, text.as_bytes(), &[text.len()]).unwrap();
        let trailer = trailer(&payload);
        payload.truncate(trailer.payload_length as usize);
        let number = |at: usize| u32::from_le_bytes(*payload[at..at + 4].as_array().unwrap()) as usize;
        let [files, functions, locations, ranges] = [44, 48, 52, 56].map(number);
        let mut sections = [0, 80, 24 * files, 16 * functions, 16 * locations, (4 * ranges).next_multiple_of(8), 0];
        for i in 2..6 {
            sections[i] += sections[i - 1];
        }
        sections[6] = payload.len();
        Self { payload, trailer, sections }
    }
}

static SMALL: LazyLock<Genuine> = LazyLock::new(|| {
    Genuine::new("FUNC 10 20 0 f\nINLINE 0 1 0 0 14 8\nINLINE 1 2 1 0 14 4\n10 20 3 1\nFUNC 30 4 0 h\nPUBLIC 40 0 p\n")
});

static LARGE: LazyLock<Genuine> = LazyLock::new(|| {
    let function = |at: u32| {
        let inside = at + 4;
        format!(
            "FUNC {at:x} 10 0 function {at}\nINLINE 0 1 0 0 {inside:x} 8\nINLINE 1 2 1 0 {inside:x} 4\n{at:x} 10 3 1\n"
        )
    };
    Genuine::new(&(0..700).map(|number| function(0x20 * number)).collect::<String>())
});

impl Forgery {
    fn file(&self) -> Vec<u8> {
        let genuine = if self.large { &*LARGE } else { &*SMALL };
        let mut payload = genuine.payload.clone();
        for (section, index, number) in &self.words {
            let (start, end) = (genuine.sections[*section as usize], genuine.sections[*section as usize + 1]);
            let Some(words) = ((end - start) / 4).checked_sub(1) else { continue };
            let at = start + 4 * (usize::from(*index) % (words + 1));
            payload[at..at + 4].copy_from_slice(&u32::from(*number).to_le_bytes());
        }
        if let Some(change) = self.resized_by {
            payload.resize(payload.len().saturating_add_signed(change.into()), 0);
        }
        let mut samples = genuine.trailer.samples.clone();
        for (index, number) in &self.samples {
            let count = samples.len();
            samples[usize::from(*index) % count] = (*number).into();
        }
        samples.extend(self.one_more_sample);
        let trailer = Trailer {
            debug_filename: DEBUG_FILENAME.to_owned(),
            debug_id: DEBUG_ID.to_owned(),
            module_name: DEBUG_FILENAME.to_owned(),
            payload_length: payload.len() as u64,
            samples,
            pages: payload.chunks(PAGE).enumerate().map(|(number, page)| page_checksum(page, number)).collect(),
        };
        let mut file = payload;
        file.extend(trailer.to_bytes());
        if let Some((at, bits)) = self.damage {
            let at = usize::from(at) % file.len();
            file[at] ^= bits;
        }
        file
    }

    fn read_at(&self, file: Vec<u8>) -> ReadAt {
        let mut read_at = read_from(file);
        let mut reads = self.reads;
        Box::new(move |into, offset| {
            if let Some(reads) = &mut reads {
                *reads = reads.checked_sub(1)?;
            }
            read_at(into, offset)
        })
    }
}

fn open(forgery: &Forgery) -> Result<Symcache, Damaged> {
    let file = forgery.file();
    let size = file.len() as u64;
    let cache = Rc::new(RefCell::new(PageCache::new(forgery.pages.into())));
    let mut symcache = Symcache::open(forgery.read_at(file.clone()), size, DEBUG_FILENAME, DEBUG_ID, &cache)?;
    if let Some(pages) = forgery.read_ahead {
        while !symcache.read_ahead(1 + usize::from(pages))? {}
    }
    Ok(symcache)
}

fuzz_target!(|forgery: Forgery| {
    let Ok(mut symcache) = open(&forgery) else { return };
    let offsets: Vec<u32> = forgery.offsets.iter().map(|offset| (*offset).into()).collect();
    let Ok(locations) = symcache.look_up(&offsets) else { return };

    assert_eq!(locations.starts.len(), offsets.len() + 1);
    assert_eq!(locations.function_starts.len(), offsets.len());
    assert!(locations.starts.is_sorted());
    let rows = *locations.starts.last().unwrap() as usize;
    assert_eq!([locations.functions.len(), locations.files.len(), locations.lines.len()], [rows; 3]);
    // The reader hands them out unchecked.
    assert!(locations.strings.iter().all(|string| str::from_utf8(string.as_bytes()).is_ok()));
    let strings = locations.strings.iter().count() as u32;
    assert!(locations.functions.iter().chain(&locations.files).all(|string| *string < strings));
    if let Ok(json) = locations.into_json(1 << 20) {
        assert!(str::from_utf8(&json.text).is_ok());
    }
});
