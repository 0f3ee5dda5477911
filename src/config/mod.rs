//! Configuration: raw TOML, variables and flags → one checked [`Config`].
//!
//! The table in `table.rs` describes every key once. A value comes from, in
//! rising precedence: its default, the file (`config.toml`, then
//! `conf.d/*.toml` beside it in the order of their names), what the administrator
//! has set while it served, the environment (`EMFLOW_SECTION__KEY`), a flag. All errors are reported at once, each with
//! its place, key, rule and remedy, and where each value came from is kept.
//!
//! A secret may be given as the path of a file that holds it: `<key>_file` in
//! the file, `EMFLOW_SECTION__KEY_FILE` in the environment, or a systemd credential that
//! is named after the key.

mod branding;
mod layers;
mod nearest;
mod rules;
mod settings;
mod show;
mod table;
mod types;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use layers::{Overrides, environment, variable};
pub use settings::{Key, Section};
pub use show::{INTRODUCTION, about, effective, reference, template};
pub use table::*;
pub use types::{
    Host, JwtAlgorithm, LogFilter, LogFormat, Network, SECRET_MAX, Secret, Visitors, WebOrigin,
};
pub use value::{ByteSize, LIST_MAX, Raw, TEXT_MAX, Value};

/// Where the file is looked for when no flag names it, in this order.
pub const SEARCHED: [&str; 2] = ["config.toml", "/etc/emflow/config.toml"];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The table.
    Default,
    /// A line of a file; line 0 is the file as a whole.
    File(PathBuf, usize),
    /// A variable, by its name.
    Environment(String),
    /// A flag, with its dashes.
    Flag(&'static str),
    /// The administrator, while it served; kept in the store.
    Admin,
    /// A secret's own file, and what named that file.
    SecretFile(PathBuf, Box<Source>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Admin => f.write_str("admin"),
            Self::SecretFile(path, by) => write!(f, "{} (named by {by})", path.display()),
        }
    }
}

/// One mistake: where, which key, the rule it breaks and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{place}: {key}: {rule}; {fix}")]
pub struct ConfigError {
    /// Where it was written.
    pub place: Source,
    /// The key as written, or as it would be in the file.
    pub key: String,
    /// What must hold.
    pub rule: String,
    /// What to do about it.
    pub fix: String,
}

/// A checked configuration and where each value of it came from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// By [`Key::path`]; a key that is missing here has its default.
    pub sources: BTreeMap<&'static str, Source>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}

impl Loaded {
    /// What is legal but unwise: a secret in a file that every user of the machine can read.
    pub fn warnings(&self) -> Vec<String> {
        use std::os::unix::fs::MetadataExt;
        let open = |path: &Path| std::fs::metadata(path).is_ok_and(|m| m.mode() & 0o004 != 0);
        let secrets =
            keys().filter(|key| key.secret && !(key.same)(&self.config, &Config::default()));
        let exposed = secrets.filter_map(|key| match self.source(key.path) {
            Source::File(path, line) if open(&path) => Some(format!(
                "{}:{line}: {} stands in a file that every user can read; chmod 0640 it, or use {}_file",
                path.display(), key.path, key.name,
            )),
            _ => None,
        });
        exposed.collect()
    }

    /// Takes over the value that `config` has for the key `path`, which came from `source`.
    pub fn take(&mut self, config: &Config, path: &str, source: Source) {
        if let Some(key) = keys().find(|key| key.path == path) {
            (key.copy)(&mut self.config, config);
            self.sources.insert(key.path, source);
        }
    }

    /// Where the value of `path` came from.
    pub fn source(&self, path: &str) -> Source {
        self.sources.get(path).cloned().unwrap_or(Source::Default)
    }
}

/// Where a configuration was read from, so that it can be read again.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The flags of the process.
    pub flags: Overrides,
    /// Its variables.
    pub env: Vec<(String, String)>,
    /// The file that a flag names; without one [`SEARCHED`] is looked through again.
    pub file: Option<PathBuf>,
}

impl Origins {
    /// Reads all of it again, with what the administrator has set (TOML literals by key).
    ///
    /// # Errors
    /// Every mistake found.
    pub fn load(&self, set: &BTreeMap<String, String>) -> Result<Loaded, Vec<ConfigError>> {
        Config::load_with(&self.flags, self.env.clone(), self.file.as_deref(), set)
    }
}

/// Every key, in the order of the reference.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

/// The secrets that `config` holds, so that they can be taken out of a text.
pub fn secrets(config: &Config) -> Vec<String> {
    let given = keys().filter_map(|key| (key.exposed)(config));
    given.filter(|secret| !secret.is_empty()).collect()
}

impl Config {
    /// Reads everything and checks it. Without `file` the first of [`SEARCHED`] that exists is taken.
    ///
    /// # Errors
    /// Every mistake found, in the order of their places.
    pub fn load(
        flags: &Overrides,
        env: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Loaded, Vec<ConfigError>> {
        Self::load_with(flags, env, file, &BTreeMap::new())
    }

    /// The same with what the administrator has set: TOML literals by the path of their key.
    fn load_with(
        flags: &Overrides,
        env: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
        set: &BTreeMap<String, String>,
    ) -> Result<Loaded, Vec<ConfigError>> {
        let searched = || {
            SEARCHED
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
        };
        let mut errors = Vec::new();
        let mut loaded = Loaded {
            files: layers::files(file.map(Path::to_owned).or_else(searched), &mut errors),
            ..Loaded::default()
        };
        let mut found = Vec::new();
        for path in &loaded.files {
            found.extend(layers::from_file(path, &mut errors));
        }
        found.extend(layers::from_admin(set, &mut errors));
        found.extend(layers::from_environment(env, &mut errors));
        found.extend(layers::from_flags(flags, &mut errors));

        for layers::Found { key, raw, place } in found {
            match (key.set)(&mut loaded.config, &raw) {
                Ok(()) => {
                    loaded.sources.insert(key.path, place);
                }
                Err(rule) => errors.push(ConfigError {
                    place,
                    key: key.path.to_owned(),
                    rule,
                    fix: format!(
                        "correct it, or leave it out for the default {}",
                        key.default
                    ),
                }),
            }
        }
        // Rules between keys make sense only where each key is right by itself.
        if errors.is_empty() {
            errors = rules::broken(&loaded);
        }
        errors.sort();
        errors.dedup();
        if errors.is_empty() {
            Ok(loaded)
        } else {
            Err(errors)
        }
    }

    /// The same with the value that `other` has for the key `path`.
    pub fn with(mut self, other: &Config, path: &str) -> Self {
        if let Some(key) = keys().find(|key| key.path == path) {
            (key.copy)(&mut self, other);
        }
        self
    }

    /// The keys whose values differ.
    pub fn differing(&self, other: &Config) -> Vec<&'static str> {
        let differ = keys().filter(|key| !(key.same)(self, other));
        differ.map(|key| key.path).collect()
    }

    /// What a reload makes of this configuration: the live keys of `new`, everything else as it
    /// is; and the keys that changed but need a restart.
    pub fn reloaded(&self, new: &Config) -> (Config, Vec<&'static str>) {
        let mut next = self.clone();
        let mut waiting = Vec::new();
        for key in keys().filter(|key| !(key.same)(self, new)) {
            if key.live {
                (key.copy)(&mut next, new);
            } else {
                waiting.push(key.path);
            }
        }
        (next, waiting)
    }
}
