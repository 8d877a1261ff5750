//! Sites, their snippet, and the pages of the first one.

use crate::form::Problems;
use crate::shell::{Assets, Bare, Shell};
use askama::Template;

/// On which side the launcher stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// Left.
    Left,
    /// Right.
    #[default]
    Right,
}

impl Position {
    /// Its value in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// The form of a site. Fields: `name`, `origins` (one a line), `colour` (`#rrggbb`),
/// `greeting`, `position` (`left`, `right`), `locale` (empty: the visitor's own).
#[derive(Clone, Debug, Default)]
pub struct SiteForm {
    /// Its name, which visitors see.
    pub name: String,
    /// The allowed origins, one a line.
    pub origins: String,
    /// Its colour, `#rrggbb`.
    pub colour: String,
    /// The greeting beside the launcher.
    pub greeting: String,
    /// On which side the launcher stands.
    pub position: Position,
    /// The widget's language; empty for the visitor's own.
    pub locale: String,
    /// The languages there are: code and name.
    pub locales: Vec<(String, String)>,
    /// What is wrong, by field.
    pub problems: Problems,
}

/// How a site is put on a page.
#[derive(Clone, Debug, Default)]
pub struct SnippetView {
    /// The `<script>` line.
    pub code: String,
    /// The test page, `/test/{key}`.
    pub test_url: String,
}

/// A site in the list.
#[derive(Clone, Debug, Default)]
pub struct SiteRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The allowed origins.
    pub origins: Vec<String>,
    /// Open tickets.
    pub open: u64,
    /// Whether a visitor has ever been there.
    pub visited: bool,
}

/// `GET /sites`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/sites.html")]
pub struct SitesPage {
    /// The frame.
    pub shell: Shell,
    /// All sites.
    pub sites: Vec<SiteRow>,
    /// Whether the one who looks may change them.
    pub may_change: bool,
}

/// `GET /sites/new`, `GET /sites/{id}`, and their answers when refused.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/site.html")]
pub struct SitePage {
    /// The frame.
    pub shell: Shell,
    /// The site's id; none for a new one.
    pub id: Option<String>,
    /// The form.
    pub form: SiteForm,
    /// The snippet; none for a new one.
    pub snippet: Option<SnippetView>,
}

impl SitePage {
    pub(crate) fn action(&self) -> String {
        format!("/sites/{}", self.id.as_deref().unwrap_or("new"))
    }
}

/// `GET /setup/site`: the first site.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/setup_site.html")]
pub struct SetupSitePage {
    /// The frame.
    pub bare: Bare,
    /// The form.
    pub form: SiteForm,
}

/// `GET /sites/{id}/install`: the snippet, and the wait for the first visitor.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/install.html")]
pub struct InstallPage {
    /// The frame.
    pub shell: Shell,
    /// The site's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The snippet.
    pub snippet: SnippetView,
    /// Whether no origin is allowed, so that no page may carry it.
    pub closed: bool,
    /// The first ticket, once there is one.
    pub first_ticket: Option<String>,
}

/// `GET /test/{key}`: a plain page that carries the snippet.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/test.html")]
pub struct TestPage {
    /// Where the assets are.
    pub assets: Assets,
    /// The site's name.
    pub name: String,
    /// The loader, `/w/{key}.js`.
    pub loader_url: String,
}
