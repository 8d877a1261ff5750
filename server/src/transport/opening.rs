//! What a stream or a poll begins with, and whether the client knows all of it already.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use parlour_protocol::frame::{RoomState, ServerFrame};
use parlour_protocol::{ClientFrame, Id};
use serde::Serialize;

use crate::bus::Encoded;

/// Whether the person is there, as the client says in its `ping`. Looked for before the session
/// begins, or somebody who is away would seem to come back with each request.
pub(super) fn active(frames: &[String]) -> bool {
    let pings = frames.iter().filter(|frame| frame.contains("\"ping\""));
    let mut said = pings.filter_map(|frame| match serde_json::from_str(frame) {
        Ok(ClientFrame::Ping { active, .. }) => Some(active),
        _ => None,
    });
    said.next().unwrap_or(true)
}

/// Names the state that the frames of an opening tell: rooms, marks, people, the list. Times and
/// positions do not belong to it; cursors show those. With the name of a client's state given
/// back, frames that would tell it nothing new are left out.
pub(super) fn news(frames: Vec<Encoded>, known: Option<&str>) -> (Vec<Encoded>, String) {
    let mut state = DefaultHasher::new();
    let told: Vec<(Encoded, bool)> = frames
        .into_iter()
        .map(|frame| {
            let only_state = add(&frame, &mut state);
            (frame, only_state)
        })
        .collect();
    let name = format!("{:016x}", state.finish());
    let same = known == Some(name.as_str());
    let frames = told
        .into_iter()
        .filter(|(_, only_state)| !(same && *only_state));
    (frames.map(|(frame, _)| frame).collect(), name)
}

/// Adds what a frame says to the state. True if it says nothing else.
fn add(frame: &str, state: &mut DefaultHasher) -> bool {
    match serde_json::from_str(frame) {
        Ok(ServerFrame::Welcome {
            epoch,
            me,
            rooms,
            people,
            ..
        }) => {
            put(&(epoch, me, people), state);
            put_rooms(rooms, state);
            true
        }
        Ok(ServerFrame::Page {
            room,
            events,
            reset,
            live: Some(live),
            ..
        }) => {
            put::<Id>(&room, state);
            put_rooms(vec![live], state);
            events.is_empty() && !reset
        }
        Ok(ServerFrame::List { digest, counts, .. }) => {
            put(&(digest, counts), state);
            true
        }
        _ => false,
    }
}

fn put_rooms(rooms: Vec<RoomState>, state: &mut DefaultHasher) {
    for room in rooms {
        put(
            &RoomState {
                position: 0,
                ..room
            },
            state,
        );
    }
}

fn put<T: Serialize>(value: &T, state: &mut DefaultHasher) {
    // Frames are plain data, so this cannot fail.
    serde_json::to_string(value).unwrap_or_default().hash(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "01a20c91-a000-7000-8000-000000000010";

    fn page(events: &str, position: u32, read: u32) -> Encoded {
        let mark = format!(r#"{{"member":"{ROOM}","delivered":{read},"read":{read}}}"#);
        let live = format!(
            r#"{{"room":"{ROOM}","kind":"public","position":{position},"marks":[{mark}],"people":[]}}"#
        );
        format!(
            r#"{{"t":"page","room":"{ROOM}","events":[{events}],"more":false,"position":{position},"live":{live}}}"#
        )
        .into()
    }

    fn event(seq: u32) -> String {
        let author = format!(r#"{{"id":"{ROOM}","role":"visitor","name":""}}"#);
        format!(
            r#"{{"room":"{ROOM}","seq":{seq},"cid":"{ROOM}","at":1,"rev":0,"author":{author},"body":{{"kind":"deleted"}}}}"#
        )
    }

    #[test]
    fn what_is_known_is_left_out_and_what_is_new_is_not() {
        let (all, name) = news(vec![page("", 3, 2)], None);
        assert_eq!(all.len(), 1);
        let (nothing, same) = news(vec![page("", 3, 2)], Some(&name));
        assert_eq!((nothing.len(), &same), (0, &name));
        // An entry is told, and is nothing that the name knows.
        let (entry, same) = news(vec![page(&event(4), 4, 2)], Some(&name));
        assert_eq!((entry.len(), &same), (1, &name));
        // A mark that moved while nobody listened.
        let (moved, other) = news(vec![page("", 4, 4)], Some(&name));
        assert_eq!(moved.len(), 1);
        assert_ne!(other, name);
        let refusal = r#"{"t":"error","code":"unknown_room","message":"","retry":false}"#;
        assert_eq!(
            news(vec![refusal.to_owned().into()], Some(&name)).0.len(),
            1
        );
    }

    #[test]
    fn a_ping_says_whether_somebody_is_there() {
        let hello = r#"{"t":"hello","v":1}"#.to_owned();
        assert!(active(std::slice::from_ref(&hello)));
        assert!(active(&[r#"{"t":"ping","active":true}"#.to_owned()]));
        assert!(!active(&[hello, r#"{"t":"ping"}"#.to_owned()]));
    }
}
