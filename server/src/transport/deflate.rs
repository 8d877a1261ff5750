//! permessage-deflate (RFC 7692), without context takeover.
//!
//! tungstenite knows nothing of it, and need not: what is sent is a finished frame
//! ([`Encoded::deflated`](crate::bus::Encoded::deflated)), and what is received is inflated
//! between the connection and tungstenite, which so goes on judging every frame.

use std::cell::RefCell;
use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::{HeaderMap, HeaderValue, header};
use flate2::{Decompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::bus::{FLUSHED, WINDOW_BITS};

/// What is read at once.
const CHUNK: usize = 2_048;
/// The longest head of a frame.
const HEAD: usize = 14;
/// A frame that no extension explains: tungstenite closes with a protocol error.
const NO_FRAME: [u8; 6] = [0xf1, 0x80, 0, 0, 0, 0];

thread_local! {
    /// No connection has one of its own: no message refers to the one before.
    static DECOMPRESSOR: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The answer to the first offer of permessage-deflate that can be taken, or nothing.
pub(super) fn answer(headers: &HeaderMap) -> Option<HeaderValue> {
    headers
        .get_all(header::SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(answer_one)
        .map(HeaderValue::from_static)
}

/// An offer with a parameter that is unknown, repeated or out of bounds must be declined.
fn answer_one(offer: &str) -> Option<&'static str> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut seen = Vec::new();
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (part, None),
        };
        let bits = |least: u8| {
            value.is_some_and(|value| (least..=15).any(|bits| bits.to_string() == value))
        };
        let good = match name {
            "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
            "server_max_window_bits" => bits(WINDOW_BITS),
            // Whatever window the client takes, it is not larger than what is read with.
            "client_max_window_bits" => value.is_none() || bits(8),
            _ => false,
        };
        if !good || seen.contains(&name) {
            return None;
        }
        seen.push(name);
    }
    // A limit that was asked for must be confirmed.
    Some(if seen.contains(&"server_max_window_bits") {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    })
}

/// A connection whose compressed messages are read as plain ones.
pub(super) struct Inflating<S> {
    inner: S,
    /// Nothing where it was not agreed upon.
    inflater: Option<Box<Inflater>>,
}

impl<S> Inflating<S> {
    /// Inflates messages of up to `most` bytes.
    pub(super) fn new(inner: S, most: usize) -> Self {
        let inflater = Some(Box::new(Inflater::new(most)));
        Self { inner, inflater }
    }

