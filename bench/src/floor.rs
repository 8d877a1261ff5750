//! The floor: a relay on bare tokio-tungstenite, which checks nothing and stores nothing. It
//! numbers what it relays, so that the same check holds, and acknowledges what it was given.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Messages that wait for one connection; what finds no place is lost, and the check tells.
const QUEUE: usize = 256;

type Rooms = Arc<Mutex<HashMap<String, Room>>>;

#[derive(Default)]
struct Room {
    seq: u64,
    members: Vec<(u64, mpsc::Sender<Utf8Bytes>)>,
}

/// Relays until the process is ended; prints where it listens.
///
/// # Errors
/// What the system says.
pub async fn serve(address: SocketAddr) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(address)?;
    let listener: TcpListener = socket.listen(4_096)?;
    println!("listening {}", listener.local_addr()?);
    let rooms = Rooms::default();
    let mut number = 0;
    loop {
        let (stream, _) = listener.accept().await?;
        number += 1;
        tokio::spawn(relay(stream, number, Arc::clone(&rooms)));
    }
}

async fn relay(stream: TcpStream, number: u64, rooms: Rooms) {
    // As every server of short frames does; without it the floor would not be one.
    let _ = stream.set_nodelay(true);
    let mut path = String::new();
    #[expect(
        clippy::result_large_err,
        reason = "the library's callback has this type"
    )]
    let look = |request: &Request, response: Response| {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(2_048)
        .write_buffer_size(4_096);
    let Ok(mut socket) = accept_hdr_async_with_config(stream, look, Some(config)).await else {
        return;
    };
    let (queue, mut news) = mpsc::channel(QUEUE);
    let lock = || rooms.lock().unwrap_or_else(PoisonError::into_inner);
    lock()
        .entry(path.clone())
        .or_default()
        .members
        .push((number, queue));
    let mut open = socket.send(Message::text("j")).await.is_ok();
    let mut due = Vec::with_capacity(64);
    while open {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let seq = pass_on(&mut lock(), &path, number, &text);
                    let ack = format!("a{seq} {}", text.get(..36).unwrap_or_default());
                    open = socket.send(Message::text(ack)).await.is_ok();
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => open = false,
            },
            _ = news.recv_many(&mut due, 64) => {
                for text in due.drain(..) {
                    open &= socket.feed(Message::Text(text)).await.is_ok();
                }
                open &= socket.flush().await.is_ok();
            }
        }
    }
    let mut rooms = lock();
    if let Some(room) = rooms.get_mut(&path) {
        room.members.retain(|(known, _)| *known != number);
    }
}

fn pass_on(rooms: &mut HashMap<String, Room>, path: &str, from: u64, text: &str) -> u64 {
    let Some(room) = rooms.get_mut(path) else {
        return 0;
    };
    room.seq += 1;
    let event = Utf8Bytes::from(format!("e{} {text}", room.seq));
    for (number, member) in &room.members {
        if *number != from {
            let _ = member.try_send(event.clone());
        }
    }
    room.seq
}
