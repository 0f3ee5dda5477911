use std::path::Path;

use super::*;
use crate::store::tests::house::{options, reopen};

/// Writes down what it was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u32>>>);

impl Apply for Told {
    fn files(&self, config: &Config) -> Result<(), (&'static str, String)> {
        match &config.examples.file {
            Some(_) => Err(("examples.file", "is missing".to_owned())),
            None => Ok(()),
        }
    }
    fn values(&self, config: &Config) {
        let messages = config.limits.messages_per_minute;
        self.0.lock().unwrap().push(messages);
    }
}

struct House {
    dir: tempfile::TempDir,
    in_force: InForce,
    told: Told,
}

impl House {
    fn open(dir: tempfile::TempDir, env: &[(&str, &str)]) -> Self {
        let file = dir.path().join("config.toml");
        if !file.exists() {
            write(&file, "");
        }
        let opened = reopen(&options(&dir.path().join("data"))).unwrap();
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let origins = Origins {
            env: env.collect(),
            file: Some(file),
            ..Origins::default()
        };
        let config = origins.load(&BTreeMap::new()).unwrap().config;
        let (store, committer) = (opened.store, opened.committer);
        let in_force = InForce::open(&config, Some(origins), &store, committer).unwrap();
        let told = Told::default();
        in_force.applied_by(Box::new(told.clone()));
        Self {
            dir,
            in_force,
            told,
        }
    }

    fn new(env: &[(&str, &str)]) -> Self {
        Self::open(tempfile::tempdir().unwrap(), env)
    }

    /// The same store, after a restart.
    fn again(self) -> Self {
        let Self { dir, in_force, .. } = self;
        drop(in_force);
        Self::open(dir, &[])
    }

    async fn set(&self, key: &str, literal: &str) -> Result<Vec<&'static str>, String> {
        let set = BTreeMap::from([(key.to_owned(), literal.to_owned())]);
        let done = self.in_force.change(set, &[], Vec::new).await;
        done.map_err(|why| why.to_string())
    }

    async fn unset(&self, key: &str) -> Result<Vec<&'static str>, String> {
        let unset = [key.to_owned()];
        let done = self
            .in_force
            .change(BTreeMap::new(), &unset, Vec::new)
            .await;
        done.map_err(|why| why.to_string())
    }

    fn setting(&self, path: &str) -> Setting {
        let mut all = self.in_force.settings().into_iter();
        all.find(|setting| setting.key.path == path).unwrap()
    }

    fn write(&self, text: &str) {
        write(&self.dir.path().join("config.toml"), text);
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

const KEY: &str = "limits.messages_per_minute";

#[tokio::test]
async fn what_is_set_is_in_force_at_once_and_after_a_restart() {
    let house = House::new(&[]);
    assert_eq!(house.set(KEY, "120").await.unwrap(), [KEY]);
    assert_eq!(house.set(KEY, "120").await.unwrap(), [""; 0]);
    assert_eq!(*house.told.0.lock().unwrap(), [120, 120]);
    let house = house.again();
    assert_eq!(house.in_force.config().limits.messages_per_minute, 120);
    let shown = house.setting(KEY);
    assert_eq!(
        (
            shown.value.as_str(),
            shown.file_value.as_str(),
            &shown.source
        ),
        ("120", "60", &Source::Admin)
    );
    assert_eq!(house.unset(KEY).await.unwrap(), [KEY]);
    let house = house.again();
    assert_eq!(house.setting(KEY).source, Source::Default);
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_says_why() {
    let house = House::new(&[("EMFLOW_LOG__LEVEL", "warn")]);
    for (key, literal, expected) in [
        (KEY, "0", "from 1 to 1000000"),
        (KEY, "sixty", "TOML"),
        (
            "log.level",
            "\"debug\"",
            "held by environment EMFLOW_LOG__LEVEL",
        ),
        (
            "server.listen",
            "\"0.0.0.0:1\"",
            "cannot be set while it serves",
        ),
        (
            "tls.key",
            "\"/etc/shadow\"",
            "cannot be set while it serves",
        ),
        ("limits.message_per_minute", "1", "did you mean"),
        // A rule between keys.
        (
            "limits.connections_per_address",
            "100000",
            "must not exceed",
        ),
    ] {
        let why = house.set(key, literal).await.unwrap_err();
        assert!(why.contains(expected), "{key} = {literal}: {why}");
    }
    let why = house.unset("no.such").await.unwrap_err();
    assert!(why.contains("unknown key"), "{why}");
    assert!(house.told.0.lock().unwrap().is_empty());
    let locked = house.setting("log.level").locked_by;
    assert_eq!(
        locked,
        Some(Source::Environment("EMFLOW_LOG__LEVEL".to_owned()))
    );
}

#[tokio::test]
async fn a_reload_takes_over_all_or_nothing() {
    let house = House::new(&[]);
    house.set(KEY, "120").await.unwrap();
    house.write(
        "[limits]\nmessages_per_minute = 5\nattempts_per_minute = 7\n[delivery]\nwindow = 32\n",
    );
    let done = house.in_force.reload().await.unwrap();
    // What the administrator has set stays above the file.
    assert_eq!(done.changed, ["limits.attempts_per_minute"]);
    assert_eq!(done.needs_restart, ["delivery.window"]);
    assert!(house.setting("delivery.window").pending_restart);
    assert_eq!(house.setting(KEY).file_value, "5");
    let before = house.in_force.config();
    for (text, expected) in [
        ("[limits]\nmessages_per_minute = 0\n", "from 1 to"),
        (
            "[limits]\nattempts_per_minute = 9\n[examples]\nfile = \"/none\"\n",
            "is missing",
        ),
    ] {
        house.write(text);
        let why = house.in_force.reload().await.unwrap_err().to_string();
        assert!(why.contains(expected), "{why}");
        assert_eq!(house.in_force.config(), before);
    }
    house.write("");
    house.in_force.reload().await.unwrap();
    assert_eq!(house.unset(KEY).await.unwrap(), [KEY]);
    assert_eq!(
        house.in_force.config(),
        Config::default().with(&before, "server.data_dir")
    );
}

#[tokio::test]
async fn what_breaks_a_rule_by_now_stays_away() {
    let house = House::new(&[]);
    house
        .set("limits.connections_per_address", "9000")
        .await
        .unwrap();
    house.write("[limits]\nmax_connections = 100\nconnections_per_address = 50\n");
    let house = house.again();
    assert_eq!(house.in_force.config().limits.connections_per_address, 50);
}
