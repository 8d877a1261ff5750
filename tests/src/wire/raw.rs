//! Frames by hand (RFC 6455, section 5.2).

use parlour_protocol::close;
use parlour_protocol::limits::MAX_FRAME;

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// What is no WebSocket: what it is called, the code that it is closed with, and its bytes.
#[must_use]
pub fn none() -> Vec<(&'static str, u16, Vec<u8>)> {
    let large = "x".repeat(MAX_FRAME + 1);
    let huge = "x".repeat(1024 * 1024);
    vec![
        ("binary", close::UNSUPPORTED, frame(0x82, b"\x00\x01")),
        (
            "text that is not UTF-8",
            close::BAD_TEXT,
            frame(0x81, b"{\"t\":\"\xff\xfe\"}"),
        ),
        ("a cut character", close::BAD_TEXT, frame(0x81, b"\xe2\x82")),
        (
            "an overlong character",
            close::BAD_TEXT,
            frame(0x81, b"\xc0\xaf"),
        ),
        (
            "one byte too many",
            close::TOO_LARGE,
            frame(0x81, large.as_bytes()),
        ),
        (
            "far too many bytes",
            close::TOO_LARGE,
            frame(0x81, huge.as_bytes()),
        ),
        ("a reserved opcode", close::PROTOCOL, frame(0x83, b"x")),
        (
            "a reserved control opcode",
            close::PROTOCOL,
            frame(0x8b, b"x"),
        ),
        ("a reserved bit", close::PROTOCOL, frame(0xa1, b"x")),
        ("an unmasked frame", close::PROTOCOL, unmasked(0x81, b"{}")),
        ("a fragmented ping", close::PROTOCOL, frame(0x09, b"x")),
        (
            "a continuation of nothing",
            close::PROTOCOL,
            frame(0x80, b"x"),
        ),
        (
            "a ping that is too long",
            close::PROTOCOL,
            frame(0x89, &[b'x'; 126]),
        ),
        (
            "a text within a text",
            close::PROTOCOL,
            [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
        ),
    ]
}

/// A masked frame; `first` is its first byte: the final bit, the reserved bits and the opcode.
#[must_use]
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, payload.len(), 0x80);
    bytes.extend_from_slice(&MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// The same without a mask, which a client must never send.
#[must_use]
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, payload.len(), 0);
    bytes.extend_from_slice(payload);
    bytes
}

fn head(first: u8, length: usize, masked: u8) -> Vec<u8> {
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => bytes.push(masked | length),
        (_, Ok(length)) => {
            bytes.push(masked | 126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes
}
