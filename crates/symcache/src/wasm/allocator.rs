//! Tells the host when the memory is full.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator. It remembers an allocation that did not fit, because a trap without a message follows.
struct Allocator {
    refused: AtomicUsize,
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator { refused: AtomicUsize::new(0) };

impl Allocator {
    fn checked(&self, address: *mut u8, bytes: usize) -> *mut u8 {
        if address.is_null() {
            self.refused.store(bytes, Ordering::Relaxed);
        }
        address
    }
}

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller guarantees.
        self.checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller guarantees.
        self.checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as the caller guarantees.
        self.checked(unsafe { System.realloc(address, layout, bytes) }, bytes)
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        // SAFETY: as the caller guarantees.
        unsafe { System.dealloc(address, layout) }
    }
}

/// The size of the allocation for which the memory could not grow, 0 if there was none. It can be called after a trap.
#[unsafe(no_mangle)]
pub extern "C" fn refused_bytes() -> usize {
    ALLOCATOR.refused.load(Ordering::Relaxed)
}
