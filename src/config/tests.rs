//! The promises of the configuration, a table a promise.

use std::path::PathBuf;
use std::time::Duration;

use super::*;

mod refusals;

/// Loads `files` (the first is the main one) with `env` and `flags`; paths in errors are cut to
/// what follows the scratch directory.
fn load(
    files: &[(&str, &str)],
    env: &[(&str, &str)],
    flags: &[(&'static str, &'static str, &str)],
) -> Result<Loaded, Vec<String>> {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().to_str().unwrap().to_owned();
    for (name, text) in files {
        let path = scratch.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("ROOT", &root)).unwrap();
    }
    let env = env
        .iter()
        .map(|(n, v)| (n.to_string(), v.replace("ROOT", &root)));
    let mut overrides = Overrides::default();
    for (flag, path, value) in flags {
        overrides.set(flag, path, *value);
    }
    // A main file always: the search would find the one of the repository.
    let main = scratch
        .path()
        .join(files.first().map_or("empty.toml", |f| f.0));
    if files.is_empty() {
        std::fs::write(&main, "").unwrap();
    }
    Config::load(&overrides, env, Some(&main)).map_err(|errors| {
        let cut = |e: &ConfigError| e.to_string().replace(&format!("{root}/"), "");
        errors.iter().map(cut).collect()
    })
}

