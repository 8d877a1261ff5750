//! The files that the server delivers. The live script `dashboard.js` is embedded by the server.

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name without a hash.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// The stylesheet, in the order of its layers.
const CSS: &str = concat!(
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/controls.css"),
    include_str!("../assets/css/faces.css"),
    include_str!("../assets/css/menus.css"),
    include_str!("../assets/css/shell.css"),
    include_str!("../assets/css/lists.css"),
    include_str!("../assets/css/composer.css"),
    include_str!("../assets/css/thread.css"),
    include_str!("../assets/css/messages.css"),
    include_str!("../assets/css/context.css"),
    include_str!("../assets/css/entry.css"),
    include_str!("../assets/css/pages.css"),
    include_str!("../assets/css/preview.css"),
    include_str!("../assets/css/utilities.css"),
);

/// All files.
pub const ALL: [Asset; 5] = [
    Asset {
        name: "dashboard.css",
        media_type: "text/css; charset=utf-8",
        text: CSS,
    },
    Asset {
        name: "theme.js",
        media_type: "text/javascript; charset=utf-8",
        text: include_str!("../assets/theme.js"),
    },
    Asset {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        text: include_str!("../assets/page.js"),
    },
    Asset {
        name: "favicon.svg",
        media_type: "image/svg+xml",
        text: include_str!("../assets/favicon.svg"),
    },
    Asset {
        name: "favicon-unread.svg",
        media_type: "image/svg+xml",
        text: include_str!("../assets/favicon-unread.svg"),
    },
];
