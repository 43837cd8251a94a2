//! One cheap, cloneable token that stops a run.
//!
//! In: [`CancelToken::cancel`] from any thread. Out: [`CancelToken::check`] fails from then on, and every
//! hook registered with [`CancelToken::on_cancel`] has run (DuckDB's interrupt is one).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{ErrorKind, Result};

type Hook = Box<dyn Fn() + Send>;

/// Stops a run from outside it. Clones share one state; the default token is never cancelled by itself.
///
/// ```
/// let token = duckstream::CancelToken::new();
/// assert!(token.check().is_ok());
/// token.clone().cancel();
/// assert!(token.check().unwrap_err().is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    hooks: Mutex<(u64, BTreeMap<u64, Hook>)>,
}

/// Keeps a hook registered; dropping it takes the hook away, and waits for one that is running.
#[must_use = "the hook is removed when this guard is dropped"]
pub struct CancelGuard {
    token: CancelToken,
    id: u64,
}

impl CancelToken {
    /// A fresh token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels every run that holds this token. The second call does nothing.
    pub fn cancel(&self) {
        if !self.0.cancelled.swap(true, Ordering::SeqCst) {
            let hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
            for hook in hooks.1.values() {
                hook();
            }
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Goes on, or fails with [`ErrorKind::Cancelled`].
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] once the token is cancelled.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
    }

    /// Runs `hook` when the token is cancelled, at once if it already is, until the guard is dropped.
    pub fn on_cancel(&self, hook: impl Fn() + Send + 'static) -> CancelGuard {
        let mut hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.cancelled.load(Ordering::SeqCst) {
            hook();
        }
        hooks.0 += 1;
        let id = hooks.0;
        hooks.1.insert(id, Box::new(hook));
        CancelGuard { token: self.clone(), id }
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.token.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn hooks_run_once_and_only_while_guarded() {
        let token = CancelToken::new();
        let count = Arc::new(AtomicUsize::new(0));
        let hook = |count: &Arc<AtomicUsize>| {
            let count = Arc::clone(count);
            move || {
                count.fetch_add(1, Ordering::SeqCst);
            }
        };
        let kept = token.on_cancel(hook(&count));
        drop(token.on_cancel(hook(&count)));
        token.cancel();
        token.cancel();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        drop(kept);
        let _late = token.on_cancel(hook(&count));
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
