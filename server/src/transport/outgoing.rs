//! Finished frames beneath tungstenite: those of many messages in one write.
//!
//! tungstenite copies what it sends to a buffer that stays as large as it ever was, and writes
//! whenever a few kilobytes are in it. A reader of a busy room gets more than that at once, and
//! each call of the system costs more than all else that is done for her. What is sent here goes
//! out before anything that tungstenite writes later, so no frame is ever cut by another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::bus::Encoded;

/// The head of a server's frame at most: it has no mask.
const HEAD: usize = 10;

/// A connection, and the frames that are on their way to it.
pub(super) struct Outgoing<S> {
    inner: S,
    /// What is to be written, from `written` on. Holds no memory between two sets of frames.
    bytes: Vec<u8>,
    written: usize,
}

impl<S> Outgoing<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            bytes: Vec::new(),
            written: 0,
        }
    }

    /// Adds frames of so many bytes together, compressed where they may be; a flush writes them.
    pub(super) fn add(
        &mut self,
        frames: impl ExactSizeIterator<Item = Encoded>,
        size: usize,
        deflated: bool,
    ) {
        self.bytes.reserve(size + frames.len() * HEAD);
        for frame in frames {
            match deflated.then(|| frame.deflated()).flatten() {
                Some(payload) => self.add_one(&payload, true),
                None => self.add_one(frame.as_bytes(), false),
            }
        }
    }

    fn add_one(&mut self, payload: &[u8], rsv1: bool) {
        let header = FrameHeader {
            rsv1,
            opcode: OpCode::Data(Data::Text),
            ..FrameHeader::default()
        };
        // Writing to memory cannot fail.
        let _ = header.format(payload.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(payload);
    }
}

impl<S: AsyncWrite + Unpin> Outgoing<S> {
    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            let rest = &self.bytes[self.written..];
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                some => self.written += some,
            }
        }
        self.bytes = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outgoing<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outgoing<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_frames(cx))?;
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_frames(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_frames(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn nothing_comes_between_the_parts_of_a_frame() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut outgoing = Outgoing::new(near);
        let frames = ["first".to_owned(), "x".repeat(300)].map(Encoded::from);
        outgoing.add(frames.into_iter(), 305, false);
        // It is given up before anybody reads.
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, outgoing.flush()).await;
        assert!(given_up.is_err());
        let reading = async {
            let mut read = Vec::new();
            far.read_to_end(&mut read).await.map(|_| read)
        };
        let writing = async {
            outgoing.write_all(b"later").await?;
            outgoing.shutdown().await
        };
        let (read, written) = tokio::join!(reading, writing);
        written.expect("everything is written");
        let mut expected = b"\x81\x05first\x81\x7e\x01\x2c".to_vec();
        expected.extend([b'x'; 300]);
        expected.extend(b"later");
        assert_eq!(read.expect("everything arrives"), expected);
        assert_eq!(outgoing.bytes.capacity(), 0);
    }
}