// req: K
#[test]
fn the_defaults_are_those_promised() {
    let c = Config::default();
    assert_eq!(c.breaker.failure_threshold, 5);
    assert_eq!(c.breaker.recovery_timeout, Duration::from_secs(30));
    assert_eq!(c.sessions.timeout, Duration::from_secs(30 * 60));
    assert_eq!(c.sessions.cleanup_interval, Duration::from_secs(60));
    assert_eq!(c.sessions.max_concurrent, 1000);
    assert_eq!(c.agents.timeout, Duration::from_secs(45));
    assert_eq!(c.agents.max_processing, 100);
    assert_eq!(c.connections.max_age, Duration::from_secs(3600));
    assert_eq!(c.connections.error_threshold, 10);
    assert_eq!(c.connections.per_user, 8);
    assert_eq!(c.delivery.window, 64);
    assert_eq!(c.delivery.ack_timeout, Duration::from_secs(5));
    assert_eq!(c.delivery.max_pending_per_user, 10_000);
    assert_eq!(c.delivery.pending_ttl, Duration::from_secs(86_400));
    assert_eq!(c.limits.connections_per_address, 50);
    assert_eq!(c.limits.attempts_per_minute, 60);
    assert_eq!(c.limits.messages_per_minute, 60);
    assert_eq!(c.limits.max_connections, 12_000);
    assert_eq!(c.limits.max_frame, ByteSize(65_536));
    assert_eq!(c.limits.trusted_proxies, []);
    assert_eq!(c.auth.visitors, Visitors::Open);
    assert_eq!(c.server.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(c.server.data_dir, PathBuf::from("./emflow-data"));
    assert_eq!(load(&[], &[], &[]).unwrap().config, c);
}

// req: K
#[test]
fn a_default_written_down_is_the_default_and_shown_as_written() {
    for key in keys() {
        let mut config = Config::default();
        let text = format!("[{}]\n{} = {}\n", key.section, key.name, key.default);
        let loaded = load(&[("c.toml", &text)], &[], &[]).expect(key.path);
        assert_eq!(loaded.config, config, "{}", key.path);
        assert_eq!(key.shown(&config), key.default, "{}", key.path);
        let shown = toml::de::DeValue::parse(&(key.show)(&config)).map(|v| Raw::of(v.get_ref()));
        (key.set)(&mut config, &shown.unwrap()).expect(key.path);
        assert_eq!(loaded.config, config, "{}: shown and read back", key.path);
        // Both ends of a range are legal by themselves; that the default lies between, loading said.
        for end in key.range.iter().flat_map(|(min, max)| [min, max]) {
            let value = toml::de::DeValue::parse(end).unwrap();
            (key.set)(&mut config, &Raw::of(value.get_ref())).expect(key.path);
        }
    }
}

// req: K
#[test]
fn every_number_has_a_range() {
    let measured = ["a whole number", "a duration", "a size"];
    for key in keys() {
        let needs = measured.iter().any(|m| key.form.starts_with(m));
        assert_eq!(needs, key.range.is_some(), "{}", key.path);
        assert!(
            key.doc.trim().ends_with('.'),
            "{} says what it does",
            key.path
        );
    }
}

// req: K
#[test]
fn flag_wins_over_environment_over_files_over_default() {
    let main = (
        "c.toml",
        "[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n",
    );
    let early = ("conf.d/10.toml", "server.listen = \"127.0.0.1:2\"");
    let late = ("conf.d/20.toml", "server.listen = \"127.0.0.1:3\"");
    let env = ("EMFLOW_SERVER__LISTEN", "127.0.0.1:4");
    let flag = ("--listen", "server.listen", "127.0.0.1:5");
    let steps: [(&[_], &[_], &[_], u16, &str); 5] = [
        (&[], &[], &[], 8443, "default"),
        (&[main], &[], &[], 1, "c.toml:2"),
        (&[main, late, early], &[], &[], 3, "20.toml:1"),
        (
            &[main, late],
            &[env],
            &[],
            4,
            "environment EMFLOW_SERVER__LISTEN",
        ),
        (&[main, late], &[env], &[flag], 5, "flag --listen"),
    ];
    for (files, env, flags, port, source) in steps {
        let loaded = load(files, env, flags).unwrap();
        assert_eq!(loaded.config.server.listen.port(), port);
        let place = loaded.source("server.listen").to_string();
        assert!(place.ends_with(source), "{place} is not {source}");
        let level = if files.is_empty() { "info" } else { "warn" };
        assert_eq!(loaded.config.log.level.as_str(), level);
    }
}

#[test]
fn fragments_apply_in_the_order_of_their_names() {
    // Many, so that the order in which a file system lists them is not theirs by chance.
    let files: Vec<(String, String)> = (0..24)
        .map(|i| (i * 7) % 24 + 10)
        .map(|n| (format!("conf.d/{n}.toml"), format!("delivery.window = {n}")))
        .collect();
    let main = ("c.toml", "");
    for count in 1..=files.len() {
        let some = files[..count]
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        let some: Vec<(&str, &str)> = [main].into_iter().chain(some).collect();
        let last = some
            .iter()
            .map(|(name, _)| *name)
            .filter(|n| n.starts_with("conf.d"))
            .max();
        let loaded = load(&some, &[], &[]).unwrap();
        let window = loaded.config.delivery.window;
        assert_eq!(Some(format!("conf.d/{window}.toml").as_str()), last);
        assert_eq!(loaded.files.len(), some.len());
    }
}

// req: K
#[test]
fn a_credential_of_systemd_is_a_secret_below_the_variables() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("admin.password"), "from a credential\n").unwrap();
    std::fs::write(dir.path().join("tls.key"), "not a secret of the table").unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap());
    let check = |env: &[(&str, &str)], password: &str, place: &str| {
        let loaded = load(&[], env, &[]).unwrap();
        assert_eq!(loaded.config.admin.password.expose(), password);
        let said = loaded.source("admin.password").to_string();
        assert!(said.ends_with(place), "{said}");
        assert!(loaded.config.tls.key.is_none());
    };
    let named = "admin.password (named by environment CREDENTIALS_DIRECTORY)";
    check(&[credentials], "from a credential", named);
    let variable = ("EMFLOW_ADMIN__PASSWORD", "from a variable");
    let place = "environment EMFLOW_ADMIN__PASSWORD";
    check(&[variable, credentials], "from a variable", place);
    check(&[("CREDENTIALS_DIRECTORY", "/nowhere")], "", "default");
}

