use std::fs;

use super::*;
use crate::clock::Wall;

fn authority() -> Shown {
    Shown {
        fingerprint: "AB:CD".to_owned(),
        name: "emflow local authority lap top".to_owned(),
        not_after: Wall(0),
        pem: Vec::new(),
    }
}

#[test]
fn each_system_has_its_steps_and_their_undoing() {
    let check = |made: &str, install: &[&str], remove: &[&str]| {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(made);
        if made.ends_with(".keychain") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
        } else {
            fs::create_dir_all(&path).unwrap();
        }
        let home = root.path().join("home");
        let found = stores(
            root.path(),
            Some(&home),
            Path::new("/d/a.pem"),
            &authority(),
        );
        assert_eq!(found.len(), 1, "{made}");
        let prefix = format!("{}/", root.path().display());
        let said = |steps: &[Step]| -> Vec<String> {
            let lines = steps
                .iter()
                .map(|step| step.to_string().replace(&prefix, ""));
            lines.collect()
        };
        assert_eq!(said(&found[0].install), install);
        assert_eq!(said(&found[0].remove), remove);
    };
    let name = "emflow-local-authority-lap-top.crt";
    check(
        "usr/local/share/ca-certificates",
        &[
            &format!("cp /d/a.pem usr/local/share/ca-certificates/{name}"),
            "update-ca-certificates",
        ],
        &[
            &format!("rm -f usr/local/share/ca-certificates/{name}"),
            "update-ca-certificates --fresh",
        ],
    );
    check(
        "etc/pki/ca-trust/source/anchors",
        &[
            &format!("cp /d/a.pem etc/pki/ca-trust/source/anchors/{name}"),
            "update-ca-trust extract",
        ],
        &[
            &format!("rm -f etc/pki/ca-trust/source/anchors/{name}"),
            "update-ca-trust extract",
        ],
    );
    check(
        "Library/Keychains/System.keychain",
        &[
            "security add-trusted-cert -d -r trustRoot -k Library/Keychains/System.keychain /d/a.pem",
        ],
        &["security remove-trusted-cert -d /d/a.pem"],
    );
    check(
        "home/.pki/nssdb",
        &[
            "certutil -d sql:home/.pki/nssdb -A -t C,, -n 'emflow local authority lap top' -i /d/a.pem",
        ],
        &["certutil -d sql:home/.pki/nssdb -D -n 'emflow local authority lap top'"],
    );
}

struct Said {
    exit: Exit,
    out: String,
    err: String,
}

fn applied(args: &[&str], store: &Store, typed: &str, asks: bool) -> Said {
    let args = TrustArgs {
        config: ConfigArgs::default(),
        print: args.contains(&"--print"),
        yes: args.contains(&"--yes"),
        remove: args.contains(&"--remove"),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let stores = std::slice::from_ref(store);
    let exit = apply(
        &args,
        stores,
        &mut typed.as_bytes(),
        asks,
        &mut out,
        &mut err,
    )
    .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said {
        exit,
        out: text(out),
        err: text(err),
    }
}

#[test]
fn nothing_changes_unless_it_was_said_and_agreed() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("a.pem"), dir.path().join("b.crt"));
    fs::write(&from, "authority").unwrap();
    let store = Store {
        name: "a store",
        install: vec![Step::Copy(from, to.clone()), Step::Run(vec!["true".into()])],
        remove: vec![Step::Delete(to.clone()), Step::Run(vec!["true".into()])],
    };
    for (args, typed, asks) in [
        (&["--print"][..], "y\n", true),
        (&[], "y\n", false),
        (&[], "n\n", true),
        (&[], "\n", true),
        (&[], "", true),
    ] {
        let said = applied(args, &store, typed, asks);
        assert_eq!(said.exit, Exit::Done);
        assert!(said.out.contains("Nothing was changed") && said.out.contains("b.crt"));
        assert!(!to.exists(), "{args:?} {typed:?}");
    }
    for (args, typed) in [(&["--yes"][..], ""), (&[], "y\n")] {
        let said = applied(args, &store, typed, true);
        assert!(said.out.contains("a store: done"), "{}", said.err);
        assert_eq!(fs::read_to_string(&to).unwrap(), "authority");
        applied(&["--remove", "--yes"], &store, "", false);
        assert!(!to.exists());
    }
    // Taking back what is not there is no failure.
    assert_eq!(
        applied(&["--remove", "--yes"], &store, "", false).exit,
        Exit::Done
    );
}

#[test]
fn a_step_that_fails_is_told_with_its_remedy() {
    let check = |step: Step, part: &str| {
        let store = Store {
            name: "a store",
            install: vec![step],
            remove: Vec::new(),
        };
        let said = applied(&["--yes"], &store, "", false);
        assert_eq!(said.exit, Exit::Failed);
        assert!(
            said.err.contains(part) && said.err.contains("sudo emflow trust"),
            "{}",
            said.err
        );
    };
    check(Step::Run(vec!["false".into()]), "`false` failed");
    check(
        Step::Run(vec!["no-such-program".into()]),
        "no-such-program: No such file",
    );
    check(
        Step::Copy("/nowhere".into(), "/nowhere/too".into()),
        "/nowhere/too",
    );
}
