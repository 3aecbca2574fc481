//! Memory through which the host and the crate exchange data.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use crate::conversion_error::{ConversionError, Reason};
use crate::{LocationsJson, PageCache, SymcacheFile};

/// State that outlives a call. WebAssembly without threads has one caller, and no call enters another.
pub(super) struct HostBuffers {
    pub(super) inbox: Vec<u8>,
    message: Message,
    pub(super) symcache_file: Option<SymcacheFile>,
    pub(super) output: Vec<u8>,
    pub(super) page_cache: Rc<RefCell<PageCache>>,
    pub(super) locations: LocationsJson,
    /// Address and length of each of its columns.
    pub(super) columns: Vec<(*const u8, usize)>,
}

static mut BUFFERS: Option<HostBuffers> = None;

pub(super) fn host_buffers() -> &'static mut HostBuffers {
    // SAFETY: one thread, and no exported function calls another or keeps the reference.
    let buffers = unsafe { &mut *&raw mut BUFFERS };
    buffers.get_or_insert_with(|| {
        std::panic::set_hook(Box::new(|panic| {
            let mut message = Message::default();
            let _ = write!(message, "{panic}");
            // SAFETY: a trap follows, so older references are not used again.
            if let Some(buffers) = unsafe { &mut *&raw mut BUFFERS } {
                buffers.message = message;
            }
        }));
        HostBuffers {
            inbox: Vec::new(),
            message: Message::default(),
            symcache_file: None,
            output: Vec::new(),
            page_cache: Rc::new(RefCell::new(PageCache::new(0))),
            locations: LocationsJson::default(),
            columns: Vec::new(),
        }
    })
}

/// Text for the host, of bounded length and without an allocation, because it may have to report that memory ran out.
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
        let available = self.bytes.len() - self.length;
        let text = &text[..text.floor_char_boundary(available)];
        self.bytes[self.length..][..text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// The buffers without the last call's message.
pub(super) fn cleared_buffers() -> &'static mut HostBuffers {
    let buffers = host_buffers();
    buffers.message.length = 0;
    buffers
}

impl HostBuffers {
    pub(super) fn set_message(&mut self, message: impl std::fmt::Display) {
        self.message.length = 0;
        let _ = write!(self.message, "{message}");
    }

    /// Keeps an error's message, and returns its code for the host: 1 to 4 in the order of [`Reason`].
    pub(super) fn fail(&mut self, error: &ConversionError) -> u32 {
        self.set_message(&error.message);
        match error.reason {
            Reason::BadDebugId => 1,
            Reason::OtherDebugId => 2,
            Reason::Malformed => 3,
            Reason::NotASymFile => 4,
        }
    }

    /// The debug filename and the debug id, which are consecutive in the inbox.
    pub(super) fn module(&self, filename_length: usize, id_length: usize) -> (String, String) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (filename, rest) = self.inbox.split_at(filename_length);
        (text(filename), text(&rest[..id_length]))
    }
}

/// The address to which the host may write `length` bytes for the next call.
#[unsafe(no_mangle)]
pub extern "C" fn inbox(length: usize) -> *mut u8 {
    let inbox = &mut host_buffers().inbox;
    if inbox.len() < length {
        *inbox = Vec::new();
        *inbox = vec![0; length];
    }
    inbox.as_mut_ptr()
}

/// The address of the last failure's message, or of the module's name after [`super::looking_up::symcache_open`].
#[unsafe(no_mangle)]
pub extern "C" fn message_at() -> *const u8 {
    host_buffers().message.bytes.as_ptr()
}

/// The length in bytes of the last failure's message.
#[unsafe(no_mangle)]
pub extern "C" fn message_length() -> usize {
    host_buffers().message.length
}
