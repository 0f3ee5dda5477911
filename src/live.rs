//! What is in force, and how it changes while the appliance serves.
//!
//! A configuration is read as a whole each time, with what the administrator has set as a layer of
//! its own: above the file, which somebody else writes, and below environment and flags, which
//! whoever starts the process has chosen. So a change is checked by the same table and the same
//! rules as a file, and nothing is taken over in part.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use crate::config::{Config, ConfigError, Key, Loaded, Origins, Source, keys};
use crate::store::{Committer, Op, Store, StoreError, commit};

/// The setting of the store that holds what the administrator has set.
const STORED: &str = "settings";

/// Puts a configuration in force in the rooms.
pub trait Apply: Send + Sync {
    /// What is read from files: certificate, gallery. All of it, or nothing.
    ///
    /// # Errors
    /// The key whose file is wrong, and what is wrong.
    fn files(&self, config: &Config) -> Result<(), (&'static str, String)>;
    /// Numbers and words, which the table has checked.
    fn values(&self, config: &Config);
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    /// Every mistake.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Wrong(Vec<ConfigError>),
    /// It was started with values that stand in no file.
    #[error("this appliance was started with fixed values; there is nothing to read again")]
    Fixed,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Keys that have another value now.
    pub changed: Vec<&'static str>,
    /// Keys that have another value after a restart.
    pub needs_restart: Vec<&'static str>,
}

/// A key with all that is known of it.
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// In force, as TOML; masked where it is secret.
    pub value: String,
    /// Where that came from.
    pub source: Source,
    /// Without what the administrator has set, as TOML.
    pub file_value: String,
    /// The environment or a flag, where one of them holds it.
    pub locked_by: Option<Source>,
    /// Whether a restart brings another value.
    pub pending_restart: bool,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct InForce(Arc<Shared>);

struct Shared {
    origins: Option<Origins>,
    committer: Committer,
    config: watch::Sender<Config>,
    read: Mutex<Read>,
    /// One change after the other: each is checked against all that is set.
    changing: tokio::sync::Mutex<()>,
    apply: OnceLock<Box<dyn Apply>>,
}

/// As it was read last.
struct Read {
    loaded: Loaded,
    set: BTreeMap<String, String>,
}

impl InForce {
    /// What is in force at the start: `config`, and above it what the administrator has set. Where
    /// that breaks a rule by now, it stays away and the log says so: a start must not fail for it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn open(
        config: &Config,
        origins: Option<Origins>,
        store: &Store,
        committer: Committer,
    ) -> Result<Self, StoreError> {
        let set: BTreeMap<String, String> = store.setting(STORED)?.unwrap_or_default();
        let as_given = || Loaded {
            config: config.clone(),
            ..Loaded::default()
        };
        let read = origins.as_ref().map(|origins| {
            origins.load(&set).unwrap_or_else(|errors| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                tracing::error!(errors = %errors.join("; "), "what the administrator has set is not in force");
                origins.load(&BTreeMap::new()).unwrap_or_else(|_| as_given())
            })
        });
        let loaded = read.unwrap_or_else(as_given);
        let (config, _) = config.reloaded(&loaded.config);
        Ok(Self(Arc::new(Shared {
            origins,
            committer,
            config: watch::Sender::new(config),
            read: Mutex::new(Read { loaded, set }),
            changing: tokio::sync::Mutex::new(()),
            apply: OnceLock::new(),
        })))
    }

    /// Names who puts changes in force; once, when the rooms are there.
    pub fn applied_by(&self, apply: Box<dyn Apply>) {
        let _ = self.0.apply.set(apply);
    }

    /// Puts the values of the moment in force in all rooms.
    pub fn apply_values(&self) {
        self.put_in_force(self.config(), |_| ());
    }

    /// The configuration of the moment.
    pub fn config(&self) -> Config {
        self.0.config.borrow().clone()
    }

    /// The same, to be told of changes.
    pub fn subscribe(&self) -> watch::Receiver<Config> {
        self.0.config.subscribe()
    }

    /// Every key in the order of the reference.
    pub fn settings(&self) -> Vec<Setting> {
        let config = self.config();
        let read = self.read();
        let unset = self.0.origins.as_ref();
        let unset = unset.and_then(|origins| origins.load(&BTreeMap::new()).ok());
        let plain = unset.as_ref().unwrap_or(&read.loaded);
        let waiting = config.reloaded(&read.loaded.config).1;
        let described = |key: &'static Key| {
            let source = read.loaded.source(key.path);
            let held = matches!(
                &source,
                Source::Environment(_) | Source::Flag(_) | Source::SecretFile(..)
            );
            Setting {
                key,
                value: key.shown(&config),
                file_value: key.shown(&plain.config),
                locked_by: held.then(|| source.clone()),
                source,
                pending_restart: waiting.contains(&key.path),
            }
        };
        keys().map(described).collect()
    }

    /// What the administrator has set of these keys.
    pub fn set_of<'a>(&self, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
        let read = self.read();
        let set = names.filter_map(|name| Some((name.clone(), read.set.get(name)?.clone())));
        set.collect()
    }

    /// Sets and unsets: all or nothing. Durable, with the operations of `write`, before it is in
    /// force. The keys that have another value now.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn change(
        &self,
        set: BTreeMap<String, String>,
        unset: &[String],
        write: impl FnOnce() -> Vec<Op>,
    ) -> Result<Vec<&'static str>, NotChanged> {
        let origins = self.0.origins.as_ref().ok_or(NotChanged::Fixed)?;
        let _turn = self.0.changing.lock().await;
        let names: Vec<&String> = set.keys().chain(unset).collect();
        let mut next = self.read().set.clone();
        next.retain(|key, _| !unset.contains(key));
        next.extend(set.clone());
        // Files may have changed meanwhile; what stands in them is for a reload.
        let loaded = origins.load(&next).map_err(NotChanged::Wrong)?;
        let held = set.keys().filter_map(|name| held(name, &loaded));
        let mut wrong: Vec<ConfigError> = held.collect();
        wrong.extend(unset.iter().filter_map(|name| unknown(name)));
        if !wrong.is_empty() {
            return Err(NotChanged::Wrong(wrong));
        }
        let mut ops = write();
        ops.push(commit::setting(STORED, &next));
        self.0.committer.commit(ops).await?;
        let config = self.config();
        let mut changed = config.clone();
        for name in names {
            changed = changed.with(&loaded.config, name);
        }
        let differing = config.differing(&changed);
        self.put_in_force(changed, |read| {
            for name in set.keys().chain(unset) {
                let source = loaded.source(name);
                read.loaded.take(&loaded.config, name, source);
            }
            read.set = next;
        });
        Ok(differing)
    }

    /// Reads files, environment and flags again: all of it, or nothing where something is wrong.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn reload(&self) -> Result<Reloaded, NotChanged> {
        let origins = self.0.origins.as_ref().ok_or(NotChanged::Fixed)?;
        let _turn = self.0.changing.lock().await;
        let set = self.read().set.clone();
        let loaded = origins.load(&set).map_err(NotChanged::Wrong)?;
        if let Some(apply) = self.0.apply.get() {
            apply.files(&loaded.config).map_err(|(key, rule)| {
                NotChanged::Wrong(vec![ConfigError {
                    place: loaded.source(key),
                    key: key.to_owned(),
                    rule,
                    fix: "mend the file".to_owned(),
                }])
            })?;
        }
        let config = self.config();
        let (next, needs_restart) = config.reloaded(&loaded.config);
        let changed = config.differing(&next);
        self.put_in_force(next, |read| read.loaded = loaded);
        Ok(Reloaded {
            changed,
            needs_restart,
        })
    }

    fn put_in_force(&self, config: Config, note: impl FnOnce(&mut Read)) {
        if let Some(apply) = self.0.apply.get() {
            apply.values(&config);
        }
        note(&mut self.read());
        self.0.config.send_replace(config);
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        let read = self.0.read.lock();
        read.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the administrator cannot set a key that the environment or a flag holds.
fn held(name: &str, loaded: &Loaded) -> Option<ConfigError> {
    let place = loaded.source(name);
    let held = matches!(place, Source::Environment(_) | Source::Flag(_));
    held.then(|| ConfigError {
        key: name.to_owned(),
        rule: format!("is held by {place}"),
        fix: "start without it, and it can be set here".to_owned(),
        place: Source::Admin,
    })
}

fn unknown(name: &str) -> Option<ConfigError> {
    let known = keys().any(|key| key.path == name);
    (!known).then(|| ConfigError {
        place: Source::Admin,
        key: name.chars().take(80).collect(),
        rule: "unknown key".to_owned(),
        fix: "take one of those that are listed".to_owned(),
    })
}

#[cfg(test)]
mod tests;
