//! Looks up offsets in symcache files with valid checksums but corrupt values. Any result or error is fine, but no panic and no
//! endless loop.

#![no_main]

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use oracle::{convert, read_from, trailer};
use symcache::trailer::{PAGE, Trailer, page_checksum};
use symcache::{Damaged, PageCache, ReadAt, Symcache};

const DEBUG_FILENAME: &str = "a.so";
const DEBUG_ID: &str = "A1B2C3D4E5F60718293A4B5C6D7E8F901";

/// Changes of a valid symcache file.
#[derive(Arbitrary, Debug)]
struct Forgery {
    /// With many pages, and more ranges than between two samples.
    large: bool,
    words: Vec<(Section, u16, Integer)>,
    /// Bytes to remove or append.
    resized_by: Option<i8>,
    samples: Vec<(u8, Integer)>,
    extra_sample: Option<u32>,
    /// A byte to flip after the checksums are computed.
    damage: Option<(u16, u8)>,
    /// Number of reads that succeed.
    reads: Option<u8>,
    /// Size of the page cache.
    pages: u8,
    /// Pages to read ahead at a time, minus one.
    read_ahead: Option<u8>,
    offsets: Vec<Integer>,
}

/// A section of a symcache.
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
enum Integer {
    Small(u8),
    Medium(u16),
    Any(u32),
    None,
}

impl From<Integer> for u32 {
    fn from(number: Integer) -> Self {
        match number {
            Integer::Small(number) => number.into(),
            Integer::Medium(number) => number.into(),
            Integer::Any(number) => number,
            Integer::None => Self::MAX,
        }
    }
}

/// A valid symcache and its trailer.
struct Valid {
    payload: Vec<u8>,
    trailer: Trailer,
    /// Start of each section, and the end of the last one.
    sections: [usize; 7],
}

impl Valid {
    fn new(text: &str) -> Self {
        let text = format!("MODULE Linux x86_64 {DEBUG_ID} a.so\nFILE 0 a.c\nFILE 1 /b/b.c\nINLINE_ORIGIN 0 g\n{text}");
        let mut payload = convert(DEBUG_FILENAME, DEBUG_ID, text.as_bytes(), &[text.len()]).unwrap();
        let trailer = trailer(&payload);
        payload.truncate(trailer.payload_length as usize);
        let integer = |at: usize| u32::from_le_bytes(*payload[at..at + 4].as_array().unwrap()) as usize;
        let [files, functions, locations, ranges] = [44, 48, 52, 56].map(integer);
        let mut sections = [0, 80, 24 * files, 16 * functions, 16 * locations, (4 * ranges).next_multiple_of(8), 0];
        for i in 2..6 {
            sections[i] += sections[i - 1];
        }
        sections[6] = payload.len();
        Self { payload, trailer, sections }
    }
}

static SMALL: LazyLock<Valid> = LazyLock::new(|| {
    Valid::new("FUNC 10 20 0 f\nINLINE 0 1 0 0 14 8\nINLINE 1 2 1 0 14 4\n10 20 3 1\nFUNC 30 4 0 h\nPUBLIC 40 0 p\n")
});

static LARGE: LazyLock<Valid> = LazyLock::new(|| {
    let function = |at: u32| {
        let inside = at + 4;
        format!(
            "FUNC {at:x} 10 0 function {at}\nINLINE 0 1 0 0 {inside:x} 8\nINLINE 1 2 1 0 {inside:x} 4\n{at:x} 10 3 1\n"
        )
    };
    Valid::new(&(0..700).map(|index| function(0x20 * index)).collect::<String>())
});

impl Forgery {
    fn file(&self) -> Vec<u8> {
        let valid = if self.large { &*LARGE } else { &*SMALL };
        let mut payload = valid.payload.clone();
        for (section, index, number) in &self.words {
            let (start, end) = (valid.sections[*section as usize], valid.sections[*section as usize + 1]);
            let Some(words) = ((end - start) / 4).checked_sub(1) else { continue };
            let at = start + 4 * (usize::from(*index) % (words + 1));
            payload[at..at + 4].copy_from_slice(&u32::from(*number).to_le_bytes());
        }
        if let Some(change) = self.resized_by {
            payload.resize(payload.len().saturating_add_signed(change.into()), 0);
        }
        let mut samples = valid.trailer.samples.clone();
        for (index, number) in &self.samples {
            let count = samples.len();
            samples[usize::from(*index) % count] = (*number).into();
        }
        samples.extend(self.extra_sample);
        let trailer = Trailer {
            debug_filename: DEBUG_FILENAME.to_owned(),
            debug_id: DEBUG_ID.to_owned(),
            module_name: DEBUG_FILENAME.to_owned(),
            payload_length: payload.len() as u64,
            samples,
            pages: payload.chunks(PAGE).enumerate().map(|(index, page)| page_checksum(page, index)).collect(),
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
    // The lookup doesn't check them again.
    assert!(locations.strings.iter().all(|string| str::from_utf8(string.as_bytes()).is_ok()));
    let strings = locations.strings.iter().count() as u32;
    assert!(locations.functions.iter().chain(&locations.files).all(|string| *string < strings));
    if let Ok(json) = locations.into_json(1 << 20) {
        assert!(str::from_utf8(&json.text).is_ok());
    }
});
