use super::*;
use clap::{Args as _, FromArgMatches as _};

fn flags(arguments: &[&str]) -> Flags {
    let matches = Flags::augment_args(Command::new("test")).get_matches_from(arguments);
    Flags::from_arg_matches(&matches).expect("good flags")
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let path = std::env::temp_dir().join(format!("parlour-config-{}.toml", crate::clock::id()));
    std::fs::write(&path, "addr = \"127.0.0.1:1\"\nsend_rate = 7\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nlog = \"warn\"\n").expect("a file");
    let path_text = path.display().to_string();
    let flags = flags(&["test", "--addr", "127.0.0.1:3", "--config", &path_text]);
    let values = Values::read(&flags, |variable| match variable {
        "PARLOUR_ADDR" => Some("127.0.0.1:2".into()),
        "PARLOUR_LOG" => Some("debug".into()),
        _ => None,
    })
    .expect("values");
    std::fs::remove_file(&path).expect("the file");
    assert_eq!(
        values.text("PARLOUR_ADDR").map(|(value, _)| value),
        Some("127.0.0.1:3")
    );
    assert_eq!(
        values.text("PARLOUR_LOG").map(|(value, _)| value),
        Some("debug")
    );
    assert_eq!(
        values.text("PARLOUR_SEND_RATE").map(|(value, _)| value),
        Some("7")
    );
    assert_eq!(
        values
            .text("PARLOUR_TRUSTED_PROXIES")
            .map(|(value, _)| value),
        Some("10.0.0.0/8,::1")
    );
    assert_eq!(
        values.text("PARLOUR_SEND_BURST").map(|(value, _)| value),
        Some("20")
    );
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let path = std::env::temp_dir().join(format!("parlour-secret-{}", crate::clock::id()));
    std::fs::write(&path, "redis://h\n").expect("a file");
    let environment = |variable: &str| match variable {
        "REDIS_URL_FILE" | "PARLOUR_LOG_FILE" => Some(path.clone().into_os_string()),
        "DATABASE_URL" => Some("postgres://h/one".into()),
        "DATABASE_URL_FILE" => Some("/no/such/file".into()),
        _ => None,
    };
    let values = Values::read(&Flags::default(), environment).expect("values");
    std::fs::remove_file(&path).expect("the file");
    let text = |variable| values.text(variable).map(|(value, _)| value);
    assert_eq!(text("REDIS_URL"), Some("redis://h"));
    assert_eq!(text("DATABASE_URL"), Some("postgres://h/one"));
    assert_eq!(text("PARLOUR_LOG"), Some("info"));
}

#[test]
fn a_file_with_an_unknown_key_is_refused() {
    let path = std::env::temp_dir().join(format!("parlour-config-{}.toml", crate::clock::id()));
    std::fs::write(&path, "adr = \"127.0.0.1:1\"\n").expect("a file");
    let error = from_file(&path).expect_err("an unknown key");
    std::fs::remove_file(&path).expect("the file");
    assert!(matches!(error, ConfigError::UnknownKey { key, .. } if key == "adr"));
}

#[test]
fn flags_and_keys_have_one_spelling() {
    for setting in SETTINGS {
        assert_eq!(setting.flag, setting.key().replace('_', "-"));
    }
}

#[test]
fn times_have_units() {
    for (text, expected) in [
        ("45s", Some(45)),
        ("30m", Some(1_800)),
        ("12h", Some(43_200)),
        ("14d", Some(1_209_600)),
        ("9", Some(9)),
        ("", None),
        ("d", None),
        ("1.5h", None),
        ("-1s", None),
    ] {
        assert_eq!(seconds(text), expected, "{text}");
    }
}
