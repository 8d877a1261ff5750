//! Close codes, and what a client does when it sees one.

/// The server restarts: come back after the delay of `bye`.
pub const RESTART: u16 = 1012;
/// The peer goes away.
pub const AWAY: u16 = 1001;
/// The connection was lost without a closing handshake; never sent.
pub const LOST: u16 = 1006;
/// A protocol error of WebSocket.
pub const PROTOCOL: u16 = 1002;
/// A kind of data that is not spoken here (binary).
pub const UNSUPPORTED: u16 = 1003;
/// Text that is not UTF-8.
pub const BAD_TEXT: u16 = 1007;
/// A frame above [`crate::limits::MAX_FRAME`].
pub const TOO_LARGE: u16 = 1009;
/// Frames that do not follow this protocol: no `hello`, a version not spoken, too many bad frames.
pub const BAD_FRAME: u16 = 4400;
/// Token missing, expired, revoked or forged.
pub const UNAUTHORIZED: u16 = 4401;
/// The token is good, but not for this place.
pub const FORBIDDEN: u16 = 4403;
/// The reader is too slow; it resumes from its cursors.
pub const TOO_SLOW: u16 = 4008;
/// Over a limit; come back after the delay given in `bye`.
pub const OVER_LIMIT: u16 = 4029;

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Stops and reports: coming back would fail in the same way.
    Stop,
    /// Gets a new token first; without one it signs out.
    Renew,
    /// Comes back at once and resumes.
    Now,
    /// Comes back after the delay given in `bye`, or after back-off.
    Later,
    /// Comes back with back-off and jitter.
    BackOff,
}

/// The reaction to a close code. Codes that are not known are treated as lost connections.
#[must_use]
pub fn reaction(code: u16) -> Reaction {
    match code {
        PROTOCOL | UNSUPPORTED | BAD_TEXT | TOO_LARGE | BAD_FRAME | FORBIDDEN => Reaction::Stop,
        UNAUTHORIZED => Reaction::Renew,
        TOO_SLOW => Reaction::Now,
        OVER_LIMIT | RESTART => Reaction::Later,
        _ => Reaction::BackOff,
    }
}
