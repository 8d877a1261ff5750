//! An alarm that rings within some tens of microseconds, where tokio's timers count whole
//! milliseconds and round up.

use std::time::Duration;

#[cfg(target_os = "linux")]
use linux::Timer;
#[cfg(not(target_os = "linux"))]
use other::Timer;

/// One alarm: it is set for one moment after the other.
pub struct Alarm(Timer);

impl Alarm {
    /// An alarm that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self(Timer::new())
    }

    /// Waits for as long. Given up, it does not ring.
    pub async fn after(&mut self, time: Duration) {
        if !time.is_zero() {
            self.0.wait(time).await;
        }
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    /// A timer of the system; none if it has given none.
    pub(super) struct Timer(Option<AsyncFd<OwnedFd>>);

    /// Stops what was given up before it rang: it would wake a task that waits for something else.
    struct Set<'t>(&'t OwnedFd);

    impl Drop for Set<'_> {
        fn drop(&mut self) {
            // At worst it rings.
            let _ = set(self.0, Duration::ZERO);
        }
    }

    impl Timer {
        pub(super) fn new() -> Self {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok();
            #[expect(unsafe_code, reason = "tokio has no other way")]
            // SAFETY: the descriptor is valid, and nothing closes it as long as it is registered.
            let timer = timer.and_then(|timer| unsafe { AsyncFd::register(timer) }.ok());
            Self(timer)
        }

        pub(super) async fn wait(&mut self, time: Duration) {
            if let Some(timer) = &self.0
                && rings(timer, time).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(time).await;
        }
    }

    async fn rings(timer: &AsyncFd<OwnedFd>, time: Duration) -> io::Result<()> {
        set(timer.get_ref(), time)?;
        let set = Set(timer.get_ref());
        loop {
            let mut ready = timer.readable().await?;
            let mut rung = [0; 8];
            if let Ok(read) = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut rung)?)) {
                std::mem::forget(set);
                return read.map(|_| ());
            }
        }
    }

    fn set(timer: &OwnedFd, time: Duration) -> io::Result<()> {
        let never = Timespec::default();
        let once = Itimerspec {
            it_interval: never,
            it_value: Timespec::try_from(time).unwrap_or(never),
        };
        timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::time::Duration;

    /// tokio's, which is coarser.
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) async fn wait(&mut self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock;

    #[tokio::test]
    async fn it_rings_after_its_time_again_and_again() {
        let mut alarm = Alarm::new();
        for time in [300, 0, 200].map(Duration::from_micros) {
            let begun = clock::instant();
            alarm.after(time).await;
            assert!(begun.elapsed() >= time);
        }
    }

    #[tokio::test]
    async fn what_was_given_up_does_not_ring_for_what_is_set_next() {
        let mut alarm = Alarm::new();
        let given_up = alarm.after(Duration::from_micros(1)).now_or_never();
        assert!(given_up.is_none());
        let (begun, time) = (clock::instant(), Duration::from_millis(20));
        alarm.after(time).await;
        assert!(begun.elapsed() >= time);
    }
}
