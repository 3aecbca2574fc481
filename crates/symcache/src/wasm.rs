//! How JavaScript calls the crate: numbers and spans of memory, nothing generated.
//!
//! The host writes what goes in (a chunk, names, offsets) to the inbox that [`inbox`] makes room in, and calls. Converters
//! and symcaches are known by their address. A call that can fail gives 0 or a reason; [`message_at`] and
//! [`message_length`] then say more. Spans that a call leaves are good until the next call.
//!
//! A panic traps. Its message is read the same way, and the instance is of no more use then.
//!
//! The host lends two functions for the files that it knows by number. `read_at` fills `length` bytes at `into` with those at
//! `offset` of a file, and gives the number of bytes read, or less than 0 for a failure. `write` appends the `length` bytes at
//! `from` to a file, and gives less than 0 for a failure.

use std::cell::{RefCell, UnsafeCell};
use std::fmt::Write;
use std::mem;
use std::rc::Rc;
use std::slice;
use std::sync::Once;

use crate::conversion_error::{ConversionError, Reason};
use crate::{Converter, Locations, LookupError, PageCache, Symcache, SymcacheFile};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    #[link_name = "read_at"]
    fn host_read_at(file: u32, offset: f64, into: *mut u8, length: usize) -> i32;
    #[link_name = "write"]
    fn host_write(file: u32, from: *const u8, length: usize) -> i32;
}

/// What lies still between two calls. WebAssembly without threads has one caller, and no call enters another.
struct Desk {
    inbox: Vec<u8>,
    message: Message,
    symcache_file: Option<SymcacheFile>,
    page_cache: Rc<RefCell<PageCache>>,
    locations: Locations,
}

struct DeskCell(UnsafeCell<Option<Desk>>);

// SAFETY: one thread.
unsafe impl Sync for DeskCell {}

static DESK: DeskCell = DeskCell(UnsafeCell::new(None));
static PANIC_MESSAGES: Once = Once::new();

fn desk() -> &'static mut Desk {
    // SAFETY: one thread, and no exported function calls another or keeps the reference.
    let desk = unsafe { &mut *DESK.0.get() };
    PANIC_MESSAGES.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let mut message = Message::default();
            let _ = write!(message, "{panic}");
            // SAFETY: the trap follows, nobody reads through an older reference again.
            if let Some(desk) = unsafe { &mut *DESK.0.get() } {
                desk.message = message;
            }
        }));
    });
    desk.get_or_insert_with(|| Desk {
        inbox: Vec::new(),
        message: Message::default(),
        symcache_file: None,
        page_cache: Rc::new(RefCell::new(PageCache::new(0))),
        locations: Locations::default(),
    })
}

/// Text for the host, of bounded length and without an allocation, for it may have to say that memory is short.
struct Message {
    bytes: [u8; ConversionError::LONGEST_MESSAGE],
    length: usize,
}

impl Default for Message {
    fn default() -> Self {
        Self { bytes: [0; ConversionError::LONGEST_MESSAGE], length: 0 }
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.len() - self.length;
        let text = &text[..text.floor_char_boundary(room)];
        self.bytes[self.length..][..text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// The desk, cleared of what the last call said.
fn clear_desk() -> &'static mut Desk {
    let desk = desk();
    desk.message.length = 0;
    desk
}

impl Desk {
    fn say(&mut self, message: impl std::fmt::Display) {
        self.message.length = 0;
        let _ = write!(self.message, "{message}");
    }

    /// Notes an error, and gives its number for the host: 1 to 4 in the order of [`Reason`].
    fn fail(&mut self, error: &ConversionError) -> u32 {
        self.say(&error.message);
        match error.reason {
            Reason::BadDebugId => 1,
            Reason::OtherDebugId => 2,
            Reason::Malformed => 3,
            Reason::NotASymFile => 4,
        }
    }

    /// The debug filename and the debug id that stand one after the other in the inbox.
    fn module(&self, filename_length: usize, id_length: usize) -> (String, String) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (filename, rest) = self.inbox.split_at(filename_length);
        (text(filename), text(&rest[..id_length]))
    }
}

/// Makes room for `length` bytes from the host, and says where.
#[unsafe(no_mangle)]
pub extern "C" fn inbox(length: usize) -> *mut u8 {
    let inbox = &mut desk().inbox;
    if inbox.len() < length {
        *inbox = Vec::new();
        *inbox = vec![0; length];
    }
    inbox.as_mut_ptr()
}

/// Where the last failure's message is.
#[unsafe(no_mangle)]
pub extern "C" fn message_at() -> *const u8 {
    desk().message.bytes.as_ptr()
}

/// The length in bytes of the last failure's message.
#[unsafe(no_mangle)]
pub extern "C" fn message_length() -> usize {
    desk().message.length
}

/// A converter for the module whose debug filename and debug id are in the inbox; null for a bad debug id.
#[unsafe(no_mangle)]
pub extern "C" fn converter_new(filename_length: usize, id_length: usize) -> *mut Converter {
    let desk = clear_desk();
    let (debug_filename, debug_id) = desk.module(filename_length, id_length);
    match Converter::new(&debug_filename, &debug_id) {
        Ok(converter) => Box::into_raw(Box::new(converter)),
        Err(error) => {
            desk.fail(&error);
            std::ptr::null_mut()
        }
    }
}

/// Converts the next `length` bytes, which are in the inbox. Gives 0, or the reason of a failure.
///
/// # Safety
/// `converter` came from [`converter_new`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn converter_push(converter: *mut Converter, length: usize) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    let converter = unsafe { &mut *converter };
    match converter.push(&desk.inbox[..length]) {
        Ok(()) => 0,
        Err(error) => desk.fail(&error),
    }
}

