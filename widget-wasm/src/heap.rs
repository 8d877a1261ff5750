//! The allocator of the module: a list of free blocks for each power of two.
//!
//! The standard one (dlmalloc) weighs 2 kB, a twentieth of what the widget may. This one never
//! gives a block back to another size, which costs memory and not much of it: what a chat holds are
//! short texts of few sizes. There is one thread, so the lists need no lock.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;
use core::ptr::null_mut;

const PAGE: usize = 65_536;
/// The smallest block has 2^4 bytes, which also holds the link to the next free one.
const SMALLEST: u32 = 4;

struct Heap {
    /// The first free block of each size, by its exponent; null if there is none.
    free: [Cell<*mut u8>; 32],
    /// What was never used lies between these two.
    next: Cell<usize>,
    end: Cell<usize>,
}

#[global_allocator]
static HEAP: Heap = Heap {
    free: [const { Cell::new(null_mut()) }; 32],
    next: Cell::new(0),
    end: Cell::new(0),
};

// SAFETY: the module runs on one thread; workers would get an instance of their own.
unsafe impl Sync for Heap {}

/// The exponent of the block for a layout: its size is a power of two, and so is what it is aligned to.
fn exponent(layout: &Layout) -> u32 {
    let size = layout.size().max(layout.align()).max(1 << SMALLEST);
    usize::BITS - (size - 1).leading_zeros()
}

// SAFETY: blocks come from memory that nobody else uses, do not overlap, and are aligned to their
// own size, which is no smaller than what the layout asks for. A block is in a list only while it
// is free.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let exponent = exponent(&layout);
        let Some(list) = self.free.get(exponent as usize) else {
            return null_mut();
        };
        let first = list.get();
        if !first.is_null() {
            // SAFETY: a free block begins with the address of the next one.
            list.set(unsafe { *first.cast::<*mut u8>() });
            return first;
        }
        self.take(1 << exponent)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(list) = self.free.get(exponent(&layout) as usize) {
            // SAFETY: the block is ours again, and large enough for a link.
            unsafe { *block.cast::<*mut u8>() = list.get() };
            list.set(block);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has seen to it that the size is possible.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if exponent(&wanted) == exponent(&layout) {
            return block;
        }
        // SAFETY: both blocks are at least as large as the smaller of the two sizes.
        unsafe {
            let other = self.alloc(wanted);
            if !other.is_null() {
                block.copy_to_nonoverlapping(other, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            other
        }
    }
}

impl Heap {
    /// A block of memory that was never used; null if there is none.
    fn take(&self, size: usize) -> *mut u8 {
        let mut start = self.next.get().next_multiple_of(size);
        if start + size > self.end.get() {
            let grown = memory_size::<0>() * PAGE;
            // What lay between is contiguous with what comes, unless something else has grown the memory.
            if grown != self.end.get() {
                start = grown.next_multiple_of(size);
            }
            let pages = (start + size - grown).div_ceil(PAGE);
            if memory_grow::<0>(pages) == usize::MAX {
                return null_mut();
            }
            self.end.set(grown + pages * PAGE);
        }
        self.next.set(start + size);
        start as *mut u8
    }
}
