use std::net::Ipv4Addr;

use super::*;
use crate::access::audit::Filter;
use crate::store::tests::house::{options, reopen};

const PASSWORD: &str = "correct horse battery";
const SETTINGS: Settings = Settings {
    sessions: Lifetimes {
        idle: Duration::from_secs(1800),
        absolute: Duration::from_secs(43_200),
    },
    throttle: Policy {
        window: Duration::from_secs(900),
        per_address: 3,
        slow_from: 100,
        slow_pause: Duration::from_secs(3),
        known_for: Duration::from_secs(60),
    },
};

/// The room over a store in a directory of its own.
struct House {
    dir: tempfile::TempDir,
    store: Store,
    admin: Admin,
    audit: Audit,
}

impl House {
    fn open_in(dir: tempfile::TempDir) -> Self {
        let opened = reopen(&options(dir.path())).unwrap();
        let (store, committer) = (opened.store, opened.committer);
        let audit = Audit::new(store.clone(), committer.clone(), 100).unwrap();
        let admin = Admin::new(&store, committer, audit.clone(), SETTINGS).unwrap();
        Self {
            dir,
            store,
            admin,
            audit,
        }
    }

    async fn new() -> Self {
        let house = Self::open_in(tempfile::tempdir().unwrap());
        let made = house.admin.prepare(Some(PASSWORD), false).await.unwrap();
        assert_eq!(made, None);
        house
    }

    fn restarted(self) -> Self {
        let Self {
            dir,
            store,
            admin,
            audit,
        } = self;
        // Whoever still holds one of them holds the directory.
        drop((store, admin, audit));
        Self::open_in(dir)
    }

    /// What was done and what was refused, oldest first.
    fn log(&self) -> Vec<String> {
        let (entries, _) = self.audit.page(&Filter::default(), 100).unwrap();
        let line = |e: &crate::store::AuditRecord| match &e.refused {
            None => format!("{} {} {}", e.who, e.via, e.action),
            Some(_) => format!("{} {} NOT {}", e.who, e.via, e.action),
        };
        entries.iter().rev().map(line).collect()
    }
}

fn knock(last: u8) -> Knock<'static> {
    Knock {
        from: Ipv4Addr::new(192, 0, 2, last).into(),
        client: "a browser",
        old: None,
    }
}

fn actor() -> Actor {
    Actor {
        who: "uid 1000".into(),
        via: "local",
        from: String::new(),
    }
}

/// Who a cookie belongs to.
fn by_cookie(admin: &Admin, secret: &str) -> Result<Principal, Denied> {
    let cookies = format!("a=b; {ADMIN_COOKIE}={secret}");
    let brought = Brought {
        cookies: Some(&cookies),
        ..Brought::default()
    };
    admin.authenticate(&brought, clock::wall())
}

fn by_token(admin: &Admin, text: &str, now: Wall) -> Result<Principal, Denied> {
    let brought = Brought {
        bearer: Some(text),
        ..Brought::default()
    };
    admin.authenticate(&brought, now)
}

#[tokio::test]
async fn without_a_password_nobody_gets_in_by_any_way() {
    let house = House::open_in(tempfile::tempdir().unwrap());
    let admin = &house.admin;
    assert_eq!(admin.prepare(None, false).await.unwrap(), None);
    let disabled = |refused: Result<(), Refused>| {
        assert!(matches!(refused, Err(Refused::Denied(Denied::Disabled))));
    };
    disabled(admin.login(NAME, "", knock(1)).await.map(|_| ()));
    disabled(admin.redeem("", knock(1)).await.map(|_| ()));
    disabled(admin.link(&actor()).await.map(|_| ()));
    let owner = actor();
    let token = admin.create_token("t", Scope::Read, None, &owner).await;
    disabled(token.map(|_| ()));
    assert_eq!(by_cookie(admin, "x"), Err(Denied::Disabled));
    assert_eq!(by_token(admin, "x", Wall(0)), Err(Denied::Disabled));
}

#[tokio::test]
async fn a_password_is_generated_once_and_found_again() {
    let house = House::open_in(tempfile::tempdir().unwrap());
    let made = house.admin.prepare(None, true).await.unwrap().unwrap();
    house.admin.login(NAME, &made, knock(1)).await.unwrap();
    let house = house.restarted();
    assert_eq!(house.admin.prepare(None, true).await.unwrap(), None);
    house.admin.login(NAME, &made, knock(1)).await.unwrap();
    let stored: Book = house.store.setting(SETTING).unwrap().unwrap();
    let hash = stored.password.unwrap().hash;
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert!(!hash.contains(&made));
}