// req: K
#[test]
fn the_environment_sets_every_kind_of_value() {
    let env = [
        ("EMFLOW_SERVER__PUBLIC_NAMES", "Demo.Example, 10.0.0.7"),
        ("EMFLOW_SERVER__OPEN_BROWSER", "false"),
        ("EMFLOW_LIMITS__TRUSTED_PROXIES", ""),
        ("EMFLOW_STORE__CACHE", "64MiB"),
        ("EMFLOW_DELIVERY__WINDOW", "8"),
        ("EMFLOW_AGENTS__AS_OF", "2026-08-20"),
        ("EMFLOW_IMAGE_VERSION", "not ours, ignored"),
        ("PATH", "/bin"),
    ];
    let c = load(&[], &env, &[]).unwrap().config;
    let names: Vec<&str> = c.server.public_names.iter().map(Host::as_str).collect();
    assert_eq!(names, ["demo.example", "10.0.0.7"]);
    assert!(!c.server.open_browser);
    assert_eq!(c.store.cache, ByteSize(64 << 20));
    assert_eq!(c.delivery.window, 8);
    assert_eq!(
        c.agents.as_of.map(|d| d.to_string()).as_deref(),
        Some("2026-08-20")
    );

    for short in [
        "EMFLOW_LOG_LEVEL",
        "EMFLOW_ADMIN_PASSWORD",
        "EMFLOW_ADMIN_PASSWORD_FILE",
    ] {
        let errors = load(&[], &[(short, "x")], &[]).unwrap_err();
        assert!(errors[0].contains("two underscores"), "{errors:?}");
    }
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let secret = ("pw", "correct horse\n");
    let by_file = (
        "c.toml",
        "[admin]\npassword = \"\"\npassword_file = \"ROOT/pw\"",
    );
    let loaded = load(&[by_file, secret], &[], &[]).unwrap();
    assert_eq!(loaded.config.admin.password.expose(), "correct horse");
    let place = loaded.source("admin.password").to_string();
    assert!(
        place.contains("pw (named by") && place.ends_with("c.toml:3)"),
        "{place}"
    );

    // Also where the empty secret stands below.
    let upside_down = (
        "c.toml",
        "[admin]\npassword_file = \"ROOT/pw\"\npassword = \"\"",
    );
    let loaded = load(&[upside_down, secret], &[], &[]).unwrap();
    assert_eq!(loaded.config.admin.password.expose(), "correct horse");

    let plain = ("c.toml", "[admin]\npassword = \"an older password\"");
    let env = [("EMFLOW_ADMIN__PASSWORD_FILE", "ROOT/pw")];
    let loaded = load(&[plain, secret], &env, &[]).unwrap();
    assert_eq!(loaded.config.admin.password.expose(), "correct horse");

    // The nearer layer wins, also where the farther one names a file.
    let loaded = load(
        &[by_file, secret],
        &[("EMFLOW_ADMIN__PASSWORD", "a newer password")],
        &[],
    )
    .unwrap();
    assert_eq!(loaded.config.admin.password.expose(), "a newer password");

    let refused = [
        (
            "[admin]\npassword = \"another password\"\npassword_file = \"ROOT/pw\"",
            "remove one of the two",
        ),
        (
            "[admin]\npassword_file = \"ROOT/none\"",
            "none must be readable",
        ),
        (
            "[admin]\npassword_file = \"ROOT/empty\"",
            "empty must not be empty",
        ),
        ("[admin]\npassword_file = 3", "must be a path"),
    ];
    for (text, part) in refused {
        let files = [("c.toml", text), secret, ("empty", "\n")];
        let errors = load(&files, &[], &[]).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(part), "{errors:?}");
        assert!(!errors[0].contains("horse"), "{errors:?}");
    }
}

