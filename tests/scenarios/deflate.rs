//! permessage-deflate: what is agreed upon, what is compressed, and what may not be done with it.

use std::io::Cursor;

use flate2::{Compress, Compression, FlushCompress};
use parlour_protocol::frame::ServerFrame;
use parlour_protocol::limits::MAX_FRAME;
use parlour_protocol::{ClientFrame, close};
use parlour_tests::deflate::{OFFER, deflate, inflate};
use parlour_tests::http::connect;
use parlour_tests::wire::{Upgrade, raw};
use parlour_tests::{Heard, Node, Office, Visitor, Wire, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

use crate::frames::scene;

const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The answer to an offer.
async fn answer(node: &Node, visitor: &Visitor, offers: &[&str]) -> Option<String> {
    let mut request = format!(
        "GET /socket HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         origin: {}\r\nsec-websocket-protocol: parlour.v1, {}\r\n",
        node.origin(),
        visitor.token()
    );
    for offer in offers {
        request.push_str(&format!("sec-websocket-extensions: {offer}\r\n"));
    }
    let mut stream = connect(node.address(), None).await.unwrap();
    stream
        .write_all(format!("{request}\r\n").as_bytes())
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the answer", stream.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(
        head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nsec-websocket-protocol: parlour.v1\r\n"),
        "{head}"
    );
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
    line.map(str::to_owned)
}

#[tokio::test]
async fn an_offer_is_taken_or_declined_as_a_whole() {
    let (node, _office, visitor) = scene().await;
    let limited = format!("{AGREED}; server_max_window_bits=12");
    let cases: [(&[&str], Option<&str>); 19] = [
        (&[], None),
        (&["permessage-deflate"], Some(AGREED)),
        (&[OFFER], Some(AGREED)),
        (
            &["permessage-deflate; client_max_window_bits=9"],
            Some(AGREED),
        ),
        (
            &["permessage-deflate;server_no_context_takeover;client_no_context_takeover"],
            Some(AGREED),
        ),
        (
            &["permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"],
            Some(&limited),
        ),
        (
            &["permessage-deflate; server_max_window_bits=\"15\""],
            Some(&limited),
        ),
        (
            &["permessage-deflate; server_max_window_bits=9, permessage-deflate"],
            Some(AGREED),
        ),
        (
            &["x-webkit-deflate-frame", "permessage-deflate"],
            Some(AGREED),
        ),
        (&["permessage-deflate; server_max_window_bits=11"], None),
        (&["permessage-deflate; server_max_window_bits=16"], None),
        (&["permessage-deflate; server_max_window_bits=012"], None),
        (&["permessage-deflate; server_max_window_bits"], None),
        (&["permessage-deflate; client_max_window_bits=7"], None),
        (&["permessage-deflate; client_no_context_takeover=1"], None),
        (
            &["permessage-deflate; client_max_window_bits; client_max_window_bits"],
            None,
        ),
        (&["permessage-deflate; unheard_of"], None),
        (&["permessage-deflate;"], None),
        (&["permessage-bzip2, ;,,=;"], None),
    ];
    for (offers, expected) in cases {
        let agreed = answer(&node, &visitor, offers).await;
        assert_eq!(agreed.as_deref(), expected, "{offers:?}");
    }
    node.assert_well().await;
}

#[tokio::test]
async fn it_may_be_switched_off() {
    let node = Node::with().set("PARLOUR_DEFLATE", "off").start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    assert_eq!(answer(&node, &visitor, &[OFFER]).await, None);
    // What was not agreed upon is a protocol error.
    let upgrade = visitor.upgrade().plain();
    let mut wire = Wire::open("visitor", upgrade).await.unwrap();
    wire.bytes(&raw::frame(0xc1, &packed(b"{}"))).await;
    assert_eq!(wire.closed().await.0, close::PROTOCOL);
}

/// A socket of which every byte is seen.
struct Bare(TcpStream, Vec<u8>);

impl Bare {
    async fn open(upgrade: Upgrade) -> Self {
        let upgrade = upgrade.header("sec-websocket-extensions", OFFER);
        Self(upgrade.open().await.unwrap().into_inner(), Vec::new())
    }

