//! Ctrl-C and SIGTERM: the first one cancels the run, which cleans up; the second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::cli::exit::Exit;
use crate::job::CancelToken;

/// Which signal came.
#[derive(Clone, Default)]
pub(crate) struct Received(Arc<AtomicI32>);

impl Received {
    /// How a cancelled run ends.
    pub(crate) fn exit(&self) -> Exit {
        match self.0.load(Ordering::SeqCst) {
            SIGTERM => Exit::Terminated,
            _ => Exit::Interrupted,
        }
    }
}

/// Listens, in a thread of its own, for the rest of the process.
pub(crate) fn listen(cancel: CancelToken) -> std::io::Result<Received> {
    let received = Received::default();
    let first = received.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if first.0.swap(signal, Ordering::SeqCst) == 0 {
                cancel.cancel();
            } else {
                // Whoever sends two wants the process gone, whatever it is doing.
                let _ = emulate_default_handler(signal);
            }
        }
    })?;
    Ok(received)
}
