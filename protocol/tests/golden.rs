//! The golden files are version 1: what they say may never change, and both
//! serde and the codec read and write exactly that.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

#[path = "golden/cases.rs"]
mod cases;

use parlour_protocol::codec;
use parlour_protocol::frame::Body;
use parlour_protocol::{ClientFrame, ServerFrame};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The kinds of an enum, as a list and as a match that the compiler keeps complete:
/// a new variant does not compile until it stands here, and then wants a golden file.
macro_rules! kinds {
    ($function:ident, $list:ident, $enum:ident { $($variant:ident => $tag:literal,)* }) => {
        const $list: &[&str] = &[$($tag),*];
        fn $function(value: &$enum) -> &'static str {
            match value {
                $($enum::$variant { .. } => $tag,)*
            }
        }
    };
}

kinds!(client_kind, CLIENT_KINDS, ClientFrame {
    Hello => "hello",
    Auth => "auth",
    Join => "join",
    Leave => "leave",
    Send => "send",
    Typing => "typing",
    Receipt => "receipt",
    History => "history",
    Sync => "sync",
    Ping => "ping",
});

kinds!(server_kind, SERVER_KINDS, ServerFrame {
    Welcome => "welcome",
    Ack => "ack",
    Event => "event",
    Page => "page",
    Receipt => "receipt",
    Typing => "typing",
    Presence => "presence",
    Beat => "beat",
    Ticket => "ticket",
    List => "list",
    Error => "error",
    Bye => "bye",
});

kinds!(body_kind, BODY_KINDS, Body {
    Text => "text",
    Note => "note",
    Happened => "happened",
    Deleted => "deleted",
});

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1")
}

fn golden(name: &str) -> String {
    let path = folder().join(name).with_extension("json");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn client_frames_are_as_written() {
    for (name, frame) in cases::client() {
        let file = golden(name);
        assert_eq!(
            serde_json::from_str::<ClientFrame>(&file).unwrap(),
            frame,
            "{name}"
        );
        let by_serde = serde_json::to_string(&frame).unwrap();
        assert_eq!(json(&by_serde), json(&file), "{name}");
        assert_eq!(codec::encode(&frame), by_serde, "{name}");
    }
}

#[test]
fn server_frames_are_as_written() {
    for (name, frame) in cases::server() {
        let file = golden(name);
        assert_eq!(
            serde_json::from_str::<ServerFrame>(&file).unwrap(),
            frame,
            "{name}"
        );
        assert_eq!(codec::decode(&file), Ok(frame.clone()), "{name}");
        let by_serde = serde_json::to_string(&frame).unwrap();
        assert_eq!(json(&by_serde), json(&file), "{name}");
    }
}

#[test]
fn what_a_newer_server_adds_is_skipped() {
    for (name, frame) in cases::newer() {
        let file = golden(name);
        assert_eq!(
            serde_json::from_str::<ServerFrame>(&file).unwrap(),
            frame,
            "{name}"
        );
        assert_eq!(codec::decode(&file), Ok(frame), "{name}");
    }
}

#[test]
fn every_kind_has_a_golden_file() {
    let client: BTreeSet<_> = cases::client()
        .iter()
        .map(|(_, frame)| client_kind(frame))
        .collect();
    assert_eq!(client, CLIENT_KINDS.iter().copied().collect());

    let server: BTreeSet<_> = cases::server()
        .iter()
        .map(|(_, frame)| server_kind(frame))
        .collect();
    assert_eq!(server, SERVER_KINDS.iter().copied().collect());

    let bodies: BTreeSet<_> = cases::server()
        .iter()
        .filter_map(|(_, frame)| match frame {
            ServerFrame::Event(event) => Some(body_kind(&event.body)),
            _ => None,
        })
        .collect();
    assert_eq!(bodies, BODY_KINDS.iter().copied().collect());
}

#[test]
fn kinds_are_the_tags_on_the_wire() {
    for (name, frame) in cases::client() {
        assert_eq!(json(&golden(name))["t"], client_kind(&frame), "{name}");
    }
    for (name, frame) in cases::server() {
        assert_eq!(json(&golden(name))["t"], server_kind(&frame), "{name}");
    }
}

#[test]
fn every_golden_file_is_tested_once() {
    let mut names: Vec<&str> = cases::client().iter().map(|(name, _)| *name).collect();
    names.extend(cases::server().iter().map(|(name, _)| *name));
    names.extend(cases::newer().iter().map(|(name, _)| *name));
    names.sort_unstable();

    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    files.sort_unstable();
    assert_eq!(files, names);
}

#[test]
fn the_reference_shows_every_golden_file() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let page = fs::read_to_string(page).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let block = format!(
            "```json\n{}\n```",
            fs::read_to_string(&path).unwrap().trim_end()
        );
        assert!(
            page.contains(&block),
            "docs/protocol.md does not show {}",
            path.display()
        );
    }
}