    async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.0
            .write_all(&raw::frame(0x81, text.as_bytes()))
            .await
            .unwrap();
    }

    /// The next frame: whether it is compressed, the length of its payload, and its text.
    async fn next(&mut self) -> (bool, usize, String) {
        loop {
            let mut cursor = Cursor::new(self.1.as_slice());
            if let Some((head, length)) = FrameHeader::parse(&mut cursor).unwrap() {
                let (at, length) = (cursor.position() as usize, length as usize);
                if self.1.len() >= at + length {
                    let payload: Vec<u8> = self.1.drain(..at + length).skip(at).collect();
                    let text = if head.rsv1 {
                        inflate(&payload)
                    } else {
                        payload
                    };
                    return (head.rsv1, length, String::from_utf8(text).unwrap());
                }
            }
            let read = within("bytes", self.0.read_buf(&mut self.1)).await.unwrap();
            assert_ne!(read, 0, "the connection ended");
        }
    }

    /// Reads until a frame that begins like this.
    async fn until(&mut self, tag: &str) -> (bool, usize, String) {
        loop {
            let frame = self.next().await;
            if frame.2.starts_with(&format!("{{\"t\":\"{tag}\"")) {
                return frame;
            }
        }
    }
}

#[tokio::test]
async fn large_frames_are_compressed_and_small_ones_are_not() {
    let (_node, _office, visitor) = scene().await;
    let ticket = visitor.open("hello").await;
    for n in 0..12 {
        visitor
            .say(&format!(
                "a word {n} on how large frames are made of small ones"
            ))
            .await;
    }
    let mut bare = Bare::open(visitor.upgrade().plain()).await;
    bare.send(&ClientFrame::Hello {
        v: parlour_protocol::VERSION,
        view: Default::default(),
        epoch: None,
        cursors: Vec::new(),
    })
    .await;
    bare.until("welcome").await;
    bare.send(&ClientFrame::Ping { n: 1, active: true }).await;
    let (compressed, length, text) = bare.until("beat").await;
    assert!(!compressed && length == text.len(), "{text}");
    bare.send(&ClientFrame::Join {
        room: ticket,
        after: None,
    })
    .await;
    let (compressed, length, text) = bare.until("page").await;
    assert!(
        compressed && length * 3 < text.len(),
        "{length} of {}",
        text.len()
    );
    let page: ServerFrame = serde_json::from_str(&text).unwrap();
    assert!(matches!(page, ServerFrame::Page { events, .. } if events.len() == 13));
    // One event, the same for every reader.
    let long = "All work and no play makes Jack a dull boy. ".repeat(40);
    visitor.say(&long).await;
    let (compressed, length, text) = bare.until("event").await;
    assert!(
        compressed && length * 3 < text.len(),
        "{length} of {}",
        text.len()
    );
    assert!(text.contains(long.trim()));
}

fn packed(payload: &[u8]) -> Vec<u8> {
    deflate(
        &mut Compress::new(Compression::best(), false),
        payload,
        true,
    )
}

/// A ping of this length in bytes.
fn ping(n: u32, length: usize) -> String {
    let mut text = format!("{{\"t\":\"ping\",\"n\":{n},\"x\":\"");
    text.push_str(&"x".repeat(length - text.len() - 2));
    text.push_str("\"}");
    text
}

