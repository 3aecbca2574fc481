//! What goes between the host and the crate.

use std::cell::{RefCell, UnsafeCell};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Once;

use crate::conversion_error::{ConversionError, Reason};
use crate::{LocationsJson, PageCache, SymcacheFile};

/// What lies still between two calls. WebAssembly without threads has one caller, and no call enters another.
pub(super) struct Desk {
    pub(super) inbox: Vec<u8>,
    message: Message,
    pub(super) symcache_file: Option<SymcacheFile>,
    pub(super) chunk: Vec<u8>,
    pub(super) page_cache: Rc<RefCell<PageCache>>,
    pub(super) locations: LocationsJson,
}

pub(super) struct DeskCell(UnsafeCell<Option<Desk>>);

// SAFETY: one thread.
unsafe impl Sync for DeskCell {}

static DESK: DeskCell = DeskCell(UnsafeCell::new(None));
static PANIC_MESSAGES: Once = Once::new();

pub(super) fn desk() -> &'static mut Desk {
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
        chunk: Vec::new(),
        page_cache: Rc::new(RefCell::new(PageCache::new(0))),
        locations: LocationsJson::default(),
    })
}

/// Text for the host, of bounded length and without an allocation, for it may have to say that memory is short.
pub(super) struct Message {
    bytes: [u8; ConversionError::MAX_MESSAGE_BYTES],
    length: usize,
}

impl Default for Message {
    fn default() -> Self {
        Self { bytes: [0; ConversionError::MAX_MESSAGE_BYTES], length: 0 }
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
pub(super) fn clear_desk() -> &'static mut Desk {
    let desk = desk();
    desk.message.length = 0;
    desk
}

impl Desk {
    pub(super) fn say(&mut self, message: impl std::fmt::Display) {
        self.message.length = 0;
        let _ = write!(self.message, "{message}");
    }

    /// Notes an error, and gives its number for the host: 1 to 4 in the order of [`Reason`].
    pub(super) fn fail(&mut self, error: &ConversionError) -> u32 {
        self.say(&error.message);
        match error.reason {
            Reason::BadDebugId => 1,
            Reason::OtherDebugId => 2,
            Reason::Malformed => 3,
            Reason::NotASymFile => 4,
        }
    }

    /// The debug filename and the debug id that stand one after the other in the inbox.
    pub(super) fn module(&self, filename_length: usize, id_length: usize) -> (String, String) {
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
