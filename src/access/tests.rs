use std::collections::HashSet;
use std::sync::Mutex;

use super::jwt::{Algorithm, JwtError, Keys, Verifier};
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

const SECOND: Duration = Duration::from_secs(1);
const WALL: Wall = Wall(1_000_000);
const SECRET: &str = "a secret of more than thirty-two bytes";

/// A store that counts one generation for everybody.
#[derive(Default)]
struct Revocations {
    all: Mutex<(u64, Option<Wall>)>,
    follow: Mutex<Wall>,
}

impl Revocations {
    fn revoke(&self, at: Wall) {
        let mut state = self.all.lock().unwrap();
        *state = (state.0 + 1, Some(at));
    }
}

impl Generations for Revocations {
    fn generation(&self, _: &UserId) -> u64 {
        self.all.lock().unwrap().0
    }

    fn revoked_at(&self, _: &UserId) -> Option<Wall> {
        self.all.lock().unwrap().1
    }

    fn follow_revoked_at(&self, _: &UserId) -> Wall {
        *self.follow.lock().unwrap()
    }
}

fn access(mode: AuthMode) -> (Access, Arc<Revocations>) {
    let store = Arc::new(Revocations::default());
    let access = Access::new(mode, Settings::default(), &[1; 32], store.clone());
    (access, store)
}

fn code() -> AuthMode {
    AuthMode::AccessCode(AccessCode::new("open sesame"))
}

fn jwt_mode() -> AuthMode {
    AuthMode::Jwt(Verifier {
        keys: Keys::single(Algorithm::Hs256, SECRET).unwrap(),
        issuer: None,
        audience: None,
    })
}

fn jwt(payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn visitor(access: &Access) -> NewVisitor {
    let request = NewVisitorRequest {
        access_code: Some("open sesame"),
        display_name: None,
    };
    access.create_visitor(&request, WALL).ok().unwrap()
}

#[test]
fn a_visitor_is_recognised_by_bearer_and_cookie_also_after_a_restart() {
    let (first, _) = access(AuthMode::Open);
    let new = visitor(&first);
    let (restarted, _) = access(AuthMode::Open);
    for access in [first, restarted] {
        for credential in [
            Credential::Bearer(&new.token),
            Credential::Cookie(&new.token),
        ] {
            let identity = access
                .authenticate(credential, Instant::now(), WALL)
                .unwrap();
            assert_eq!(
                (&identity.user_id, identity.expires),
                (&new.user_id, new.expires)
            );
        }
        let as_ticket = access.authenticate(Credential::Ticket(&new.token), Instant::now(), WALL);
        assert_eq!(as_ticket, Err(Denied::Ticket));
        let late = access.authenticate(Credential::Bearer(&new.token), Instant::now(), new.expires);
        assert_eq!(late, Err(Denied::Token(TokenError::Expired)));
    }
}

#[test]
fn user_ids_follow_the_rule_and_never_repeat() {
    let (access, _) = access(AuthMode::Open);
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let id = visitor(&access).user_id;
        let letters = id.as_str().strip_prefix("v-").unwrap();
        assert!(
            letters.len() == 20
                && letters
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')),
            "{id}"
        );
        assert!(seen.insert(id));
    }
}

#[test]
fn the_mode_decides_who_becomes_a_visitor() {
    let check = |mode: AuthMode, given: Option<&str>, expected: Result<(), NotAdmitted>| {
        let request = NewVisitorRequest {
            access_code: given,
            display_name: None,
        };
        let made = access(mode).0.create_visitor(&request, WALL);
        assert_eq!(made.map(|_| ()), expected, "{given:?}");
    };
    check(AuthMode::Open, None, Ok(()));
    check(AuthMode::Open, Some("whatever"), Ok(()));
    check(code(), Some("open sesame"), Ok(()));
    for wrong in [
        None,
        Some(""),
        Some("open sesam"),
        Some("open sesame "),
        Some("Open sesame"),
    ] {
        check(code(), wrong, Err(NotAdmitted::WrongCode));
    }
    check(jwt_mode(), None, Err(NotAdmitted::NotHere));
    check(jwt_mode(), Some(SECRET), Err(NotAdmitted::NotHere));
}

