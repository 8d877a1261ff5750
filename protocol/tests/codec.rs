//! serde and the codec give the same answer: both refuse, or both read the same frame.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

#[path = "codec/frames.rs"]
mod frames;
#[path = "codec/mutate.rs"]
mod mutate;

use mutate::Mutator;
use parlour_protocol::codec::json::{MAX_BYTES, MAX_DEPTH, Value, parse};
use parlour_protocol::codec::{DecodeError, decode, encode};
use parlour_protocol::{ClientFrame, ServerFrame};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// Reads by both, which must agree, and tells whether they read a frame.
#[track_caller]
fn both(text: &str) -> bool {
    let by_serde = serde_json::from_str::<ServerFrame>(text);
    match (by_serde, decode(text)) {
        (Ok(one), Ok(other)) => assert_eq!(one, other, "{text}"),
        (Err(_), Err(_)) => return false,
        (one, other) => panic!("serde: {one:?}\ncodec: {other:?}\n{text}"),
    }
    true
}

/// The texts of the server's golden files, and of two from the client that share their tag with one.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort_unstable();
    files.retain(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        !name.starts_with("client-") || matches!(name, "client-typing" | "client-receipt")
    });
    files
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// A quarter of a million mutations of golden files; four seeds make the million,
/// in four tests so that they run side by side.
fn quarter_million(seed: u64) {
    let corpus = corpus();
    let mut mutator = Mutator::new(seed, &corpus);
    let mut frames = 0;
    for _ in 0..250_000 {
        frames += u32::from(both(&mutator.next()));
    }
    // Neither all broken nor all harmless, or the test would show nothing.
    assert!(
        (25_000..200_000).contains(&frames),
        "{frames} of 250000 were frames"
    );
}

#[test]
fn mutations_agree_1() {
    quarter_million(1);
}

#[test]
fn mutations_agree_2() {
    quarter_million(2);
}

#[test]
fn mutations_agree_3() {
    quarter_million(3);
}

#[test]
fn mutations_agree_4() {
    quarter_million(4);
}

#[test]
fn json_agrees_with_serde_json() {
    let corpus = corpus();
    let mut mutator = Mutator::new(5, &corpus);
    for _ in 0..100_000 {
        let text = mutator.next();
        match (
            serde_json::from_str::<serde_json::Value>(&text),
            parse(&text),
        ) {
            (Ok(one), Ok(other)) => assert_eq!(one, mutate::to_serde(&other), "{text}"),
            (Err(_), Err(_)) => {}
            (one, other) => panic!("serde_json: {one:?}\ncodec: {other:?}\n{text}"),
        }
    }
}

#[test]
fn golden_frames_agree() {
    for text in corpus() {
        both(&text);
    }
}

