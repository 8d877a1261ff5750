//! What the process asks of the system before anything else.

/// Every connection is a descriptor, so as many as are allowed. A full disk is an error to
/// answer, not an end. What is written (keys, hashes, what people said) is for nobody else on
/// the machine.
pub(super) fn prepare() {
    raise_descriptors();
    #[expect(unsafe_code, reason = "the system is only reached so")]
    // SAFETY: ignoring a signal installs no handler that could run, and a mask is only a number.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::umask(0o077);
    }
}

fn raise_descriptors() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    #[expect(unsafe_code, reason = "the system is only reached so")]
    // SAFETY: both calls get a valid pointer to an initialised `rlimit`.
    let raised = unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0
        } else {
            false
        }
    };
    if raised {
        tracing::debug!(descriptors = limit.rlim_cur, "descriptors are allowed");
    } else {
        tracing::warn!("the limit of open descriptors could not be raised");
    }
}
