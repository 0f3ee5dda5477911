//! sled panics over some damage and some refusals. What it says then is no text for an operator:
//! it is caught, kept from the terminal, and becomes the reason of an error of ours.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// The longest reason taken over from a panic, in bytes.
const REASON_MAX: usize = 300;
/// sled's own threads; what fails in them shows as an error of the next write.
const THREADS: [&str; 2] = ["sled-io-", "log flusher"];

/// Where sled's source is, in the place of a panic: its handles may be dropped in any thread.
const SOURCE: &str = "/sled-0.";

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` of sled's; its panic is the `Err`, in its words on one line.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            let current = std::thread::current();
            let name = current.name().unwrap_or_default();
            let at = about.location().map_or("", |at| at.file());
            let own = THREADS.iter().any(|thread| name.starts_with(thread));
            if QUIET.get() {
                return;
            }
            if own || at.contains(SOURCE) {
                let reason = reason(about.payload());
                tracing::error!(thread = name, %reason, "the store's engine has failed");
            } else {
                others(about);
            }
        }));
    });
    let before = QUIET.replace(true);
    // What it held is not used again: the store is given up, or was not opened.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    done.map_err(|payload| reason(&*payload))
}

fn reason(payload: &(dyn Any + Send)) -> String {
    let text = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "no reason given",
    };
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(REASON_MAX));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reason() {
        assert_eq!(caught(|| 5), Ok(5));
        let line = "on one line".to_owned();
        assert_eq!(
            caught(|| panic!("what\n  was {line}")),
            Err::<(), _>("what was on one line".into())
        );
        assert_eq!(
            caught::<()>(|| panic!("{}", "é".repeat(400)))
                .unwrap_err()
                .len(),
            300
        );
        let outer = caught(|| caught::<()>(|| panic!("inner")).unwrap_err());
        assert_eq!(outer.as_deref(), Ok("inner"));
        assert!(!QUIET.get());
    }
}
