//! The calls by which files change, failing when they are told to.
//!
//! The linker prefers a function of this program to one of the C library, so SQLite and the standard
//! library call these. Only regular files are meant: the runtime's wake-ups go through.

#![expect(unsafe_code, reason = "the system's calls are what is replaced")]
#![expect(clippy::cast_possible_truncation, reason = "the system answers in fewer bits than its wrapper has")]

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use libc::{c_int, c_void, off_t, size_t, ssize_t};

/// What happens instead of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: calls are counted.
    None,
    /// It fails with this error number.
    Error(c_int),
    /// This one and all after it fail.
    ErrorsFromHere(c_int),
    /// It begins only at [`disarm`].
    Held,
    /// The process ends there.
    Abort,
    /// Each call fails with a chance of one in so many.
    Random(u64),
}

struct Plan {
    fault: Fault,
    /// The fault strikes after so many calls.
    countdown: u64,
    calls: u64,
    is_held: bool,
    rng: fastrand::Rng,
}

static PLAN: Mutex<Option<Plan>> = Mutex::new(None);
static HELD: Condvar = Condvar::new();
static STRUCK: AtomicU64 = AtomicU64::new(0);
/// While it is zero, calls go through without a look at the plan.
static ARMED: AtomicI32 = AtomicI32::new(0);

/// From now on `fault` strikes at the call after `countdown` others.
pub(crate) fn arm(fault: Fault, countdown: u64, seed: u64) {
    let rng = fastrand::Rng::with_seed(seed);
    *plan() = Some(Plan { fault, countdown, calls: 0, is_held: false, rng });
    ARMED.store(1, Ordering::SeqCst);
}

/// Ends it; returns how many calls there were.
pub(crate) fn disarm() -> u64 {
    ARMED.store(0, Ordering::SeqCst);
    let ended = plan().take();
    HELD.notify_all();
    ended.map_or(0, |plan| plan.calls)
}

/// How many faults have struck in all.
pub(crate) fn struck() -> u64 {
    STRUCK.load(Ordering::SeqCst)
}

/// Whether a call is held; waits a moment for one.
pub(crate) fn wait_a_moment_for_held() -> bool {
    let moment = std::time::Duration::from_millis(1);
    let is_waited_for = |plan: &mut Option<Plan>| plan.as_ref().is_some_and(|plan| !plan.is_held);
    let waited = HELD.wait_timeout_while(plan(), moment, is_waited_for).unwrap_or_else(PoisonError::into_inner);
    waited.0.as_ref().is_some_and(|plan| plan.is_held)
}

fn plan() -> std::sync::MutexGuard<'static, Option<Plan>> {
    PLAN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error that a call on this file is to fail with, if it is.
fn strike(fd: c_int) -> Option<c_int> {
    if ARMED.load(Ordering::SeqCst) == 0 || !is_regular(fd) {
        return None;
    }
    let mut guard = plan();
    let plan = guard.as_mut()?;
    plan.calls += 1;
    let is_due = match plan.fault {
        Fault::Random(one_in) => plan.rng.u64(..one_in) == 0,
        Fault::ErrorsFromHere(_) => plan.calls > plan.countdown,
        _ => plan.calls == plan.countdown + 1,
    };
    if !is_due {
        return None;
    }
    STRUCK.fetch_add(1, Ordering::SeqCst);
    match plan.fault {
        Fault::None => None,
        Fault::Error(error) | Fault::ErrorsFromHere(error) => Some(error),
        Fault::Random(_) => Some(if plan.rng.bool() { libc::EIO } else { libc::ENOSPC }),
        Fault::Abort => std::process::abort(),
        Fault::Held => {
            plan.is_held = true;
            HELD.notify_all();
            while guard.is_some() {
                guard = HELD.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            None
        }
    }
}

fn is_regular(fd: c_int) -> bool {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat writes the whole of the structure where it returns 0.
    unsafe { libc::fstat(fd, stat.as_mut_ptr()) == 0 && stat.assume_init().st_mode & libc::S_IFMT == libc::S_IFREG }
}

fn fail<T: From<i8>>(error: c_int) -> T {
    // SAFETY: the location is this thread's own.
    unsafe { *libc::__errno_location() = error };
    T::from(-1)
}

/// SAFETY of all below: the arguments are the caller's, and go to the system as they are.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    match strike(fd) {
        Some(error) => fail(error),
        None => unsafe { libc::syscall(libc::SYS_write, fd, bytes, count) as ssize_t },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: size_t, at: off_t) -> ssize_t {
    match strike(fd) {
        Some(error) => fail(error),
        None => unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, count, at) as ssize_t },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, count: size_t, at: off_t) -> ssize_t {
    unsafe { pwrite64(fd, bytes, count, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    match strike(fd) {
        Some(error) => fail(error),
        None => unsafe { libc::syscall(libc::SYS_fsync, fd) as c_int },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    match strike(fd) {
        Some(error) => fail(error),
        None => unsafe { libc::syscall(libc::SYS_fdatasync, fd) as c_int },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    match strike(fd) {
        Some(error) => fail(error),
        None => unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) as c_int },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    unsafe { ftruncate64(fd, length) }
}
