//! Settings, and the pages before sign-in.

use super::{ada, assets, bare, ben, clara, dmitri, html, id, minutes_ago, shell};
use parlour_admin_templates::*;

const SNIPPET: &str =
    "<script async src=\"https://chat.fjordandfir.example/w/pk_7Qm2xV9cL4tR.js\"></script>";

fn form() -> SiteForm {
    SiteForm {
        name: "Fjord & Fir".into(),
        origins: "https://www.fjordandfir.example\nhttps://shop.fjordandfir.example".into(),
        colour: "#1f6f54".into(),
        greeting: "Questions about sizes? We are here.".into(),
        position: Position::Right,
        locale: String::new(),
        locales: vec![
            ("en".into(), "English".into()),
            ("de".into(), "Deutsch".into()),
        ],
        problems: Problems::default(),
    }
}

fn agents() -> Vec<AgentRow> {
    let agent = |person: PersonView, email: &str, rank, may_change| AgentRow {
        person,
        email: format!("{email}@fjordandfir.example"),
        rank,
        disabled: false,
        last_seen: Some(minutes_ago(300)),
        may_change,
    };
    vec![
        agent(ada(), "ada", Rank::Owner, false),
        agent(ben(), "ben", Rank::Agent, true),
        agent(clara(), "clara", Rank::Admin, true),
        agent(dmitri(), "dmitri", Rank::Agent, true),
        AgentRow {
            disabled: true,
            last_seen: None,
            ..agent(
                PersonView::agent(id(5), "Esra Yıldız"),
                "esra",
                Rank::Agent,
                true,
            )
        },
    ]
}

fn agents_page(link: Option<OneTimeLink>) -> AgentsPage {
    AgentsPage {
        shell: shell(Section::Agents),
        agents: agents(),
        invitations: vec![InvitationRow {
            email: "finn@fjordandfir.example".into(),
            rank: Rank::Agent,
            expires: minutes_ago(-50),
        }],
        link,
        may_invite: true,
        ranks: Rank::ALL.to_vec(),
        email: String::new(),
        problems: Problems::default(),
    }
}

fn account() -> AccountPage {
    let sign_in = |n, browser: &str, minutes, current| SignInRow {
        id: id(n),
        browser: browser.into(),
        address: "203.0.113.24".into(),
        at: minutes_ago(minutes),
        last_seen: minutes_ago(minutes / 9),
        current,
    };
    AccountPage {
        shell: shell(Section::Account),
        sign_ins: vec![
            sign_in(80, "Firefox on Linux", 200, true),
            sign_in(81, "Safari on iPhone", 9000, false),
        ],
        problems: Problems::default(),
    }
}

fn entries() -> Vec<(&'static str, String)> {
    let wrong = Problems::whole("That address and password do not belong together.");
    let short = Problems::default().with("password", "Use at least 8 characters.");
    vec![
        (
            "sign-in",
            html(&SignInPage {
                bare: bare(),
                notice: Some("You have signed out.".into()),
                ..SignInPage::default()
            }),
        ),
        (
            "sign-in-refused",
            html(&SignInPage {
                bare: bare(),
                email: "ada@fjordandfir.example".into(),
                problems: wrong,
                ..SignInPage::default()
            }),
        ),
        (
            "setup-owner",
            html(&SetupOwnerPage {
                bare: bare(),
                action: "/setup/x".into(),
                name: "Ada Marsh".into(),
                problems: short.clone(),
                ..SetupOwnerPage::default()
            }),
        ),
        (
            "setup-site",
            html(&SetupSitePage {
                bare: bare(),
                form: form(),
            }),
        ),
        (
            "invite",
            html(&InvitePage {
                bare: bare(),
                action: "/invite/x".into(),
                inviter: "Ada Marsh".into(),
                email: "finn@fjordandfir.example".into(),
                rank: Rank::Admin,
                ..InvitePage::default()
            }),
        ),
        (
            "reset",
            html(&ResetPage {
                bare: bare(),
                action: "/reset/x".into(),
                email: "ben@fjordandfir.example".into(),
                problems: short,
            }),
        ),
        ("error-404", html(&ErrorPage::of(404, bare()))),
        ("error-403", html(&ErrorPage::of(403, bare()))),
        ("error-500", html(&ErrorPage::of(500, bare()))),
        ("error-410", html(&ErrorPage::of(410, bare()))),
    ]
}

pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let link = OneTimeLink {
        url: "https://chat.fjordandfir.example/invite/kq3Vn0aZ8mW2uYtR6bLx4cJd9eHsGf1p".into(),
        person: "finn@fjordandfir.example".into(),
        minutes: 60,
        purpose: LinkPurpose::Invitation,
    };
    let snippet = SnippetView {
        code: SNIPPET.into(),
        test_url: "/test/pk_7Qm2xV9cL4tR".into(),
    };
    let install = |first_ticket| InstallPage {
        shell: shell(Section::Sites),
        id: id(10),
        name: "Fjord & Fir".into(),
        snippet: snippet.clone(),
        closed: false,
        first_ticket,
    };
    let site = SiteRow {
        id: id(10),
        name: "Fjord & Fir".into(),
        origins: vec![
            "https://www.fjordandfir.example".into(),
            "https://shop.fjordandfir.example".into(),
        ],
        open: 9,
        visited: true,
    };
    let outlet = SiteRow {
        id: id(11),
        name: "Fjord & Fir Outlet".into(),
        origins: vec!["https://outlet.example".into()],
        open: 0,
        visited: false,
    };
    let refused = SiteForm {
        problems: Problems::default().with(
            "origins",
            "“shop.example” lacks its scheme: write https://shop.example.",
        ),
        position: Position::Left,
        ..form()
    };
    let sites = |sites| {
        html(&SitesPage {
            shell: shell(Section::Sites),
            sites,
            may_change: true,
        })
    };
    let test = || {
        html(&TestPage {
            assets: assets(),
            name: "Fjord & Fir".into(),
            loader_url: "/w/pk_7Qm2xV9cL4tR.js".into(),
        })
    };
    let mut pages = vec![
        ("agents", html(&agents_page(None))),
        ("agents-link", html(&agents_page(Some(link)))),
        ("sites", sites(vec![site, outlet])),
        ("sites-empty", sites(Vec::new())),
        (
            "site",
            html(&SitePage {
                shell: shell(Section::Sites),
                id: Some(id(10)),
                form: form(),
                snippet: Some(snippet.clone()),
            }),
        ),
        (
            "site-new-refused",
            html(&SitePage {
                shell: shell(Section::Sites),
                id: None,
                form: refused,
                snippet: None,
            }),
        ),
        ("install", html(&install(None))),
        ("install-arrived", html(&install(Some(id(30))))),
        ("account", html(&account())),
        ("test", test()),
    ];
    pages.extend(entries());
    pages
}