#[test]
fn display_names_are_short_and_plain() {
    let (access, _) = access(AuthMode::Open);
    let check = |name: &str, expected: Option<&str>| {
        let request = NewVisitorRequest {
            display_name: Some(name),
            ..NewVisitorRequest::default()
        };
        let made = access
            .create_visitor(&request, WALL)
            .map(|v| v.display_name.unwrap());
        assert_eq!(made.ok().as_deref(), expected, "{name:?}");
    };
    check(" Zoë 🦀 ", Some("Zoë 🦀"));
    check(&"ä".repeat(64), Some(&"ä".repeat(64)));
    check("<b>", Some("<b>"));
    for bad in [
        "",
        "  ",
        "a\nb",
        "a\0",
        "\u{1b}[31m",
        "a\u{202E}b",
        "a\u{200B}b",
        &"ä".repeat(65),
        &"x".repeat(1_000_000),
    ] {
        check(bad, None);
    }
}

#[test]
fn a_ticket_stands_for_its_holder_once() {
    let (access, _) = access(code());
    let (new, now) = (visitor(&access), Instant::now());
    let bearer = Credential::Bearer(&new.token);
    let identity = access.authenticate(bearer, now, WALL).unwrap();
    let redeem = |text: &str, later: Duration| {
        access.authenticate(Credential::Ticket(text), now + later, WALL.plus(later))
    };
    let ticket = access.issue_ticket(identity.clone(), now).unwrap();
    assert_eq!(redeem(&ticket, SECOND * 29), Ok(identity.clone()));
    assert_eq!(redeem(&ticket, SECOND * 29), Err(Denied::Ticket));
    let ticket = access.issue_ticket(identity.clone(), now).unwrap();
    assert_eq!(redeem(&ticket, SECOND * 31), Err(Denied::Ticket));
    let ticket = access.issue_ticket(identity, now).unwrap();
    let after = access.authenticate(Credential::Ticket(&ticket), now, new.expires);
    assert_eq!(
        after,
        Err(Denied::Token(TokenError::Expired)),
        "it does not outlive the token"
    );
    assert_eq!(
        redeem(&ticket, Duration::ZERO),
        Err(Denied::Ticket),
        "and is used up by the try"
    );
}

#[test]
fn revocation_ends_tokens_tickets_and_open_sockets() {
    let (access, store) = access(AuthMode::Open);
    let (new, now) = (visitor(&access), Instant::now());
    let identity = access
        .authenticate(Credential::Bearer(&new.token), now, WALL)
        .unwrap();
    let ticket = access.issue_ticket(identity.clone(), now).unwrap();
    assert_eq!(access.recheck(&identity, WALL), Ok(()));
    store.revoke(WALL);
    let try_it = |credential| access.authenticate(credential, now, WALL);
    assert_eq!(try_it(Credential::Bearer(&new.token)), Err(Denied::Revoked));
    assert_eq!(try_it(Credential::Cookie(&new.token)), Err(Denied::Revoked));
    assert_eq!(try_it(Credential::Ticket(&ticket)), Err(Denied::Revoked));
    assert_eq!(access.recheck(&identity, WALL), Err(Denied::Revoked));
    assert!(
        try_it(Credential::Bearer(&visitor(&access).token)).is_ok(),
        "a new one is good"
    );
}

