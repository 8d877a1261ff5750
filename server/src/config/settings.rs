//! Where a value comes from: the flag, the variable, the file, or the table's default.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use super::table::{SETTINGS, Setting};

/// Why the configuration is not good; one sentence.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that cannot be used.
    #[error("{name} is {given:?}, but must be {expected}")]
    Value {
        /// The variable, and where it was set if not in the environment.
        name: String,
        /// What was given.
        given: String,
        /// What is expected.
        expected: String,
    },
    /// The same, of a value that may hold a password and is not repeated.
    #[error("{name} is not good: it must be {expected}")]
    Secret {
        /// The variable, and where it was set if not in the environment.
        name: String,
        /// What is expected.
        expected: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is not good TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file has a key that means nothing.
    #[error("the configuration file {} has the key {key:?}, which is not a setting", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
}

/// What was given as flags.
#[derive(Clone, Default)]
pub struct Flags {
    file: Option<PathBuf>,
    given: HashMap<&'static str, String>,
}

/// Without the values: some are secrets.
impl std::fmt::Debug for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>("PARLOUR_CONFIG").cloned();
        for setting in SETTINGS {
            if let Some(value) = matches.get_one::<String>(setting.variable) {
                self.given.insert(setting.variable, value.clone());
            }
        }
        Ok(())
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("PARLOUR_CONFIG")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("A TOML file with settings [env: PARLOUR_CONFIG]")
            .help_heading("Settings (flags beat the environment, the environment beats the file)")
            .global(true);
        SETTINGS
            .iter()
            .fold(command.arg(config), |command, setting| {
                command.arg(argument(setting))
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &Setting) -> Arg {
    let default = setting
        .default
        .filter(|default| !default.is_empty())
        .map(|default| format!(" [default: {default}]"));
    Arg::new(setting.variable)
        .long(setting.flag)
        .value_name(setting.value)
        .help(format!(
            "{} [env: {}]{}",
            setting.help,
            setting.variable,
            default.unwrap_or_default()
        ))
        .help_heading("Settings (flags beat the environment, the environment beats the file)")
        .hide_short_help(setting.rare)
        .global(true)
}

/// The text of every setting, and what to call it in an error.
pub(super) struct Values {
    given: HashMap<&'static str, (String, String)>,
}

impl Values {
    pub(super) fn read(
        flags: &Flags,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let file = flags.file.clone().or_else(|| {
            environment("PARLOUR_CONFIG")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        });
        let mut given = match &file {
            Some(path) => from_file(path)?,
            None => HashMap::new(),
        };
        for setting in SETTINGS {
            let variable = setting.variable;
            if let Some(value) = flags.given.get(variable) {
                given.insert(
                    variable,
                    (value.clone(), format!("--{} ({variable})", setting.flag)),
                );
            } else if let Some(value) = environment(variable) {
                given.insert(
                    variable,
                    (value.to_string_lossy().into_owned(), variable.to_owned()),
                );
            } else if setting.secret
                && let name = format!("{variable}_FILE")
                && let Some(path) = environment(&name).map(PathBuf::from)
            {
                let value = read(&path)?.trim_end_matches(['\r', '\n']).to_owned();
                given.insert(variable, (value, name));
            }
        }
        Ok(Self { given })
    }

    fn text(&self, variable: &'static str) -> Option<(&str, &str)> {
        if let Some((value, name)) = self.given.get(variable) {
            return Some((value.trim(), name));
        }
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.variable == variable)?;
        setting.default.map(|default| (default, variable))
    }

    pub(super) fn optional<T>(
        &self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((value, name)) = self.text(variable) else {
            return Ok(None);
        };
        parse(value).map(Some).ok_or_else(|| ConfigError::Value {
            name: name.to_owned(),
            given: value.to_owned(),
            expected: expected.to_owned(),
        })
    }

    /// A value that may hold a password; an empty one is none.
    pub(super) fn secret<T>(
        &self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.text(variable) {
            None | Some(("", _)) => Ok(None),
            Some((value, name)) => match parse(value) {
                Some(parsed) => Ok(Some(parsed)),
                None => Err(ConfigError::Secret {
                    name: name.to_owned(),
                    expected: expected.to_owned(),
                }),
            },
        }
    }

    pub(super) fn parse<T>(
        &self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.optional(variable, expected, parse)?
            .ok_or_else(|| ConfigError::Value {
                name: variable.to_owned(),
                given: String::new(),
                expected: expected.to_owned(),
            })
    }

    pub(super) fn number<T: TryFrom<u64>>(
        &self,
        variable: &'static str,
        least: u64,
        most: u64,
    ) -> Result<T, ConfigError> {
        self.parse(
            variable,
            &format!("a whole number from {least} to {most}"),
            |text| {
                let number = text
                    .parse::<u64>()
                    .ok()
                    .filter(|number| (least..=most).contains(number))?;
                T::try_from(number).ok()
            },
        )
    }

    /// A time in whole seconds, within bounds that are given in seconds.
    pub(super) fn duration(
        &self,
        variable: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Duration, ConfigError> {
        let expected = format!("a time from {least}s to {most}s, such as 45s, 30m, 12h or 14d");
        self.parse(variable, &expected, |text| {
            seconds(text)
                .filter(|seconds| (least..=most).contains(seconds))
                .map(Duration::from_secs)
        })
    }
}

fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return text.parse().ok(),
    };
    text[..text.len() - 1]
        .trim_end()
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

fn from_file(path: &Path) -> Result<HashMap<&'static str, (String, String)>, ConfigError> {
    let text = read(path)?;
    let table: toml::Table =
        text.parse()
            .map_err(|error: toml::de::Error| ConfigError::Syntax {
                path: path.to_path_buf(),
                reason: error.message().to_owned(),
            })?;
    let mut given = HashMap::new();
    for (key, value) in table {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key() == key) else {
            return Err(ConfigError::UnknownKey {
                path: path.to_path_buf(),
                key,
            });
        };
        let name = format!("{key} in {} ({})", path.display(), setting.variable);
        given.insert(setting.variable, (plain(&value), name));
    }
    Ok(given)
}

/// A value as the environment would hold it: lists with commas between their items.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
        toml::Value::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests;
