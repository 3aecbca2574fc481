//! From offsets to source locations.

use std::cell::RefCell;
use std::rc::Rc;

use super::host_buffers::{cleared_buffers, host_buffers};
use super::host_read_at;
use crate::trailer::PAGE;
use crate::{LookupError, PageCache, Symcache};

/// Sets the size of the page cache that symcaches opened from now on share.
#[unsafe(no_mangle)]
pub extern "C" fn limit_page_cache(bytes: f64) {
    host_buffers().page_cache = Rc::new(RefCell::new(PageCache::new(bytes as usize / PAGE)));
}

/// Opens the symcache file that the host knows as `file`, for the module whose debug filename and debug id are in the
/// inbox, or for any module if both are empty; null for a damaged one.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_open(
    file: u32,
    file_size: f64,
    filename_length: usize,
    id_length: usize,
) -> Option<Box<Symcache>> {
    let read_at = move |into: &mut [u8], offset: u64| {
        // SAFETY: the host fills at most the slice.
        let length = unsafe { host_read_at(file, offset as f64, into.as_mut_ptr(), into.len()) };
        usize::try_from(length).ok()
    };
    let buffers = cleared_buffers();
    let (debug_filename, debug_id) = buffers.module(filename_length, id_length);
    match Symcache::open(Box::new(read_at), file_size as u64, &debug_filename, &debug_id, &buffers.page_cache) {
        Ok(symcache) => {
            buffers.set_message(symcache.module_name());
            Some(Box::new(symcache))
        }
        Err(damaged) => {
            buffers.set_message(damaged);
            None
        }
    }
}

/// The length of a page.
#[unsafe(no_mangle)]
pub extern "C" fn page_bytes() -> usize {
    PAGE
}

/// The number of pages of the symcache.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_pages(symcache: &Symcache) -> usize {
    symcache.checksums().len()
}

/// The address of the checksums of the pages, 8 bytes each.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_checksums(symcache: &Symcache) -> *const u64 {
    symcache.checksums().as_ptr()
}

/// Leaves a description of the symcache as JSON at [`super::chunks::output_at`], and returns its length.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_describe(symcache: &mut Symcache) -> usize {
    let buffers = cleared_buffers();
    buffers.output = symcache.describe().into_bytes();
    buffers.output.len()
}

/// Reads the next `pages` into the page cache. Returns 0 if there are more, 1 for a damaged file, 2 if those were the last;
/// then the next call starts over.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_read_ahead(symcache: &mut Symcache, pages: usize) -> u32 {
    let buffers = cleared_buffers();
    match symcache.read_ahead(pages) {
        Ok(is_end) => 2 * u32::from(is_end),
        Err(damaged) => {
            buffers.set_message(damaged);
            1
        }
    }
}

/// Looks up the `count` offsets in the inbox, 4 bytes each. Returns 0 if [`columns_at`] has the result, 1 for a damaged
/// file, 2 if the result would have more than `max_bytes` of text.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_look_up(symcache: &mut Symcache, count: usize, max_bytes: f64) -> u32 {
    let buffers = cleared_buffers();
    let offsets: Vec<u32> =
        buffers.inbox[..4 * count].as_chunks::<4>().0.iter().map(|offset| u32::from_le_bytes(*offset)).collect();
    match symcache.look_up(&offsets).and_then(|locations| locations.into_json(max_bytes as usize)) {
        Ok(locations) => {
            buffers.locations = locations;
            0
        }
        Err(LookupError::Damaged(damaged)) => {
            buffers.set_message(damaged);
            1
        }
        Err(LookupError::TooLarge) => 2,
    }
}

/// The last lookup's columns as pairs of address and length in bytes, in the order of [`crate::LocationsJson`]. All but the
/// text are 4-byte integers.
#[unsafe(no_mangle)]
pub extern "C" fn columns_at() -> *const (*const u8, usize) {
    let buffers = host_buffers();
    let json = &buffers.locations;
    let numbers =
        [&json.starts, &json.function_starts, &json.row_starts, &json.function_ends, &json.row_ends, &json.ends]
            .map(|column| (column.as_ptr().cast(), size_of_val(column.as_slice())));
    let text = (json.text.as_ptr(), json.text.len());
    buffers.columns = [numbers.as_slice(), &[text]].concat();
    buffers.columns.as_ptr()
}

/// Closes a symcache.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_free(symcache: Box<Symcache>) {
    drop(symcache);
}