async fn answered(wire: &mut Wire, number: u32) {
    wire.until("the answer", |frame| {
        matches!(frame, ServerFrame::Beat { n, .. } if *n == number).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_allowed_works() {
    let (_node, _office, visitor) = scene().await;
    let mut wire = Wire::open("visitor", visitor.upgrade().deflated())
        .await
        .unwrap();
    wire.hello().await;
    // The largest frame.
    wire.bytes(&raw::frame(0xc1, &packed(ping(1, MAX_FRAME).as_bytes())))
        .await;
    answered(&mut wire, 1).await;
    // In pieces of one byte, with pings between them, as bytes that come one by one.
    let pieces = packed(ping(2, 2_000).as_bytes());
    for (at, byte) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let first = if at == 0 { 0x41 } else { u8::from(last) << 7 };
        wire.bytes(&raw::frame(first, &[*byte])).await;
        if at % 8 == 0 {
            wire.bytes(&raw::frame(0x89, b"between")).await;
        }
    }
    answered(&mut wire, 2).await;
    // A last block that says so (RFC 7692, section 7.2.3.4), and one that is not compressed.
    let mut ended = Vec::with_capacity(256);
    Compress::new(Compression::best(), false)
        .compress_vec(ping(3, 100).as_bytes(), &mut ended, FlushCompress::Finish)
        .unwrap();
    ended.push(0);
    wire.bytes(&raw::frame(0xc1, &ended)).await;
    answered(&mut wire, 3).await;
    let stored = deflate(
        &mut Compress::new(Compression::none(), false),
        ping(4, 100).as_bytes(),
        true,
    );
    wire.bytes(&raw::frame(0xc1, &stored)).await;
    answered(&mut wire, 4).await;
    // Empty, which is no frame of ours but one of WebSocket.
    wire.bytes(&raw::frame(0xc1, &[0])).await;
    wire.error().await;
    wire.bytes(&raw::frame(0xc1, &[])).await;
    wire.error().await;
    wire.sentinel().await;
}

#[tokio::test]
async fn what_is_no_deflate_is_closed_with_its_code() {
    let (node, _office, visitor) = scene().await;
    let whole = packed(ping(1, 2_000).as_bytes());
    let half = &whole[..whole.len() / 2];
    let bomb = packed(&vec![b'x'; 64 * 1024 * 1024]);
    let two = |first: u8, second: u8| {
        [
            raw::frame(first, half),
            raw::frame(second, &whole[half.len()..]),
        ]
        .concat()
    };
    let cases = [
        (
            "one byte too many",
            close::TOO_LARGE,
            raw::frame(0xc1, &packed(&vec![b'x'; MAX_FRAME + 1])),
        ),
        ("a bomb", close::TOO_LARGE, raw::frame(0xc1, &bomb)),
        (
            "a bomb in pieces",
            close::TOO_LARGE,
            [
                raw::frame(0x41, &bomb[..100]),
                raw::frame(0x80, &bomb[100..]),
            ]
            .concat(),
        ),
        ("a binary bomb", close::TOO_LARGE, raw::frame(0xc2, &bomb)),
        (
            "far too many bytes",
            close::TOO_LARGE,
            raw::frame(0xc1, &vec![0; 4 * MAX_FRAME + 1]),
        ),
        (
            "pieces without an end",
            close::TOO_LARGE,
            [
                raw::frame(0x41, &vec![0; 3 * MAX_FRAME]),
                raw::frame(0x00, &vec![0; 2 * MAX_FRAME]),
            ]
            .concat(),
        ),
        (
            "text that is not UTF-8",
            close::BAD_TEXT,
            raw::frame(0xc1, &packed(b"{\"t\":\"\xff\xfe\"}")),
        ),
        (
            "binary",
            close::UNSUPPORTED,
            raw::frame(0xc2, &packed(b"{}")),
        ),
        (
            "no deflate",
            close::PROTOCOL,
            raw::frame(0xc1, b"\xff\xff\xff\xff"),
        ),
        (
            "a distance before the beginning",
            close::PROTOCOL,
            raw::frame(0xc1, b"\x4b\x04\x12\x00"),
        ),
        (
            "a compressed ping",
            close::PROTOCOL,
            raw::frame(0xc9, &packed(b"x")),
        ),
        (
            "a compressed continuation",
            close::PROTOCOL,
            two(0x41, 0xc0),
        ),
        (
            "a continuation of nothing",
            close::PROTOCOL,
            raw::frame(0xc0, &whole),
        ),
        (
            "a message within a message",
            close::PROTOCOL,
            two(0x41, 0x81),
        ),
        (
            "a compressed message within one",
            close::PROTOCOL,
            two(0x41, 0xc1),
        ),
        (
            "a compressed message within a plain one",
            close::PROTOCOL,
            two(0x01, 0xc1),
        ),
        (
            "another reserved bit",
            close::PROTOCOL,
            raw::frame(0xe1, &whole),
        ),
        (
            "an unmasked frame",
            close::PROTOCOL,
            raw::unmasked(0xc1, &whole),
        ),
        (
            "an unmasked continuation",
            close::PROTOCOL,
            [raw::frame(0x41, half), raw::unmasked(0x80, half)].concat(),
        ),
        (
            "a reserved opcode",
            close::PROTOCOL,
            raw::frame(0xc3, &whole),
        ),
    ];
    for welcomed in [true, false] {
        for (what, code, bytes) in &cases {
            let upgrade = visitor.upgrade().deflated();
            let mut wire = Wire::open("visitor", upgrade).await.unwrap();
            if welcomed {
                wire.hello().await;
            }
            wire.bytes(bytes).await;
            let (closed, _) = wire.closed().await;
            assert_eq!(closed, *code, "{what} (welcomed: {welcomed})");
        }
    }
    visitor.live().await;
    node.assert_well().await;
}

/// The most memory that a process has had, in kB.
fn peak(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_bomb_costs_no_memory() {
    let (node, _office, visitor) = scene().await;
    // 64 MB in 65 kB, and many of 200 kB that come together.
    let bomb = packed(&vec![b' '; 64 * 1024 * 1024]);
    let many = raw::frame(0xc1, &packed(&vec![b' '; 3 * MAX_FRAME])).repeat(500);
    let before = peak(&node);
    for bytes in [raw::frame(0xc1, &bomb), many] {
        for _ in 0..4 {
            let upgrade = visitor.upgrade().deflated();
            let mut wire = Wire::open("visitor", upgrade).await.unwrap();
            wire.bytes(&bytes).await;
            assert!(matches!(wire.next().await, Heard::Closed(close::TOO_LARGE)));
        }
    }
    let grown = peak(&node) - before;
    assert!(grown < 16 * 1024, "{grown} kB more");
    node.assert_well().await;
}
