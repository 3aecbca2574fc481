//! From offsets to source locations.

use std::cell::RefCell;
use std::mem;
use std::rc::Rc;
use std::slice;

use super::desk::{clear_desk, desk};
use super::host_read_at;
use crate::{LookupError, PageCache, Symcache};

/// Symcaches that are opened from now on keep so many pages in memory, together.
#[unsafe(no_mangle)]
pub extern "C" fn keep_pages(pages: usize) {
    desk().page_cache = Rc::new(RefCell::new(PageCache::new(pages)));
}

/// Opens the symcache file that the host knows as `file`, for the module whose debug filename and debug id are in the
/// inbox; null for a damaged one.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_open(file: u32, file_size: f64, filename_length: usize, id_length: usize) -> *mut Symcache {
    let read_at = move |into: &mut [u8], offset: u64| {
        // SAFETY: the slice is the host's to fill.
        let length = unsafe { host_read_at(file, offset as f64, into.as_mut_ptr(), into.len()) };
        usize::try_from(length).ok()
    };
    let desk = clear_desk();
    let (debug_filename, debug_id) = desk.module(filename_length, id_length);
    match Symcache::open(Box::new(read_at), file_size as u64, &debug_filename, &debug_id, &desk.page_cache) {
        Ok(symcache) => {
            desk.say(symcache.module_name());
            Box::into_raw(Box::new(symcache))
        }
        Err(damaged) => {
            desk.say(damaged);
            std::ptr::null_mut()
        }
    }
}

/// The length in bytes of what [`symcache_hold`] holds in the end.
///
/// # Safety
/// `symcache` came from [`symcache_open`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_payload_length(symcache: *const Symcache) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { &*symcache }.payload_length() as f64
}

/// Where the next bytes of the file belong, of so many pages of 4 KiB or what is left, until the symcache is freed.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_room(symcache: *mut Symcache, pages: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { &mut *symcache }.room(pages).as_mut_ptr()
}

/// Holds what was put into the room in memory. Gives 0 where it wants more, 1 for a damaged file, 2 where it has all.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_hold(symcache: *mut Symcache) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    match unsafe { &mut *symcache }.hold() {
        Ok(is_whole) => 2 * u32::from(is_whole),
        Err(damaged) => {
            desk.say(damaged);
            1
        }
    }
}

/// Looks up the `count` offsets in the inbox, 4 bytes each. Gives 0, and then the answer is what `column_at` says, 1 for
/// a damaged file, or 2 for an answer of more than `most_bytes` of text.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_look_up(symcache: *mut Symcache, count: usize, most_bytes: f64) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    let symcache = unsafe { &mut *symcache };
    let offsets: Vec<u32> =
        desk.inbox[..4 * count].as_chunks::<4>().0.iter().map(|offset| u32::from_le_bytes(*offset)).collect();
    match symcache.look_up(&offsets).and_then(|locations| locations.into_json(most_bytes as usize)) {
        Ok(locations) => {
            desk.locations = locations;
            0
        }
        Err(LookupError::Damaged(damaged)) => {
            desk.say(damaged);
            1
        }
        Err(LookupError::TooLarge) => 2,
    }
}

/// Where a column of the last answer is, in the order of [`crate::LocationsJson`]: all of 4-byte numbers but the text.
#[unsafe(no_mangle)]
pub extern "C" fn column_at(column: u32) -> *const u8 {
    column_bytes(column).as_ptr()
}

/// The length in bytes of a column of the last answer.
#[unsafe(no_mangle)]
pub extern "C" fn column_length(column: u32) -> usize {
    column_bytes(column).len()
}

fn column_bytes(column: u32) -> &'static [u8] {
    let desk = desk();
    let numbers = match column {
        0 => &desk.locations.starts,
        1 => &desk.locations.function_starts,
        2 => &desk.locations.row_starts,
        3 => &desk.locations.function_ends,
        4 => &desk.locations.row_ends,
        5 => &desk.locations.ends,
        _ => return &desk.locations.text,
    };
    // SAFETY: every bit pattern is a valid byte, and the numbers lie still until the next call.
    unsafe { slice::from_raw_parts(numbers.as_ptr().cast(), mem::size_of_val(numbers.as_slice())) }
}

/// Closes a symcache.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_free(symcache: *mut Symcache) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(symcache) });
}