#[tokio::test]
async fn the_configured_password_counts_and_is_changed_only_there() {
    let house = House::new().await;
    let entered = house.admin.login(NAME, PASSWORD, knock(1)).await.unwrap();
    let refused = house.admin.set_password("another password", &actor()).await;
    assert!(matches!(refused, Err(Refused::Conflict(_))));

    // The same one again keeps who is logged in; another one does not.
    let house = house.restarted();
    house.admin.prepare(Some(PASSWORD), false).await.unwrap();
    assert!(by_cookie(&house.admin, &entered.secret).is_ok());
    let house = house.restarted();
    house
        .admin
        .prepare(Some("another password"), false)
        .await
        .unwrap();
    assert_eq!(
        by_cookie(&house.admin, &entered.secret),
        Err(Denied::Unknown)
    );
    let old = house.admin.login(NAME, PASSWORD, knock(1)).await;
    assert!(matches!(old, Err(Refused::Wrong(_))));

    // Taken out of the configuration, it stays until another one is set.
    let house = house.restarted();
    house.admin.prepare(None, true).await.unwrap();
    house
        .admin
        .set_password("a third password", &actor())
        .await
        .unwrap();
    house
        .admin
        .login(NAME, "a third password", knock(1))
        .await
        .unwrap();
    let short = house.admin.set_password("short", &actor()).await;
    assert!(short.is_err_and(|e| e.to_string().contains("12 characters")));
}

#[tokio::test]
async fn a_session_survives_a_restart_and_ends_at_logout() {
    let house = House::new().await;
    let entered = house.admin.login(NAME, PASSWORD, knock(1)).await.unwrap();
    let second = Knock {
        old: Some(&entered.secret),
        ..knock(1)
    };
    let rotated = house.admin.login(NAME, PASSWORD, second).await.unwrap();
    assert_ne!(entered.secret, rotated.secret);
    assert_eq!(
        by_cookie(&house.admin, &entered.secret),
        Err(Denied::Unknown)
    );
    let house = house.restarted();
    let principal = by_cookie(&house.admin, &rotated.secret).unwrap();
    assert_eq!(
        (principal.via, principal.scope),
        (Via::Session, Scope::Operate)
    );
    let waiting = house.admin.clone();
    let held = principal.clone();
    let stream = tokio::spawn(async move { waiting.ended(&held).await });
    house.admin.logout(&principal, knock(1).from).await.unwrap();
    stream.await.unwrap();
    assert_eq!(
        by_cookie(&house.admin, &rotated.secret),
        Err(Denied::Unknown)
    );
    let expected = [
        "the start local password.configured",
        "admin nothing login",
        "admin nothing login",
        "admin session logout",
    ];
    assert_eq!(house.log(), expected);
}

#[tokio::test]
async fn what_changes_something_needs_the_csrf_value_with_a_cookie() {
    let house = House::new().await;
    let one = house.admin.login(NAME, PASSWORD, knock(1)).await.unwrap();
    let other = house.admin.login(NAME, PASSWORD, knock(2)).await.unwrap();
    let cookies = format!("{ADMIN_COOKIE}={}", one.secret);
    let check = |csrf: Option<&str>, changes, expected: Result<(), Denied>| {
        let brought = Brought {
            cookies: Some(&cookies),
            csrf,
            changes,
            bearer: None,
        };
        let found = house.admin.authenticate(&brought, clock::wall());
        assert_eq!(found.map(|_| ()), expected, "{csrf:?} {changes}");
    };
    check(None, false, Ok(()));
    check(None, true, Err(Denied::Csrf));
    check(Some(""), true, Err(Denied::Csrf));
    check(Some(&csrf(&other.secret)), true, Err(Denied::Csrf));
    check(Some(&csrf(&one.secret)), true, Ok(()));
    let elsewhere = Brought {
        bearer: Some("x"),
        cookies: Some(&cookies),
        ..Brought::default()
    };
    let found = house.admin.authenticate(&elsewhere, clock::wall());
    assert_eq!(
        found,
        Err(Denied::Unknown),
        "a bad bearer is not replaced by the cookie"
    );
}

#[tokio::test]
async fn a_new_password_ends_everything_that_is_open() {
    let house = House::open_in(tempfile::tempdir().unwrap());
    house.admin.set_password(PASSWORD, &actor()).await.unwrap();
    let one = house.admin.login(NAME, PASSWORD, knock(1)).await.unwrap();
    let other = house.admin.login(NAME, PASSWORD, knock(2)).await.unwrap();
    let link = house.admin.link(&actor()).await.unwrap();
    let held = by_cookie(&house.admin, &other.secret).unwrap();
    let waiting = house.admin.clone();
    let stream = tokio::spawn(async move { waiting.ended(&held).await });
    let principal = by_cookie(&house.admin, &one.secret).unwrap();
    let change = |current: &'static str, new: &'static str| {
        house
            .admin
            .change_password(current, new, &principal, knock(1))
    };
    assert!(matches!(
        change("wrong", "another password").await,
        Err(Refused::Wrong(_))
    ));
    assert!(matches!(
        change(PASSWORD, "short").await,
        Err(Refused::Bad(_))
    ));
    assert!(by_cookie(&house.admin, &other.secret).is_ok());
    let fresh = change(PASSWORD, "another password").await.unwrap();
    stream.await.unwrap();
    for old in [&one.secret, &other.secret] {
        assert_eq!(by_cookie(&house.admin, old), Err(Denied::Unknown));
    }
    assert!(by_cookie(&house.admin, &fresh.secret).is_ok());
    assert!(house.admin.redeem(&link, knock(1)).await.is_err());
}

