use super::*;
use crate::access::admin::{Admin, Lifetimes, Policy, Scope, Settings};
use crate::access::audit::Audit;
use crate::store::tests::house::{options, reopen};

const PASSWORD: &str = "correct horse battery";

/// A directory whose store is open, and its administrator's room.
fn admin(dir: &Path) -> Admin {
    let opened = reopen(&options(dir)).unwrap();
    let audit = Audit::new(opened.store.clone(), opened.committer.clone(), 100).unwrap();
    let settings = Settings {
        sessions: Lifetimes {
            idle: Duration::from_secs(60),
            absolute: Duration::from_secs(60),
        },
        throttle: Policy::default(),
    };
    Admin::new(&opened.store, opened.committer, audit, settings).unwrap()
}

fn listening() -> SocketAddr {
    "127.0.0.1:8443".parse().unwrap()
}

async fn asked(dir: &Path, request: Request) -> Answer {
    ask(dir, &request).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_owner_gets_in_and_the_socket_goes_with_the_drain() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert!(ask(dir, &Request::Link {}).await.unwrap().is_none());
    let drain = Drain::new();
    let admin = admin(dir);
    let control = Control::bind(dir).unwrap();
    let mode = fs::metadata(dir.join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let task = drain.spawn("test", control.run(admin, listening(), drain.clone()));

    let Answer::Refused { why } = asked(dir, Request::Link {}).await else {
        panic!("a link without a password")
    };
    assert!(why.contains("set-password"), "{why}");
    let password = PASSWORD.to_owned();
    let set = asked(dir, Request::SetPassword { password }).await;
    assert_eq!(set, Answer::Done {});
    let Answer::Link { listening: at, .. } = asked(dir, Request::Link {}).await else {
        panic!("no link")
    };
    assert_eq!(at, listening());
    let token = Request::TokenCreate {
        name: "t".into(),
        scope: Scope::Read,
        expires_in_s: None,
    };
    assert!(matches!(asked(dir, token).await, Answer::Token { .. }));
    let Answer::Tokens { tokens } = asked(dir, Request::TokenList {}).await else {
        panic!("no list")
    };
    assert_eq!((tokens.len(), tokens[0].name.as_str()), (1, "t"));
    let which = tokens[0].id.clone();
    let revoke = || Request::TokenRevoke {
        which: which.clone(),
    };
    assert_eq!(asked(dir, revoke()).await, Answer::Done {});
    assert!(matches!(asked(dir, revoke()).await, Answer::Refused { .. }));
    let out = asked(dir, Request::LogoutEverywhere {}).await;
    assert_eq!(out, Answer::Done {});

    drain.advance(Phase::Draining);
    task.await.unwrap();
    assert!(!dir.join(SOCKET).exists());
}

#[tokio::test]
async fn what_is_no_call_is_answered_and_what_is_too_long_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let drain = Drain::new();
    let control = Control::bind(dir).unwrap();
    drain.spawn("test", control.run(admin(dir), listening(), drain.clone()));
    let say = async |text: &[u8]| {
        let stream = UnixStream::connect(dir.join(SOCKET)).await.unwrap();
        let mut stream = BufReader::new(stream);
        // The other end may hang up before all of it is said.
        let _ = stream.write_all(text).await;
        let _ = stream.get_mut().shutdown().await;
        line(&mut stream).await
    };
    for text in [
        "\n",
        "{}\n",
        "{\"call\":\"dance\"}\n",
        "{\"call\":\"link\",\"x\":1}\n",
    ] {
        let answer = say(text.as_bytes()).await.unwrap();
        assert!(answer.contains("another version"), "{text} {answer}");
    }
    let secret = "{\"call\":\"set_password\",\"password\":7,\"x\":\"canary\"}\n";
    assert!(!say(secret.as_bytes()).await.unwrap().contains("canary"));
    assert!(say(b"{\"call\":\"link\"}").await.is_err(), "half a line");
    assert!(say(&vec![b' '; LINE_MAX + 1]).await.is_err());
    assert!(say(b"\xff\xfe\n").await.is_err());
    // And the next one is heard.
    assert!(matches!(
        asked(dir, Request::TokenList {}).await,
        Answer::Tokens { .. }
    ));
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_nobody_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    drop(Control::bind(dir).unwrap());
    assert!(dir.join(SOCKET).exists());
    assert!(ask(dir, &Request::Link {}).await.unwrap().is_none());
    Control::bind(dir).unwrap();
}

#[tokio::test]
async fn a_deep_directory_is_reached_too() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("d".repeat(100)).join("e".repeat(100));
    fs::create_dir_all(&dir).unwrap();
    let drain = Drain::new();
    let control = Control::bind(&dir).unwrap();
    drain.spawn("test", control.run(admin(&dir), listening(), drain.clone()));
    assert!(matches!(
        asked(&dir, Request::TokenList {}).await,
        Answer::Tokens { .. }
    ));
}
