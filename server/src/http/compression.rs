//! Compressing answers.
//!
//! Only routes whose answers hold no token and no one-time link, and that do not repeat what the
//! request says: the length of a compressed answer tells whether two things in it are alike.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// From this size on an answer is compressed.
const WORTH_IT: u64 = 1_024;
/// Of brotli and gzip alike: beyond it pages become hardly smaller, and much slower.
const LEVEL: i32 = 4;

/// In brotli or gzip, as the client asks for. A stream of events goes out as it comes.
pub fn layer() -> CompressionLayer<impl Predicate + Send + Sync> {
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(SizeAbove::new(WORTH_IT).and(NotForContentType::SSE))
}