#[tokio::test]
async fn wrong_passwords_are_counted_by_address_and_written_down() {
    let house = House::new().await;
    for n in 0..3 {
        let name = if n == 0 { "root" } else { NAME };
        let password = if n == 0 { PASSWORD } else { "wrong" };
        let wrong = house.admin.login(name, password, knock(1)).await;
        assert!(matches!(wrong, Err(Refused::Wrong(_))), "{n}");
    }
    let right = house.admin.login(NAME, PASSWORD, knock(1)).await;
    assert!(matches!(right, Err(Refused::Wait(wait)) if wait > Duration::from_secs(890)));
    house.admin.login(NAME, PASSWORD, knock(2)).await.unwrap();
    let refused = house
        .log()
        .iter()
        .filter(|l| *l == "anyone nothing NOT login")
        .count();
    assert_eq!(refused, 3);
    let long = house.admin.login(NAME, &"x".repeat(1025), knock(3)).await;
    assert!(matches!(long, Err(Refused::Bad(_))));
}

#[tokio::test]
async fn a_token_is_known_by_its_text_alone_until_it_is_revoked_or_expires() {
    let house = House::new().await;
    let create = |name: &'static str, lifetime: Option<u64>| {
        let admin = house.admin.clone();
        let lifetime = lifetime.map(Duration::from_secs);
        async move {
            admin
                .create_token(name, Scope::Read, lifetime, &actor())
                .await
        }
    };
    for (name, lifetime) in [
        ("", None),
        ("a/b", None),
        ("t", Some(0)),
        ("t", Some(u64::MAX)),
    ] {
        assert!(
            matches!(create(name, lifetime).await, Err(Refused::Bad(_))),
            "{name}"
        );
    }
    let (text, token) = create(" grafana ", Some(60)).await.unwrap();
    assert!(text.starts_with(TOKEN_PREFIX) && token.name == "grafana");
    assert!(matches!(
        create("grafana", None).await,
        Err(Refused::Conflict(_))
    ));
    let (kept, _) = create("kept", None).await.unwrap();

    let now = clock::wall();
    let found = by_token(&house.admin, &text, now).unwrap();
    assert_eq!(
        (found.name.as_str(), found.scope, found.via),
        ("grafana", Scope::Read, Via::Token)
    );
    let over = token.expires.unwrap();
    assert_eq!(by_token(&house.admin, &text, over), Err(Denied::Unknown));
    assert_eq!(
        by_token(&house.admin, &token.fingerprint.id(), now),
        Err(Denied::Unknown)
    );
    house.admin.persist().await.unwrap();

    let house = house.restarted();
    let used = house.admin.book().tokens[0].used;
    assert_eq!(used, Some(now), "the last use survives");
    let found = by_token(&house.admin, &kept, now).unwrap();
    let waiting = house.admin.clone();
    let stream = tokio::spawn(async move { waiting.ended(&found).await });
    house.admin.revoke_token("kept", &actor()).await.unwrap();
    stream.await.unwrap();
    assert_eq!(by_token(&house.admin, &kept, now), Err(Denied::Unknown));
    let again = house.admin.revoke_token("kept", &actor()).await;
    assert!(matches!(again, Err(Refused::NotFound(_))));
}

#[tokio::test]
async fn a_link_logs_in_once() {
    let house = House::new().await;
    let link = house.admin.link(&actor()).await.unwrap();
    let entered = house.admin.redeem(&link, knock(1)).await.unwrap();
    assert!(by_cookie(&house.admin, &entered.secret).is_ok());
    assert!(matches!(
        house.admin.redeem(&link, knock(1)).await,
        Err(Refused::Wrong(_))
    ));
}

#[tokio::test]
async fn a_change_is_made_although_nobody_waits_for_it() {
    let house = House::new().await;
    let (text, _) = house
        .admin
        .create_token("t", Scope::Read, None, &actor())
        .await
        .unwrap();
    {
        let gate = crate::store::tests::house::hold_back(&house.admin.0.committer).await;
        let actor = actor();
        let revoke = house.admin.revoke_token("t", &actor);
        let polled = tokio::time::timeout(Duration::ZERO, revoke).await;
        assert!(polled.is_err(), "it is not durable yet");
        assert!(by_token(&house.admin, &text, clock::wall()).is_ok());
        drop(gate);
    }
    // The next change comes after it.
    house.admin.logout_everywhere(&actor()).await.unwrap();
    assert_eq!(
        by_token(&house.admin, &text, clock::wall()),
        Err(Denied::Unknown)
    );
}
