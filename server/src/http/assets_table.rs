//! The static files that `cargo xtask widget` built, as the build script found them.

/// One static file. All are served from one folder, under their hashed names, for ever.
#[derive(Debug)]
pub struct Asset {
    /// What code and templates call it: `widget.js`, `widget.wasm`, `widget.css`, `lang-de.json`,
    /// and the dashboard's files by their path in `admin-templates/assets`.
    pub name: &'static str,
    /// Its file name in the served folder, which contains a hash of its content.
    pub path: &'static str,
    /// The value of its Content-Type header.
    pub mime: &'static str,
    /// Its content.
    pub raw: &'static [u8],
    /// Its content in brotli. Empty where compressing is of no use: then serve `raw`.
    pub brotli: &'static [u8],
    /// Its content in gzip. Empty where compressing is of no use: then serve `raw`.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));