/// Ends the conversion and frees the converter. Gives 0, and then [`symcache_file_write`] writes the file, or the reason of a
/// failure.
///
/// # Safety
/// As for [`converter_push`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn converter_finish(converter: *mut Converter) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    let converter = unsafe { Box::from_raw(converter) };
    match converter.finish() {
        Ok(file) => {
            desk.symcache_file = Some(file);
            0
        }
        Err(error) => desk.fail(&error),
    }
}

/// The size in bytes of the finished symcache file.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_file_size() -> f64 {
    desk().symcache_file.as_ref().map_or(0.0, |file| file.size() as f64)
}

/// Appends the finished symcache file to the file that the host knows as `file`. Gives 0, or 1 where the host failed to write.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_file_write(file: u32) -> u32 {
    let Some(symcache_file) = &desk().symcache_file else { return 1 };
    let written = symcache_file.write(|piece| {
        // SAFETY: the host reads the slice and keeps nothing of it.
        let result = unsafe { host_write(file, piece.as_ptr(), piece.len()) };
        if result < 0 { Err(()) } else { Ok(()) }
    });
    u32::from(written.is_err())
}

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

/// The length in bytes of what [`symcache_hold`] takes.
///
/// # Safety
/// `symcache` came from [`symcache_open`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_payload_length(symcache: *const Symcache) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { &*symcache }.payload_length() as f64
}

/// Takes the next `length` bytes of the file, which are in the inbox, to be held in memory. Gives 0 where it wants more,
/// 1 for a damaged file, 2 where it has all.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_hold(symcache: *mut Symcache, length: usize) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    let symcache = unsafe { &mut *symcache };
    match symcache.hold(&desk.inbox[..length]) {
        Ok(is_whole) => 2 * u32::from(is_whole),
        Err(damaged) => {
            desk.say(damaged);
            1
        }
    }
}

/// Looks up the `count` offsets in the inbox, 4 bytes each. Gives 0, and then the answer is what [`column_at`] says, 1 for
/// a damaged file, or 2 for too large an answer.
///
/// # Safety
/// As for [`symcache_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symcache_look_up(symcache: *mut Symcache, count: usize) -> u32 {
    let desk = clear_desk();
    // SAFETY: the caller's promise.
    let symcache = unsafe { &mut *symcache };
    let offsets: Vec<u32> =
        desk.inbox[..4 * count].as_chunks::<4>().0.iter().map(|offset| u32::from_le_bytes(*offset)).collect();
    let answer = symcache.look_up(&offsets).and_then(|mut locations| {
        locations.strings.escape_for_json()?;
        Ok(locations)
    });
    match answer {
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

/// Where a column of the last answer is: starts, functions, files, lines, function starts, all of 4-byte numbers, then
/// where each string ends, and the bytes of all strings, as they stand in JSON between its quotes.
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
        1 => &desk.locations.functions,
        2 => &desk.locations.files,
        3 => &desk.locations.lines,
        4 => &desk.locations.function_starts,
        5 => &desk.locations.strings.ends,
        _ => return &desk.locations.strings.bytes,
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
