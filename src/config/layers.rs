//! The layers above the defaults: files, environment, flags.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::types::SECRET_MAX;
use super::value::Raw;
use super::{ConfigError, Key, SECTIONS, Source, keys};

/// The largest configuration file, in bytes.
const FILE_MAX: u64 = 1 << 20;
/// The most files in `conf.d`.
const FRAGMENTS_MAX: usize = 64;
/// What every variable begins with.
const PREFIX: &str = "EMFLOW_";
/// The directory in which systemd puts credentials (`LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A value in a layer, not yet checked.
pub(super) struct Found {
    pub(super) key: &'static Key,
    pub(super) raw: Raw,
    pub(super) place: Source,
}

/// Values given by flags: they win over everything else.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<(&'static str, &'static str, String)>);

impl Overrides {
    /// `flag` (with its dashes) sets the key `path` to `value`.
    pub fn set(&mut self, flag: &'static str, path: &'static str, value: impl Into<String>) {
        self.0.push((flag, path, value.into()));
    }
}

/// The variables of this process that are ours. Bytes that are not UTF-8 become U+FFFD, which
/// then breaks the rule of the key or names no file.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let ours = name.starts_with(PREFIX) || name == CREDENTIALS;
            ours.then(|| (name, value.to_string_lossy().into_owned()))
        })
        .collect()
}

