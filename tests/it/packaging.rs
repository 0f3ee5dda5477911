//! What the packages ship agrees with the program that is in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{command, skip};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The values of a key of the unit, in order.
fn values<'t>(unit: &'t str, key: &str) -> Vec<&'t str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn the_configuration_of_the_packages_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join("packaging/config.toml");
    let output = command(dir.path(), &[])
        .args(["check-config", "--config", file.to_str().unwrap()])
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for (key, value) in [
        ("listen", "\"0.0.0.0:8443\""),
        ("data_dir", "\"/var/lib/emflow\""),
        ("open_browser", "false"),
    ] {
        let line = shown
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")));
        let line = line.unwrap();
        assert!(
            line.contains(value) && line.contains("config.toml:"),
            "{line}"
        );
    }
}

#[test]
fn the_unit_knows_the_exit_codes_and_the_secrets_of_the_program() {
    use emflow::cli::Exit;
    let unit = text("packaging/systemd/emflow.service");
    let never = values(&unit, "RestartPreventExitStatus");
    for exit in [Exit::Usage, Exit::Damaged] {
        let code = (exit as u8).to_string();
        assert!(never[0].split(' ').any(|each| each == code), "{exit:?}");
    }
    let secrets: Vec<&str> = emflow::config::keys()
        .filter(|key| key.secret)
        .map(|key| key.path)
        .collect();
    assert_eq!(values(&unit, "LoadCredential"), secrets);
    // What the unit calls must be there to be called.
    let calls = ["ExecStart", "ExecReload"]
        .map(|key| values(&unit, key))
        .concat();
    for call in calls
        .iter()
        .filter(|call| call.starts_with("/usr/bin/emflow"))
    {
        use clap::Parser;
        let words = call.split(' ');
        assert!(emflow::cli::Cli::try_parse_from(words).is_ok(), "{call}");
    }
    assert_eq!(values(&unit, "Type"), ["notify"]);
    assert_eq!(values(&unit, "StateDirectory"), ["emflow"]);
}

#[test]
fn everything_that_is_shipped_is_there_and_of_one_version() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let package = &manifest["package"];
    let metadata = &package["metadata"];
    let deb = metadata["deb"]["assets"].as_array().unwrap();
    let rpm = metadata["generate-rpm"]["assets"].as_array().unwrap();
    let sources = deb.iter().map(|asset| asset[0].as_str().unwrap());
    let sources = sources.chain(rpm.iter().map(|asset| asset["source"].as_str().unwrap()));
    let made = |path: &str| path.starts_with("target/");
    for source in sources.filter(|path| !made(path)) {
        let there = root().join(source.trim_end_matches("*.md"));
        assert!(there.exists(), "{source}");
    }
    let version = package["version"].as_str().unwrap();
    let changelog = text("packaging/debian/changelog");
    assert!(
        changelog.starts_with(&format!("emflow ({version}-1) ")),
        "{changelog}"
    );
    // Both packages hold the same, but for the places that each system has its own for.
    let targets = |list: &[toml::Value], of: fn(&toml::Value) -> &str| -> Vec<String> {
        let names = list.iter().filter(|asset| {
            !of(asset).starts_with("packaging/debian") && !of(asset).starts_with("LICENSE")
        });
        let mut names: Vec<String> = names.map(|asset| of(asset).to_owned()).collect();
        names.retain(|name| !name.ends_with(".service"));
        names.sort();
        names
    };
    let in_deb = targets(deb, |asset| asset[0].as_str().unwrap());
    let in_rpm = targets(rpm, |asset| asset["source"].as_str().unwrap());
    assert_eq!(in_deb, in_rpm);
    for directory in ["grafana", "prometheus", "nginx"] {
        let shipped = |path: &String| path.starts_with(&format!("packaging/{directory}/"));
        assert!(in_deb.iter().any(shipped), "{directory} is not shipped");
    }
}

#[test]
fn the_unit_is_hardened() {
    let unit = root().join("packaging/systemd/emflow.service");
    let program = Path::new("/usr/bin/systemd-analyze");
    if !program.exists() {
        return skip(
            "systemd-analyze",
            "it is not installed (apt-get install systemd)",
        );
    }
    let judge = |threshold: &str| {
        Command::new(program)
            .args([
                "security",
                "--offline=true",
                "--no-pager",
                "--threshold",
                threshold,
            ])
            .arg(&unit)
            .output()
            .unwrap()
    };
    // In tenths, as systemd counts them.
    let output = judge("13");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
    assert!(
        !judge("1").status.success(),
        "the judge lets everything through"
    );
}
