//! Buffers of a column that come back when nobody holds the arrays made of them any more.
//!
//! In: the values of a finished column. Out: an Arrow buffer over them, and later the same vector for another batch.
//! Without this, memory goes from the threads that decode through the allocator to those that drop, and on its way it is
//! given to the system and taken from it again, page by page: a twentieth of the time of a load.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arrow::buffer::Buffer;
use arrow::datatypes::ArrowNativeType;

/// Vectors that are kept at most: about as many as batches are on their way.
const KEPT: usize = 32;

/// The buffers of one column that wait for their next use.
#[derive(Debug, Default)]
pub(crate) struct Stash(Mutex<Vec<Box<dyn Any + Send>>>);

impl Stash {
    /// A vector with room for `capacity` values; what is in it is of no meaning.
    pub(crate) fn take<T: ArrowNativeType>(&self, capacity: usize) -> Vec<T> {
        let mut kept = self.kept();
        let found = kept.iter().rposition(|values| values.is::<Vec<T>>()).map(|at| kept.swap_remove(at));
        drop(kept);
        let mut values =
            found.and_then(|values| values.downcast::<Vec<T>>().ok()).map_or_else(Vec::new, |values| *values);
        values.reserve_exact(capacity.saturating_sub(values.len()));
        values
    }

    /// The first `len` values as a buffer. The vector comes back with the buffer's last user, unless the stash is gone by
    /// then.
    pub(crate) fn lend<T: ArrowNativeType>(self: &Arc<Self>, values: Vec<T>, len: usize) -> Buffer {
        let lent = Arc::new(Lent { values: AssertUnwindSafe(values), home: Arc::downgrade(self) });
        let shown = &lent.values[..len];
        let (start, bytes) = (NonNull::from(shown).cast::<u8>(), size_of_val(shown));
        // SAFETY: the bytes are those of the vector's values, which neither move nor change before `lent` is dropped.
        unsafe { Buffer::from_custom_allocation(start, bytes, lent) }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Box<dyn Any + Send>>> {
        // Whoever panics with the lock leaves whole vectors behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values that a buffer shows. Arrow wants to know that they are sound after a panic; numbers are.
struct Lent<T: ArrowNativeType> {
    values: AssertUnwindSafe<Vec<T>>,
    home: Weak<Stash>,
}

impl<T: ArrowNativeType> Drop for Lent<T> {
    fn drop(&mut self) {
        let Some(home) = self.home.upgrade() else { return };
        let values = std::mem::take(&mut self.values.0);
        let mut kept = home.kept();
        if kept.len() < KEPT {
            kept.push(Box::new(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_comes_back_with_the_last_user_of_its_buffer() {
        let stash = Arc::new(Stash::default());
        let mut values: Vec<i64> = stash.take(100);
        values.extend(0..100);
        let start = values.as_ptr();
        let buffer = stash.lend(values, 60);
        assert_eq!(buffer.typed_data::<i64>(), (0..60).collect::<Vec<_>>());
        let slice = buffer.slice(8);
        drop(buffer);
        assert!(stash.take::<i64>(10).is_empty(), "it is still in use");
        drop(slice);
        // Only for values of its own type.
        assert!(stash.take::<i32>(1).is_empty());
        let again = stash.take::<i64>(100);
        assert_eq!((again.as_ptr(), again.len()), (start, 100));
    }

    #[test]
    fn a_buffer_may_outlive_the_stash() {
        let stash = Arc::new(Stash::default());
        let buffer = stash.lend(vec![7i32; 3], 3);
        drop(stash);
        assert_eq!(buffer.typed_data::<i32>(), [7; 3]);
    }

    #[test]
    fn no_more_is_kept_than_is_of_use() {
        let stash = Arc::new(Stash::default());
        let lent: Vec<_> = (0..2 * KEPT).map(|_| stash.lend(vec![0u8; 8], 8)).collect();
        drop(lent);
        assert_eq!(stash.kept().len(), KEPT);
    }
}