/// The main file and the fragments beside it, in the order in which they apply.
pub(super) fn files(main: Option<PathBuf>, errors: &mut Vec<ConfigError>) -> Vec<PathBuf> {
    let Some(main) = main else { return Vec::new() };
    let folder = main.parent().unwrap_or(Path::new("")).join("conf.d");
    let mut files = vec![main];
    match fs::read_dir(&folder) {
        Ok(entries) => {
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            let toml = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml");
            let mut fragments: Vec<PathBuf> = paths.filter(toml).collect();
            fragments.sort();
            if fragments.len() > FRAGMENTS_MAX {
                errors.push(unreadable(
                    &folder,
                    format!(
                        "must hold at most {FRAGMENTS_MAX} files, not {}",
                        fragments.len()
                    ),
                ));
            }
            files.extend(fragments.into_iter().take(FRAGMENTS_MAX));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => errors.push(unreadable(&folder, format!("must be readable: {e}"))),
    }
    files
}

/// The values of one file.
pub(super) fn from_file(path: &Path, errors: &mut Vec<ConfigError>) -> Vec<Found> {
    let text = match read_bounded(path, FILE_MAX) {
        Ok(text) => text,
        Err(rule) => {
            errors.push(unreadable(path, rule));
            return Vec::new();
        }
    };
    let place = |offset: usize| Source::File(path.to_owned(), line_of(&text, offset));
    let (table, faults) = DeTable::parse_recoverable(&text);
    if !faults.is_empty() {
        errors.extend(faults.iter().map(|fault| ConfigError {
            place: place(fault.span().map_or(0, |span| span.start)),
            key: "syntax".to_owned(),
            rule: format!("must be TOML: {}", fault.message().replace('\n', ", ")),
            fix: "correct the line".to_owned(),
        }));
        return Vec::new();
    }
    let mut found = Vec::new();
    for (section, value) in in_order(table.get_ref()) {
        let name = section.get_ref().as_ref();
        let at = place(section.span().start);
        let known = SECTIONS.iter().any(|s| s.name == name);
        match value.get_ref() {
            DeValue::Table(keys) if known => {
                let entries = in_order(keys).into_iter().map(|(key, value)| {
                    let path = format!("{name}.{}", key.get_ref());
                    (path, Raw::of(value.get_ref()), place(key.span().start))
                });
                found.extend(resolve(entries.collect(), errors));
            }
            _ if known => errors.push(ConfigError {
                place: at,
                key: name.to_owned(),
                rule: "must be a section".to_owned(),
                fix: format!("write [{name}] on a line and its keys below"),
            }),
            _ => errors.push(unknown(name, at)),
        }
    }
    found
}

/// The values of the environment.
pub(super) fn from_environment(
    env: impl IntoIterator<Item = (String, String)>,
    errors: &mut Vec<ConfigError>,
) -> Vec<Found> {
    let mut entries = Vec::new();
    let mut credentials = Vec::new();
    for (name, value) in env {
        if name == CREDENTIALS {
            credentials = files_of_credentials(Path::new(&value));
            continue;
        }
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let place = Source::Environment(name.clone());
        if rest.contains("__") {
            let path = rest.to_ascii_lowercase().replace("__", ".");
            entries.push((path, Raw::Loose(value), place));
        } else if let Some(key) = keys().find(|key| too_short(key, &name)) {
            // One underscore too few is not silently nothing; other EMFLOW_ variables are not ours.
            errors.push(ConfigError {
                place,
                key: key.path.to_owned(),
                rule: "section and key must be parted by two underscores".to_owned(),
                fix: format!("write {}", variable(key.path)),
            });
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    // Below the variables: what is written for this service alone wins over what is handed to it.
    let mut found = resolve(credentials, errors);
    found.extend(resolve(entries, errors));
    found
}

/// The credentials named after a secret (`admin.password`), as files that hold it. Others are the
/// operator's own: a private key, say, that the configuration names by its path.
fn files_of_credentials(dir: &Path) -> Vec<(String, Raw, Source)> {
    let secrets = keys().filter(|key| key.secret);
    let files = secrets.map(|key| (key, dir.join(key.path)));
    files
        .filter(|(_, file)| file.exists())
        .map(|(key, file)| {
            let raw = Raw::Loose(file.to_string_lossy().into_owned());
            let place = Source::Environment(CREDENTIALS.to_owned());
            (format!("{}_file", key.path), raw, place)
        })
        .collect()
}

/// The values of flags.
pub(super) fn from_flags(flags: &Overrides, errors: &mut Vec<ConfigError>) -> Vec<Found> {
    let entry = |(flag, path, value): &(&'static str, &'static str, String)| {
        (
            (*path).to_owned(),
            Raw::Loose(value.clone()),
            Source::Flag(flag),
        )
    };
    resolve(flags.0.iter().map(entry).collect(), errors)
}

/// The variable that sets `path`.
pub fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

/// Whether `name` would set `key` if it had its second underscore.
fn too_short(key: &Key, name: &str) -> bool {
    let own = variable(key.path).replace("__", "_");
    let holder = name.strip_suffix("_FILE").filter(|_| key.secret);
    own == name || Some(own.as_str()) == holder
}

/// Paths of one layer → keys; a secret's file is read here.
fn resolve(entries: Vec<(String, Raw, Source)>, errors: &mut Vec<ConfigError>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (path, raw, place) in entries {
        if let Some(key) = keys().find(|key| key.path == path) {
            found.push(Found { key, raw, place });
            continue;
        }
        let holder = path.strip_suffix("_file");
        match keys().find(|key| key.secret && Some(key.path) == holder) {
            None => errors.push(unknown(&path, place)),
            Some(key) => match secret_file(&raw) {
                Ok(None) => {}
                Ok(Some((file, secret))) => {
                    let place = Source::SecretFile(file, Box::new(place));
                    found.push(Found {
                        key,
                        raw: Raw::Text(secret),
                        place,
                    });
                }
                Err(rule) => errors.push(ConfigError {
                    place,
                    key: path,
                    rule,
                    fix: "name a file that holds the secret and nothing else".to_owned(),
                }),
            },
        }
    }
    given_twice(&found, errors);
    // An empty secret beside its file in the same layer must not win over the file.
    found.sort_by_key(|found| matches!(found.place, Source::SecretFile(..)));
    found
}

/// A secret both in its own key and in a file, in one layer: which one counts is a guess.
fn given_twice(found: &[Found], errors: &mut Vec<ConfigError>) {
    let from_file = |f: &&Found| matches!(f.place, Source::SecretFile(..));
    for file in found.iter().filter(from_file) {
        let other = found.iter().find(|other| {
            let empty = matches!(&other.raw, Raw::Text(t) | Raw::Loose(t) if t.is_empty());
            other.key.path == file.key.path && !from_file(other) && !empty
        });
        if let Some(other) = other {
            errors.push(ConfigError {
                place: other.place.clone(),
                key: file.key.path.to_owned(),
                rule: format!("must not be given beside {}_file", file.key.path),
                fix: "remove one of the two".to_owned(),
            });
        }
    }
}

/// The file that `raw` names and the secret in it, without the line end an editor leaves; nothing
/// for an empty path.
fn secret_file(raw: &Raw) -> Result<Option<(PathBuf, String)>, String> {
    let path = match raw {
        Raw::Text(path) | Raw::Loose(path) => PathBuf::from(path),
        _ => return Err("must be a path".to_owned()),
    };
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let shown = path.display();
    let text = read_bounded(&path, SECRET_MAX as u64).map_err(|rule| format!("{shown} {rule}"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{shown} must not be empty")),
        secret => Ok(Some((path, secret.to_owned()))),
    }
}

/// A text file of at most `max` bytes; otherwise the rule that it breaks.
fn read_bounded(path: &Path, max: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
        .map_err(|e| format!("must be readable: {e}"))?;
    if bytes.len() as u64 > max {
        return Err(format!("must be at most {max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "must be UTF-8 text".to_owned())
}

/// The entries of a table in the order in which they were written.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(
    &'t Spanned<std::borrow::Cow<'i, str>>,
    &'t Spanned<DeValue<'i>>,
)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn unreadable(path: &Path, rule: String) -> ConfigError {
    ConfigError {
        place: Source::File(path.to_owned(), 0),
        key: "file".to_owned(),
        rule,
        fix: "check the path and its permissions".to_owned(),
    }
}

fn unknown(path: &str, place: Source) -> ConfigError {
    let written = |known: &str| match place {
        Source::Environment(_) => variable(known),
        _ => known.to_owned(),
    };
    let clean = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let on_one_line: String = path.chars().take(80).map(clean).collect();
    let fix = match nearest(path) {
        Some(known) => format!("did you mean {}?", written(&known)),
        None => "remove it; `emflow check-config` lists every key".to_owned(),
    };
    ConfigError {
        key: written(&on_one_line),
        rule: "unknown key".to_owned(),
        place,
        fix,
    }
}
