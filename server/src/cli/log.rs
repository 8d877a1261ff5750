//! The log, on the error output.

use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, FilterFn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// Libraries that, below this level, log what people send: statements with their values, frames, headers.
const TALKATIVE: [&str; 10] = [
    "sqlx",
    "hyper",
    "hyper_util",
    "h2",
    "axum",
    "tower",
    "tower_http",
    "tungstenite",
    "tokio_tungstenite",
    "jsonwebtoken",
];

pub(super) fn start(config: &LogConfig) {
    let discreet = FilterFn::new(|metadata| {
        let library = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::INFO || !TALKATIVE.contains(&library)
    });
    let filter = EnvFilter::new(&config.filter).and(discreet);
    let output = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let layer = match config.format {
        LogFormat::Text => output.boxed(),
        LogFormat::Json => output.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
}
