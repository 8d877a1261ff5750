//! `parlour site`.

use clap::Subcommand;

use super::{Desk, Failure, moment, say};
use crate::config::Config;
use crate::identity::{Actor, SiteDraft};
use crate::store::StoreError;
use crate::store::sites::Site;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all sites: key, name, allowed origins
    List,
    /// Add a site and print its snippet
    Add {
        /// The site's name
        name: String,
        /// An origin that may carry the widget, such as https://shop.example; may be repeated
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Vec<String>,
        /// The accent, such as #2F5BD8
        #[arg(long, value_name = "COLOUR")]
        color: Option<String>,
        /// What the widget says first
        #[arg(long, value_name = "TEXT")]
        greeting: Option<String>,
        /// The corner of the launcher: left or right
        #[arg(long, value_name = "SIDE")]
        position: Option<String>,
        /// The language where the page says nothing, such as en
        #[arg(long, value_name = "LANGUAGE")]
        locale: Option<String>,
    },
    /// Show a site: its snippet and its settings
    Show {
        /// The site's key
        key: String,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let result = act(&desk, command).await;
    desk.close().await;
    say(&result?);
    Ok(())
}

async fn act(desk: &Desk, command: Command) -> Result<String, Failure> {
    match command {
        Command::List => Ok(desk.store.sites().await?.iter().map(line).collect()),
        Command::Add {
            name,
            origins,
            color,
            greeting,
            position,
            locale,
        } => {
            let draft = SiteDraft::default();
            let draft = SiteDraft {
                name,
                origins,
                color: color.unwrap_or(draft.color),
                greeting: greeting.unwrap_or(draft.greeting),
                position: position.unwrap_or(draft.position),
                locale: locale.unwrap_or(draft.locale),
            };
            let site = desk
                .identity
                .create_site(&Actor::CommandLine, draft)
                .await?;
            Ok(sheet(desk, &site))
        }
        Command::Show { key } => match desk.store.site_by_key(&key).await {
            Ok(site) => Ok(sheet(desk, &site)),
            Err(StoreError::NotFound) => Err(Failure::Refused(format!(
                "there is no site with the key {key}; parlour site list shows all"
            ))),
            Err(error) => Err(error.into()),
        },
    }
}

fn line(site: &Site) -> String {
    format!("{}  {}  {}\n", site.key, site.name, site.origins.join(" "))
}

fn sheet(desk: &Desk, site: &Site) -> String {
    let seen = site.seen_at.map_or_else(|| "not yet".into(), moment);
    let origins = if site.origins.is_empty() {
        "none: only the test page works".into()
    } else {
        site.origins.join(" ")
    };
    format!(
        "Key:         {}\nName:        {}\nOrigins:     {origins}\nColour:      {}\nGreeting:    {}\nPosition:    {}\nLanguage:    {}\n\
         First visit: {seen}\nSnippet:     <script async src=\"{}\"></script>\n",
        site.key,
        site.name,
        site.color,
        site.greeting.replace('\n', " "),
        site.position,
        site.locale,
        desk.config.public_url.join(&format!("/w/{}.js", site.key)),
    )
}