#[test]
fn in_jwt_mode_only_the_operators_tokens_count() {
    let (access_, store) = access(jwt_mode());
    let now = Instant::now();
    let try_it = |text: &str| access_.authenticate(Credential::Bearer(text), now, WALL);
    let user = |result: Result<Identity, Denied>| result.map(|i| i.user_id.to_string());
    let valid = jwt(r#"{"sub":"alice","exp":2000,"iat":900}"#);
    assert_eq!(user(try_it(&valid)), Ok("alice".to_owned()));
    assert_eq!(try_it(&valid).unwrap().expires, Wall(2_030_000));
    let dated = jwt(r#"{"sub":"alice","exp":900}"#);
    assert_eq!(try_it(&dated), Err(Denied::Jwt(JwtError::Expired)));
    let own = visitor(&access(AuthMode::Open).0).token;
    assert_eq!(try_it(&own), Err(Denied::Token(TokenError::Forged)));
    // The other way round, a JWT is no visitor's token.
    let elsewhere = access(AuthMode::Open)
        .0
        .authenticate(Credential::Bearer(&valid), now, WALL);
    assert_eq!(elsewhere, Err(Denied::Token(TokenError::Malformed)));
    // A ticket bought with a JWT, and revocation by the time of issue.
    let ticket = access_.issue_ticket(try_it(&valid).unwrap(), now).unwrap();
    let again = access_.issue_ticket(try_it(&valid).unwrap(), now).unwrap();
    let redeem = |text: &str| user(access_.authenticate(Credential::Ticket(text), now, WALL));
    assert_eq!(redeem(&ticket), Ok("alice".to_owned()));
    store.revoke(Wall(950_000));
    assert_eq!(redeem(&again), Err(Denied::Revoked));
    assert_eq!(try_it(&valid), Err(Denied::Revoked));
    let undated = jwt(r#"{"sub":"alice","exp":2000}"#);
    assert_eq!(try_it(&undated), Err(Denied::Revoked));
    let same_moment = jwt(r#"{"sub":"alice","exp":2000,"iat":950}"#);
    assert_eq!(try_it(&same_moment), Err(Denied::Revoked));
    let newer = jwt(r#"{"sub":"alice","exp":2000,"iat":951}"#);
    assert_eq!(user(try_it(&newer)), Ok("alice".to_owned()));
}

// req: V2
#[test]
fn another_device_follows_as_far_as_it_was_let_until_it_is_taken_back() {
    let (access, store) = access(AuthMode::Open);
    let now = Instant::now();
    let of = |text: &str, wall| access.authenticate(Credential::Bearer(text), now, wall);
    let holder = of(&visitor(&access).token, WALL).unwrap();
    assert!(holder.role.may_act());
    for control in [true, false] {
        let (token, expires) = access.share(&holder, control, WALL).unwrap();
        assert_eq!(expires, WALL.plus(Settings::default().follow_lifetime));
        let follower = of(&token, WALL).unwrap();
        assert_eq!(follower.user_id, holder.user_id);
        assert_eq!(follower.role.may_act(), control);
        assert_eq!(
            access.share(&follower, false, WALL),
            None,
            "it is passed on"
        );
        assert_eq!(of(&token, expires), Err(TokenError::Expired.into()));
        // A ticket carries the same, and no more.
        let ticket = access.issue_ticket(follower.clone(), now).unwrap();
        let redeemed = access.authenticate(Credential::Ticket(&ticket), now, WALL);
        assert_eq!(redeemed.as_ref(), Ok(&follower));
        *store.follow.lock().unwrap() = WALL;
        assert_eq!(of(&token, WALL), Err(Denied::Revoked));
        assert_eq!(access.recheck(&follower, WALL), Err(Denied::Revoked));
        assert_eq!(access.recheck(&holder, WALL), Ok(()), "the visitor stays");
        let (newer, _) = access.share(&holder, control, WALL).unwrap();
        assert!(of(&newer, WALL).is_ok(), "made in the same millisecond");
        *store.follow.lock().unwrap() = Wall(0);
    }
    let (token, _) = access.share(&holder, true, WALL).unwrap();
    store.revoke(WALL);
    assert_eq!(of(&token, WALL), Err(Denied::Revoked), "with the visitor");
}

#[test]
fn with_a_jwt_another_device_follows_no_longer_than_the_jwt_is_good() {
    let (access, _) = access(jwt_mode());
    let now = Instant::now();
    let of = |text: &str| access.authenticate(Credential::Bearer(text), now, WALL);
    let holder = of(&jwt(r#"{"sub":"alice","exp":2000,"iat":900}"#)).unwrap();
    let (token, expires) = access.share(&holder, false, WALL).unwrap();
    assert_eq!(expires, holder.expires);
    let follower = of(&token).unwrap();
    assert_eq!(follower.user_id, holder.user_id);
    assert!(!follower.role.may_act());
}

#[test]
fn a_change_of_mode_or_code_ends_the_tokens_made_before() {
    let token = visitor(&access(AuthMode::Open).0).token;
    let coded = visitor(&access(code()).0).token;
    let check = |mode: AuthMode, token: &str, accepted: bool| {
        let result = access(mode)
            .0
            .authenticate(Credential::Bearer(token), Instant::now(), WALL);
        assert_eq!(result.is_ok(), accepted, "{result:?}");
    };
    check(AuthMode::Open, &token, true);
    check(code(), &coded, true);
    check(code(), &token, false);
    check(AuthMode::Open, &coded, false);
    check(
        AuthMode::AccessCode(AccessCode::new("another")),
        &coded,
        false,
    );
}

#[test]
fn a_ticket_is_redeemed_once_even_by_many_at_the_same_time() {
    let (access, _) = access(AuthMode::Open);
    let (new, now) = (visitor(&access), Instant::now());
    let identity = access
        .authenticate(Credential::Bearer(&new.token), now, WALL)
        .unwrap();
    for _ in 0..200 {
        let ticket = access.issue_ticket(identity.clone(), now).unwrap();
        let redeem = || {
            access
                .authenticate(Credential::Ticket(&ticket), now, WALL)
                .is_ok()
        };
        let winners = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(redeem));
            threads
                .into_iter()
                .map(|t| t.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(winners, 1);
    }
}