#[test]
fn numbers_agree() {
    let beat = |number: &str| {
        both(&format!(r#"{{"t":"beat","time":{number},"rooms":[]}}"#));
        both(&format!(
            r#"{{"t":"beat","time":1,"rooms":[],"n":{number}}}"#
        ));
        both(&format!(
            r#"{{"t":"beat","time":1,"rooms":[],"else":{number}}}"#
        ));
        both(&format!(r#"{{"t":"receipt","room":0,"mark":{number}}}"#));
        both(number);
    };
    for number in [
        "0",
        "-0",
        "-1",
        "00",
        "01",
        "-01",
        "1.",
        ".1",
        "-",
        "+1",
        "1.0",
        "0.0",
        "1e0",
        "1E+0",
        "1e-0",
        "1e",
        "1e+",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "1e308",
        "1e309",
        "-1e309",
        "0e999999999999",
        "1e999999999999",
        "1e-999999999999",
        "0.1e310",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "17976931348623157081e289",
        "17976931348623158e292",
        "0.0000000000000000000000000000000000000001e348",
        "18446744073709551616.3e289",
        "1844674407370955162.9e290",
    ] {
        beat(number);
    }
    // Around the largest double, for each length of digits.
    for exponent in 285..=310 {
        for digits in [
            "1",
            "17",
            "179",
            "1797693134862315",
            "17976931348623157",
            "17976931348623159",
            "18446744073709551615",
        ] {
            beat(&format!("{digits}e{exponent}"));
            beat(&format!("-{digits}.0e{exponent}"));
        }
    }
}

#[test]
fn depth_agrees() {
    for depth in usize::from(MAX_DEPTH) - 3..usize::from(MAX_DEPTH) + 3 {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        both(&format!(
            r#"{{"t":"bye","reason":"limit","after":1,"else":{open}{close}}}"#
        ));
        both(&format!(r#"["deleted",{open}{close}]"#));
        both(&format!(
            r#"{{"t":"bye","reason":"limit","after":1,"else":{}1{}}}"#,
            r#"{"a":"#.repeat(depth),
            "}".repeat(depth)
        ));
    }
    let hostile = "[".repeat(1_000_000);
    assert!(matches!(decode(&hostile), Err(DecodeError::Syntax(_))));
}

#[test]
fn oddities_of_serde_agree() {
    let both = |text: &str| both(&text.replace("ID", "00000000-0000-0000-0000-000000000000"));
    for text in [
        // A struct as a list of its fields, also with defaults left out, and too long.
        r#"["bye","restart",5]"#,
        r#"["bye","restart"]"#,
        r#"["bye","restart",5,6]"#,
        r#"["typing","ID",["ID","agent","Grace"],true]"#,
        r#"["typing","ID",["ID","agent"],true]"#,
        r#"["event","ID",1,"ID",2,0,["ID","system"],["deleted"]]"#,
        r#"["event","ID",1,"ID",2,0,["ID","system"],["deleted",1]]"#,
        r#"["event","ID",1,"ID",2,0,["ID","system"],[0,[["a"]]],null]"#,
        // A buffered tag by its number, but not the outermost.
        r#"{"t":"event","room":"ID","seq":1,"cid":"ID","at":1,"author":["ID","agent"],"body":{"kind":3}}"#,
        r#"{"t":"event","room":"ID","seq":1,"cid":"ID","at":1,"author":["ID","agent"],"body":{"kind":4}}"#,
        r#"{"t":11,"reason":"restart","after":5}"#,
        // A variant as an object of nothing.
        r#"{"t":"presence","who":["ID",{"agent":null}],"state":{"away":{}}}"#,
        r#"{"t":"presence","who":["ID",{"agent":null}],"state":{"away":[]}}"#,
        r#"{"t":"presence","who":["ID","agent"],"state":{"away":null,"online":null}}"#,
        r#"{"t":"error","code":{"new":null},"message":"","retry":false}"#,
        r#"{"t":"error","code":{},"message":"","retry":false}"#,
        r#"{"t":"error","code":7,"message":"","retry":false}"#,
        // Fields twice: known, unknown, the tag.
        r#"{"t":"bye","reason":"a","after":1,"after":1}"#,
        r#"{"t":"bye","reason":"a","after":1,"x":1,"x":2}"#,
        r#"{"t":"bye","t":"bye","reason":"a","after":1}"#,
        // null where a default, an option, or neither is.
        r#"{"t":"error","code":"empty","message":"","retry":false,"room":null,"cid":null}"#,
        r#"{"t":"error","code":"empty","message":"","retry":false,"after":null}"#,
        r#"{"t":"error","code":"empty","message":null,"retry":false}"#,
        // Escapes, also in names.
        r#"{"\u0074":"b\u0079e","reason":"\ud83d\ude42\u0000\/","after":1}"#,
        r#"{"t":"bye","reason":"\ud83d","after":1}"#,
        r#"{"t":"bye","reason":"\ude42\ud83d","after":1}"#,
        r#"{"t":"bye","reason":"\ud83d\u0041","after":1}"#,
        r#"{"t":"bye","reason":"a","after":1,"\udead":1}"#,
        "\u{feff}[]",
        "",
        " ",
    ] {
        both(text);
    }
    assert!(both(r#"["typing","ID",["ID","agent"],true]"#));
    assert!(both(r#"["bye","restart",5]"#));
    assert!(both(r#"["event","ID",1,"ID",2,0,["ID","system"],[3]]"#));
    assert!(both(
        r#"{"t":"presence","who":["ID",{"agent":null}],"state":{"away":{}}}"#
    ));
}

#[test]
fn errors_tell_what_is_wrong() {
    assert!(matches!(decode("{"), Err(DecodeError::Syntax(_))));
    assert_eq!(
        decode(r#"{"t":"newer","x":1}"#),
        Err(DecodeError::UnknownFrame)
    );
    assert_eq!(decode(r#"{"t":"bye"}"#), Err(DecodeError::Shape));
    assert_eq!(decode(r#"{"reason":"x"}"#), Err(DecodeError::Shape));
    assert_eq!(decode("7"), Err(DecodeError::Shape));
}

/// The one deliberate difference.
#[test]
fn too_long_a_text_is_refused() {
    let frame = r#"{"t":"bye","reason":"limit","after":1}"#;
    let fits = format!("{frame}{}", " ".repeat(MAX_BYTES - frame.len()));
    assert!(both(&fits));
    assert!(matches!(
        decode(&format!("{fits} ")),
        Err(DecodeError::Syntax(_))
    ));
}

#[test]
fn values_are_borrowed_where_nothing_is_escaped() {
    let value = parse(r#"{"a":["plain","esc\naped",-1,2.50]}"#).unwrap();
    let items = value.get("a").unwrap().items();
    assert!(matches!(
        &items[0],
        Value::Text(std::borrow::Cow::Borrowed("plain"))
    ));
    assert_eq!(items[1].text(), Some("esc\naped"));
    assert_eq!(items[2].signed(), Some(-1));
    assert_eq!(items[2].unsigned(), None);
    assert_eq!(items[3], Value::Float("2.50"));
    assert_eq!(value.get("b"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_server_frame_is_read(frame in frames::server()) {
        let text = serde_json::to_string(&frame).unwrap();
        prop_assert_eq!(decode(&text), Ok(frame.clone()));
        let text = serde_json::to_string_pretty(&frame).unwrap();
        prop_assert_eq!(decode(&text), Ok(frame));
    }

    #[test]
    fn any_client_frame_is_written(frame in frames::client()) {
        let text = encode(&frame);
        prop_assert_eq!(&text, &serde_json::to_string(&frame).unwrap());
        prop_assert_eq!(serde_json::from_str::<ClientFrame>(&text).unwrap(), frame);
    }

    #[test]
    fn any_text_agrees(text in any::<String>()) {
        both(&text);
    }
}