    /// Leaves everything as it is.
    pub(super) fn plain(inner: S) -> Self {
        let inflater = None;
        Self { inner, inflater }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inflating<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, inflater } = self.get_mut();
        let Some(inflater) = inflater else {
            return Pin::new(inner).poll_read(cx, buf);
        };
        while !inflater.give(buf) {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut *inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                break;
            }
            inflater.input.extend_from_slice(chunk.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inflating<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// Where in the stream of frames it is.
enum Place {
    /// Before the head of a frame.
    Head,
    /// Within a payload that is none of its business.
    Passing(u64),
    /// Within a payload of the compressed message.
    Gathering {
        left: u64,
        mask: [u8; 4],
        is_final: bool,
    },
    /// Beyond what can be understood: tungstenite judges it.
    Lost,
}

/// Why there is no message.
enum Fault {
    TooLarge,
    Corrupt,
}

/// Turns the bytes of compressed messages into those of plain ones. Between messages it holds no
/// memory but its own.
struct Inflater {
    most: usize,
    /// What was read and not looked at yet.
    input: Vec<u8>,
    /// What is to be given, from `given` on.
    output: Vec<u8>,
    given: usize,
    place: Place,
    /// The compressed message so far, and whether it is text or binary.
    message: Option<(OpCode, Vec<u8>)>,
}

impl Inflater {
    fn new(most: usize) -> Self {
        Self {
            most,
            input: Vec::new(),
            output: Vec::new(),
            given: 0,
            place: Place::Head,
            message: None,
        }
    }

    /// Gives what there is; false if more must be read first.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        // One message at a time, or a few bytes could hold many large ones.
        while self.given == self.output.len() {
            self.output = Vec::new();
            self.given = 0;
            if !self.step() {
                self.input.shrink_to_fit();
                return false;
            }
        }
        let some = (self.output.len() - self.given).min(buf.remaining());
        buf.put_slice(&self.output[self.given..self.given + some]);
        self.given += some;
        true
    }

    /// One step forward in the input; false if that is not enough for one.
    fn step(&mut self) -> bool {
        match &mut self.place {
            Place::Head => return self.head(),
            Place::Passing(0) => self.place = Place::Head,
            Place::Gathering {
                left: 0, is_final, ..
            } => {
                let complete = *is_final;
                self.place = Place::Head;
                if complete {
                    self.inflate();
                }
            }
            _ if self.input.is_empty() => return false,
            Place::Lost => self.output = std::mem::take(&mut self.input),
            Place::Passing(left) => {
                let some = within(*left, self.input.len());
                *left -= some as u64;
                self.output = self.input.drain(..some).collect();
            }
            Place::Gathering { left, mask, .. } => {
                let some = within(*left, self.input.len());
                *left -= some as u64;
                if let Some((_, message)) = &mut self.message {
                    let masks = mask.iter().cycle();
                    message.extend(
                        self.input
                            .drain(..some)
                            .zip(masks)
                            .map(|(b, mask)| b ^ mask),
                    );
                }
                mask.rotate_left(some % 4);
            }
        }
        true
    }

    fn head(&mut self) -> bool {
        let mut cursor = Cursor::new(self.input.as_slice());
        let Ok(head) = FrameHeader::parse(&mut cursor) else {
            self.place = Place::Lost;
            return true;
        };
        let Some((head, length)) = head else {
            return false;
        };
        let size = usize::try_from(cursor.position()).unwrap_or(HEAD);
        let extended = head.rsv2 || head.rsv3;
        let begins = head.rsv1 && matches!(head.opcode, OpCode::Data(Data::Text | Data::Binary));
        let goes_on = !head.rsv1 && head.opcode == OpCode::Data(Data::Continue);
        match (head.opcode, &self.message, head.mask) {
            (OpCode::Control(_), ..) => self.pass(size, length),
            (opcode, None, Some(mask)) if begins && !extended => {
                self.message = Some((opcode, Vec::new()));
                self.gather(size, length, mask, head.is_final);
            }
            (_, Some(_), Some(mask)) if goes_on && !extended => {
                self.gather(size, length, mask, head.is_final);
            }
            (_, None, _) => self.pass(size, length),
            // Unmasked, or something else before the message is complete.
            (_, Some(_), _) => self.end(&NO_FRAME),
        }
        true
    }

    fn pass(&mut self, head: usize, length: u64) {
        self.output = self.input.drain(..head).collect();
        self.place = Place::Passing(length);
    }

    fn gather(&mut self, head: usize, length: u64, mask: [u8; 4], is_final: bool) {
        self.input.drain(..head);
        let had = self
            .message
            .as_ref()
            .map_or(0, |(_, message)| message.len());
        if length.saturating_add(had as u64) > self.most as u64 {
            return self.too_large();
        }
        self.place = Place::Gathering {
            left: length,
            mask,
            is_final,
        };
    }

    fn inflate(&mut self) {
        let Some((opcode, mut message)) = self.message.take() else {
            return;
        };
        message.extend_from_slice(&FLUSHED);
        // The head comes before it once the length is known.
        let mut output = vec![0; HEAD];
        match inflate(&message, &mut output, HEAD + self.most) {
            Ok(()) => {
                let head = plain_head(opcode, output.len() - HEAD);
                self.given = HEAD - head.len();
                output[self.given..HEAD].copy_from_slice(&head);
                self.output = output;
            }
            Err(Fault::TooLarge) => self.too_large(),
            Err(Fault::Corrupt) => self.end(&NO_FRAME),
        }
    }

    /// The head of a frame that is too large makes tungstenite close with that code.
    fn too_large(&mut self) {
        let head = plain_head(OpCode::Data(Data::Text), self.most + 1);
        self.end(&head);
    }

    fn end(&mut self, last: &[u8]) {
        self.output = last.to_vec();
        self.message = None;
        self.place = Place::Lost;
    }
}

/// How much of what is left is there.
fn within(left: u64, there: usize) -> usize {
    usize::try_from(left).map_or(there, |left| left.min(there))
}

/// The head of a whole frame whose mask changes nothing: without one, a client's is refused.
fn plain_head(opcode: OpCode, length: usize) -> Vec<u8> {
    let header = FrameHeader {
        opcode,
        mask: Some([0; 4]),
        ..FrameHeader::default()
    };
    let mut head = Vec::with_capacity(HEAD);
    // Writing to memory cannot fail.
    let _ = header.format(length as u64, &mut head);
    head
}

/// Appends what the message holds, up to a length of `most`.
fn inflate(message: &[u8], output: &mut Vec<u8>, most: usize) -> Result<(), Fault> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.reset(false);
        let mut read = 0;
        output.reserve_exact((message.len() * 4).min(most));
        loop {
            let status = decompressor
                .decompress_vec(&message[read..], output, FlushDecompress::None)
                .map_err(|_| Fault::Corrupt)?;
            read = usize::try_from(decompressor.total_in()).unwrap_or(usize::MAX);
            if output.len() > most {
                return Err(Fault::TooLarge);
            }
            if status == Status::StreamEnd {
                return Ok(());
            }
            if output.len() < output.capacity() {
                // It had room, so it has taken everything or cannot go on.
                return if read == message.len() {
                    Ok(())
                } else {
                    Err(Fault::Corrupt)
                };
            }
            // One more than is allowed shows that it is too large.
            output.reserve_exact(output.len().min(most + 1 - output.len()));
        }
    })
}