// req: V4
#[test]
fn secrets_never_show() {
    let canary = "canary-0123456789abcdef0123456789abcdef";
    for key in keys().filter(|key| key.secret) {
        // An address that is a secret must be one.
        let scheme = if key.path.ends_with("_url") {
            "https://"
        } else {
            ""
        };
        let text = format!("{} = \"{scheme}{canary}\"\n", key.path);
        let loaded = load(&[("c.toml", &text)], &[], &[]).unwrap();
        assert!(!effective(&loaded).contains(canary));
        assert!(!format!("{loaded:?}").contains(canary));
        assert!(
            effective(&loaded).contains("\"********\""),
            "but it shows that there is one"
        );
        let wrong = format!("{} = [\"{canary}\"]\n", key.path);
        let errors = load(&[("c.toml", &wrong)], &[], &[]).unwrap_err();
        assert!(!errors[0].contains(canary), "{errors:?}");
    }
    let secrets: Vec<&str> = keys().filter(|k| k.secret).map(|k| k.path).collect();
    assert_eq!(
        secrets,
        [
            "auth.access_code",
            "auth.jwt_key",
            "admin.password",
            "alerts.webhook_url",
            "alerts.webhook_secret",
        ]
    );
}

#[test]
fn the_effective_configuration_is_toml_and_says_where_from() {
    let file = ("c.toml", "[delivery]\nwindow = 8\n");
    let env = [("EMFLOW_SERVER__PUBLIC_NAMES", "a.example,b.example")];
    let loaded = load(&[file], &env, &[]).unwrap();
    let shown = effective(&loaded);
    let line = |name: &str| shown.lines().find(|l| l.starts_with(name)).unwrap();
    assert!(line("window ").ends_with("c.toml:2"), "{}", line("window "));
    assert!(line("public_names ").ends_with("# environment EMFLOW_SERVER__PUBLIC_NAMES"));
    assert!(line("data_dir ").ends_with("# default"));
    let again = load(&[("c.toml", &shown)], &[], &[]).unwrap();
    assert_eq!(again.config, loaded.config);
}

#[test]
fn a_reload_applies_live_keys_and_names_the_others() {
    let old = Config::default();
    let text =
        "[log]\nlevel = \"debug\"\n[limits]\nmessages_per_minute = 9\n[delivery]\nwindow = 8";
    let new = load(&[("c.toml", text)], &[], &[]).unwrap().config;
    let (next, waiting) = old.reloaded(&new);
    assert_eq!(waiting, ["delivery.window"]);
    assert_eq!(next.log.level.as_str(), "debug");
    assert_eq!(next.limits.messages_per_minute, 9);
    assert_eq!(next.delivery.window, 64);
    assert_eq!(next.reloaded(&new), (next.clone(), vec!["delivery.window"]));
}

#[test]
fn networks_origins_and_hosts_compare_as_the_network_does() {
    let network = |text: &str| Network::read(&Raw::Loose(text.into())).unwrap();
    let holds = |net: &str, ip: &str| network(net).contains(ip.parse().unwrap());
    assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
    assert!(holds("10.1.2.3", "10.1.2.3") && !holds("10.1.2.3", "10.1.2.2"));
    assert!(
        holds("10.0.0.0/8", "::ffff:10.1.1.1"),
        "a dual-stack socket's view of IPv4"
    );
    assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe80::1"));
    assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1"));

    let origins = [
        ("https://Shop.Example", Some("https://shop.example")),
        ("https://shop.example:443", Some("https://shop.example")),
        (
            "https://shop.example:8443",
            Some("https://shop.example:8443"),
        ),
        ("https://[::1]:8443", Some("https://[::1]:8443")),
        ("https://[::1]", Some("https://[::1]")),
        ("https://shop.example.", None),
        ("https://shop.example:0", None),
        ("https://", None),
        ("null", None),
        ("https://a@b", None),
    ];
    for (text, canonical) in origins {
        let origin = WebOrigin::parse(text);
        assert_eq!(origin.as_ref().map(WebOrigin::as_str), canonical, "{text}");
    }
}

// req: K
#[test]
fn the_reference_and_the_commented_file_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = [
        ("config.toml", template()),
        ("docs/configuration.md", reference()),
    ];
    for (name, text) in made {
        let path = root.join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == text,
            "{name} is out of date: run `BLESS=1 cargo test --lib config`"
        );
    }
    let loaded = Config::load(&Overrides::default(), [], Some(&root.join("config.toml"))).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(
        loaded.sources.len(),
        keys().count(),
        "every key stands in it"
    );
}
