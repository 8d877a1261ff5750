//! permessage-deflate for sockets that know nothing of it: a link stands between such a socket
//! and the server, compresses everything that the one sends and inflates what the other does.

use std::io::{self, Cursor};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// What a browser offers.
pub const OFFER: &str = "permessage-deflate; client_max_window_bits";
/// What every flush ends with, and a message leaves out.
pub const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Whether every socket of the tests is compressed: `PARLOUR_TEST_DEFLATE=1`.
#[must_use]
pub fn wanted() -> bool {
    std::env::var_os("PARLOUR_TEST_DEFLATE").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Compresses a whole message, or a piece of one that goes on.
#[must_use]
pub fn deflate(compressor: &mut Compress, payload: &[u8], is_final: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 100 + 64);
    compressor
        .compress_vec(payload, &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.len() < out.capacity(), "it has more to say");
    if is_final {
        out.truncate(out.len() - FLUSHED.len());
    }
    out
}

/// Inflates a whole message.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn inflate(payload: &[u8]) -> Vec<u8> {
    let mut decompressor = Decompress::new(false);
    let mut out = Vec::new();
    let whole = [payload, &FLUSHED].concat();
    while out.len() == out.capacity() {
        out.reserve(64 * 1024);
        let read = decompressor.total_in() as usize;
        decompressor
            .decompress_vec(&whole[read..], &mut out, FlushDecompress::None)
            .unwrap();
    }
    assert_eq!(decompressor.total_in() as usize, whole.len());
    out
}

/// Stands before a server whose socket is about to be asked for; gives the other end.
///
/// # Errors
/// Without a port.
pub async fn before(server: TcpStream) -> io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (socket, _) = listener.accept().await?;
    for stream in [&server, &client, &socket] {
        stream.set_nodelay(true)?;
    }
    tokio::spawn(async move {
        let (mut from_server, to_server) = server.into_split();
        let (mut from_client, to_client) = socket.into_split();
        let (mut to_server, mut to_client) = (to_server, to_client);
        head(&mut from_client, &mut to_server).await?;
        let answer = head(&mut from_server, &mut to_client).await?;
        let agreed = answer.contains("\r\nsec-websocket-extensions: permessage-deflate;");
        if answer.starts_with("HTTP/1.1 101 ") && !agreed {
            return Err(io::Error::other("the offer was not taken"));
        }
        tokio::spawn(carry(from_server, to_client, inflated));
        let mut compressor = Compress::new(Compression::default(), false);
        let mut open = false;
        carry(from_client, to_server, move |head, payload| {
            deflated(&mut compressor, &mut open, head, payload)
        })
        .await
    });
    Ok(client)
}

/// Hands on a head, to its last byte and no further.
async fn head(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await?);
    }
    to.write_all(&head).await?;
    Ok(String::from_utf8_lossy(&head)
        .to_string()
        .replace("Sec-WebSocket", "sec-websocket"))
}

/// Carries frames one way, each as `change` gives it back; from what is no frame on, bytes.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut change: impl FnMut(&mut FrameHeader, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let mut input = Vec::new();
    while from.read_buf(&mut input).await? > 0 {
        loop {
            let mut cursor = Cursor::new(input.as_slice());
            let Ok(head) = FrameHeader::parse(&mut cursor) else {
                to.write_all(&input).await?;
                input.clear();
                break;
            };
            let at = cursor.position() as usize;
            let Some((mut head, end)) = head
                .map(|(head, length)| (head, at + length as usize))
                .filter(|(_, end)| *end <= input.len())
            else {
                break;
            };
            let before = input[at..end].to_vec();
            let payload = change(&mut head, before);
            let mut frame = Vec::with_capacity(payload.len() + 14);
            head.format(payload.len() as u64, &mut frame).unwrap();
            frame.extend_from_slice(&payload);
            to.write_all(&frame).await?;
            input.drain(..end);
        }
    }
    to.shutdown().await
}

/// What the server sends: whole messages.
fn inflated(head: &mut FrameHeader, payload: Vec<u8>) -> Vec<u8> {
    if head.rsv1 {
        head.rsv1 = false;
        return inflate(&payload);
    }
    payload
}

/// What the client sends: masked, perhaps in pieces, perhaps nothing that WebSocket knows.
fn deflated(
    compressor: &mut Compress,
    open: &mut bool,
    head: &mut FrameHeader,
    payload: Vec<u8>,
) -> Vec<u8> {
    let reserved = head.rsv1 || head.rsv2 || head.rsv3;
    let (Some(mask), false) = (head.mask, reserved) else {
        return payload;
    };
    match head.opcode {
        OpCode::Data(Data::Text | Data::Binary) => {
            head.rsv1 = true;
            compressor.reset();
        }
        OpCode::Data(Data::Continue) if *open => {}
        _ => return payload,
    }
    *open = !head.is_final;
    masked(
        &deflate(compressor, &masked(&payload, mask), head.is_final),
        mask,
    )
}

fn masked(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let masks = mask.iter().cycle();
    payload
        .iter()
        .zip(masks)
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}
