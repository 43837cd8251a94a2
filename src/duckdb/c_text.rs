//! Texts to and from the C API. Refused: a text that holds a NUL, which ends a text there.

use std::ffi::{CStr, CString, c_char};

use crate::error::{Error, Result};

/// Copies a C string; null is empty.
///
/// # Safety
/// `message` is null or a NUL-terminated string that lives during the call.
pub(crate) unsafe fn text(message: *const c_char) -> String {
    if message.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
}

/// A text for the C API, which ends at NUL.
pub(crate) fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::usage("SQL and names must not hold a NUL byte"))
}
