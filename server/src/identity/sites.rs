//! Sites: what may be set, and who may set it.

use uuid::Uuid;

use super::{Actor, Identity, Origin, fields, secret};
use crate::clock;
use crate::error::Error;
use crate::store::sites::Site;

/// Origins of one site.
const MOST_ORIGINS: usize = 50;
/// Sites of one installation.
const MOST_SITES: usize = 1_000;

/// A site, as a person fills in its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDraft {
    /// Its name, up to 60 characters.
    pub name: String,
    /// The accent, `#RRGGBB`.
    pub color: String,
    /// What the widget says first, up to 300 characters; may be empty.
    pub greeting: String,
    /// `left` or `right`.
    pub position: String,
    /// The language where the page says nothing; empty: the visitor's own.
    pub locale: String,
    /// Origins that may carry the widget, in any form that [`Origin::parse`] reads.
    pub origins: Vec<String>,
}

impl Default for SiteDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            color: "#2F5BD8".into(),
            greeting: "Hello. How can we help?".into(),
            position: "right".into(),
            locale: String::new(),
            origins: Vec::new(),
        }
    }
}

impl From<Site> for SiteDraft {
    fn from(site: Site) -> Self {
        Self {
            name: site.name,
            color: site.color,
            greeting: site.greeting,
            position: site.position,
            locale: site.locale,
            origins: site.origins,
        }
    }
}

impl SiteDraft {
    /// Everything in its one form.
    fn check(self) -> Result<Self, Error> {
        if !matches!(self.position.as_str(), "left" | "right") {
            return Err(Error::Invalid {
                field: "position",
                reason: "choose left or right".into(),
            });
        }
        Ok(Self {
            name: fields::name("name", &self.name, 60)?,
            color: fields::color(&self.color)?,
            greeting: fields::prose("greeting", &self.greeting, 300)?,
            position: self.position,
            locale: match self.locale.trim() {
                "" => String::new(),
                locale => fields::locale(locale)?,
            },
            origins: origins(&self.origins)?,
        })
    }

    fn into_site(self, id: Uuid, key: String) -> Site {
        Site {
            id,
            key,
            name: self.name,
            color: self.color,
            greeting: self.greeting,
            position: self.position,
            locale: self.locale,
            created_at: clock::now(),
            seen_at: None,
            origins: self.origins,
        }
    }
}

fn origins(given: &[String]) -> Result<Vec<String>, Error> {
    let invalid = |reason: String| Error::Invalid {
        field: "origins",
        reason,
    };
    let given = given
        .iter()
        .map(|origin| origin.trim())
        .filter(|origin| !origin.is_empty());
    let mut origins = given
        .take(MOST_ORIGINS * 2)
        .map(|origin| {
            Origin::parse(origin)
                .map(Origin::into_string)
                .map_err(|error| invalid(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    origins.sort_unstable();
    origins.dedup();
    if origins.len() > MOST_ORIGINS {
        return Err(invalid(format!("list at most {MOST_ORIGINS} addresses")));
    }
    Ok(origins)
}

impl Identity {
    /// Makes a site with a new key.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::Invalid`] with the field.
    pub async fn create_site(&self, actor: &Actor<'_>, draft: SiteDraft) -> Result<Site, Error> {
        actor.may_manage()?;
        if self.store.sites().await?.len() >= MOST_SITES {
            return Err(Error::Conflict(format!(
                "there are {MOST_SITES} sites already"
            )));
        }
        let key = crate::hex(&secret::random::<10>()?);
        let site = draft.check()?.into_site(clock::id(), key);
        self.store.insert_site(site.clone()).await?;
        Ok(site)
    }

    /// Changes a site.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Invalid`] with the field.
    pub async fn update_site(
        &self,
        actor: &Actor<'_>,
        id: Uuid,
        draft: SiteDraft,
    ) -> Result<Site, Error> {
        actor.may_manage()?;
        let known = self.store.site(id).await?;
        let site = draft.check()?.into_site(id, known.key);
        self.store.update_site(site.clone()).await?;
        Ok(Site {
            created_at: known.created_at,
            seen_at: known.seen_at,
            ..site
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_put_in_one_form_once_each() {
        let given = [
            "https://Shop.example/",
            "",
            "https://shop.example:443",
            "http://localhost:8000",
        ]
        .map(String::from);
        assert_eq!(
            origins(&given).expect("origins"),
            ["http://localhost:8000", "https://shop.example"]
        );
        assert!(origins(&["https://shop.example/x".into()]).is_err());
        let many: Vec<String> = (0..51).map(|n| format!("https://s{n}.example")).collect();
        assert!(origins(&many).is_err() && origins(&many[..50]).is_ok());
    }

    #[test]
    fn a_draft_names_the_field_that_is_not_good() {
        let good = SiteDraft {
            name: "Shop".into(),
            ..SiteDraft::default()
        };
        assert!(good.clone().check().is_ok());
        for (draft, expected) in [
            (
                SiteDraft {
                    name: " ".into(),
                    ..good.clone()
                },
                "name",
            ),
            (
                SiteDraft {
                    color: "red".into(),
                    ..good.clone()
                },
                "color",
            ),
            (
                SiteDraft {
                    greeting: "x".repeat(301),
                    ..good.clone()
                },
                "greeting",
            ),
            (
                SiteDraft {
                    position: "top".into(),
                    ..good.clone()
                },
                "position",
            ),
            (
                SiteDraft {
                    locale: "x y".into(),
                    ..good.clone()
                },
                "locale",
            ),
            (
                SiteDraft {
                    origins: vec!["null".into()],
                    ..good
                },
                "origins",
            ),
        ] {
            assert!(
                matches!(draft.check(), Err(Error::Invalid { field, .. }) if field == expected),
                "{expected}"
            );
        }
    }
}
