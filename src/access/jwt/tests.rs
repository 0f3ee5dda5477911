use super::*;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Made with OpenSSL for these tests; the private keys were thrown away.
const RSA_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlzwQw1weoj9N4rLKSlf/
c54MBIqK7cSafSZVSn8twxkU64Pf4Vo2ujkQgBDT2sOR/yZ75Vzwm9nId6zPgakI
LSMZDdixOUoNevBtngIjcdMCCFNrmghJZWH36ANqEUdWFtCSYAqGETErZQN/WYLN
FJlSPx6NVZnbM/3bk/I3/EX7zWUhD7smSEdl+t5zgUwKEMWByrCk097fknwvHtDK
vRYBhRRGVaVG3J2caROkqC+tJH9SA19QypvAWyOaTYZNxAvipVidtaJR8mMbAIoZ
kMB4VsanSSIq929/rQhEoYuU07PCJ87erpHaQTHrOwvmwwGX/RNcOxYSK1st8LVr
mQIDAQAB
-----END PUBLIC KEY-----
";
const RSA_1024_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDhYr/fWM7m10fjmFrZGTQcQ4ul
2LqUC821Gm8B4nhIxvwWF3MCP6e1+OJsQd5ddfeIgAIKXP6ConsAtgA6UQ7qGWP1
qkUYlglJ8iYs5Bv9INFCIeHQQZ58QkuEogYb2of5DkLww33kwj4710khsxdNvKS+
AYs1tM3bKHqxJIgSIwIDAQAB
-----END PUBLIC KEY-----
";
const ED25519_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAxOt40BJ3SvuQoiCK/0FgGmwoqcgk2hS2AdF/VRWeN4Q=
-----END PUBLIC KEY-----
";
const P256_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1zOeo7bsqrGREZ48g3ipKs28jMkc
jKX7onpDQQaSEcXruJKJRdkfJO9kjAjSuoDo7Yz7pAn5Kuv7n0AMixvwEw==
-----END PUBLIC KEY-----
";
/// Signed by OpenSSL: `{"alg":"RS256","typ":"JWT","kid":"r1"}` and `{"sub":"visitor-1","exp":2000}`.
const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InIxIn0.eyJzdWIiOiJ2aXNpdG9yLTEiLCJleHAiOjIwMDB9.i1cehCSt_ZrjVx5pcRT8sThjNhsq3033zSEqv3u2BCCyKGyXbda-pzbgcONLA0fO6YnUw2_2VNJjANfMGVAGpvON2De7zPpS5hbi35OVJ7mzoDwYVd8S3yJ5oj4e05hsOMO8uZa65ak2qK_6okDwj2wY1RHHJyN1TBYh31QLGcKCvGsJlrG-cm0K15gWLlBueQ1CcPfZyPzIV8-t8QEMZbs8x-wnhP1-SLi7jwwWmhcBZT1mikOs2avd_AWBlohZ32UwX0r38KF2V6JUyxwjkbh1kaQpvmIV8hPAcjhgxZg4v_v8i8n1YXufg0HTBLW9LCA3dCmYMp50eRsnQ0O-Sg";
/// Signed by OpenSSL: `{"alg":"EdDSA"}` and `{"sub":"visitor-1","exp":2000}`.
const EDDSA_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ2aXNpdG9yLTEiLCJleHAiOjIwMDB9.KBpqBxzb3kDCZyvlw387zsQFLvWAt_e8qzC1b3G0hhO87kzjjW_knwmTYTWVNoZmwo500E8mdYl9USkxPiBqDA";
/// The modulus of [`RSA_PEM`].
const RSA_N: &str = "lzwQw1weoj9N4rLKSlf_c54MBIqK7cSafSZVSn8twxkU64Pf4Vo2ujkQgBDT2sOR_yZ75Vzwm9nId6zPgakILSMZDdixOUoNevBtngIjcdMCCFNrmghJZWH36ANqEUdWFtCSYAqGETErZQN_WYLNFJlSPx6NVZnbM_3bk_I3_EX7zWUhD7smSEdl-t5zgUwKEMWByrCk097fknwvHtDKvRYBhRRGVaVG3J2caROkqC-tJH9SA19QypvAWyOaTYZNxAvipVidtaJR8mMbAIoZkMB4VsanSSIq929_rQhEoYuU07PCJ87erpHaQTHrOwvmwwGX_RNcOxYSK1st8LVrmQ";

const SECRET: &str = "a secret of more than thirty-two bytes";
const NOW: Wall = Wall(1_000_000);

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn hs256(secret: &[u8], header: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    signed(header, payload, |m| hmac::sign(&key, m).as_ref().to_vec())
}

fn verifier(keys: Keys) -> Verifier {
    Verifier {
        keys,
        issuer: None,
        audience: None,
    }
}

fn secret() -> Verifier {
    verifier(Keys::single(Algorithm::Hs256, SECRET).unwrap())
}

fn ok(user: &str, expires_s: u64) -> Result<JwtClaims, JwtError> {
    Ok(JwtClaims {
        user_id: UserId::parse(user).unwrap(),
        expires: Wall((expires_s + 30) * 1000),
        issued: None,
    })
}

const HS256: &str = r#"{"alg":"HS256"}"#;
const VALID: &str = r#"{"sub":"visitor-1","exp":2000}"#;

#[test]
fn each_algorithm_verifies_its_own_tokens() {
    let rsa = verifier(Keys::single(Algorithm::Rs256, RSA_PEM).unwrap());
    let ed = verifier(Keys::single(Algorithm::EdDsa, ED25519_PEM).unwrap());
    assert_eq!(rsa.verify(RS256_TOKEN, NOW), ok("visitor-1", 2000));
    assert_eq!(ed.verify(EDDSA_TOKEN, NOW), ok("visitor-1", 2000));
    let token = hs256(SECRET.as_bytes(), HS256, VALID);
    assert_eq!(secret().verify(&token, NOW), ok("visitor-1", 2000));
    for other in [RS256_TOKEN, EDDSA_TOKEN] {
        assert_eq!(secret().verify(other, NOW), Err(JwtError::NoKey));
    }
    assert_eq!(rsa.verify(EDDSA_TOKEN, NOW), Err(JwtError::NoKey));
    assert_eq!(ed.verify(RS256_TOKEN, NOW), Err(JwtError::NoKey));
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    // The public key as an HMAC secret: what a confused verifier would accept.
    for pem in [RSA_PEM, RSA_PEM.trim()] {
        let confused = hs256(pem.as_bytes(), HS256, VALID);
        let rsa = verifier(Keys::single(Algorithm::Rs256, pem).unwrap());
        assert_eq!(rsa.verify(&confused, NOW), Err(JwtError::NoKey));
        let as_rs = hs256(pem.as_bytes(), r#"{"alg":"RS256"}"#, VALID);
        assert_eq!(rsa.verify(&as_rs, NOW), Err(JwtError::Forged));
    }
    for alg in [
        "none", "None", "NONE", "", "hs256", "HS384", "HS512", "RS256", "ES256",
    ] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let unsigned = signed(&header, VALID, |_| Vec::new());
        assert_eq!(
            secret().verify(&unsigned, NOW),
            Err(JwtError::NoKey),
            "{alg}"
        );
        let signed = hs256(SECRET.as_bytes(), &header, VALID);
        assert_eq!(secret().verify(&signed, NOW), Err(JwtError::NoKey), "{alg}");
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let rsa = verifier(Keys::single(Algorithm::Rs256, RSA_PEM).unwrap());
    let ed = verifier(Keys::single(Algorithm::EdDsa, ED25519_PEM).unwrap());
    let hs = hs256(SECRET.as_bytes(), HS256, VALID);
    for (verifier, token) in [(rsa, RS256_TOKEN), (ed, EDDSA_TOKEN), (secret(), &hs)] {
        for at in 0..token.len() {
            let mut changed = token.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verifier.verify(&changed, NOW).is_err(), "character {at}");
            assert!(verifier.verify(&token[..at], NOW).is_err(), "cut at {at}");
        }
        for more in [".", "A", "=", "\n", ".AAAA"] {
            assert!(
                verifier.verify(&format!("{token}{more}"), NOW).is_err(),
                "{more:?}"
            );
        }
    }
}

#[test]
fn claims_are_checked() {
    let check = |payload: &str, expected: Result<JwtClaims, JwtError>| {
        let token = hs256(SECRET.as_bytes(), HS256, payload);
        assert_eq!(secret().verify(&token, NOW), expected, "{payload}");
    };
    // It is 1000 s; the leeway is 30 s.
    check(r#"{"sub":"a","exp":971}"#, ok("a", 971));
    check(r#"{"sub":"a","exp":970}"#, Err(JwtError::Expired));
    check(r#"{"sub":"a","exp":0}"#, Err(JwtError::Expired));
    check(r#"{"sub":"a"}"#, Err(JwtError::Expired));
    check(r#"{"sub":"a","exp":null}"#, Err(JwtError::Expired));
    check(r#"{"sub":"a","exp":2000.0}"#, ok("a", 2000));
    for exp in [r#""2000""#, "true", "[2000]", "-1", "1e999", "NaN", "{}"] {
        check(
            &format!(r#"{{"sub":"a","exp":{exp}}}"#),
            Err(JwtError::Malformed),
        );
    }
    check(r#"{"sub":"a","exp":2000,"nbf":1030}"#, ok("a", 2000));
    check(
        r#"{"sub":"a","exp":2000,"nbf":1031}"#,
        Err(JwtError::TooEarly),
    );
    check(
        r#"{"sub":"a","exp":2000,"nbf":"0"}"#,
        Err(JwtError::Malformed),
    );
    check(
        r#"{"sub":"a","exp":2000,"nbf":1e300}"#,
        Err(JwtError::TooEarly),
    );
    check(
        r#"{"sub":"a","exp":900,"exp":2000}"#,
        Err(JwtError::Malformed),
    );
    check(r#"{"exp":2000}"#, Err(JwtError::Subject));
    check(r#"{"sub":7,"exp":2000}"#, Err(JwtError::Malformed));
    for sub in ["", ".a", "a b", "../x", "ä", "a\\u0000", &"x".repeat(65)] {
        check(
            &format!(r#"{{"sub":"{sub}","exp":2000}}"#),
            Err(JwtError::Subject),
        );
    }
    check(
        &format!(r#"{{"sub":"{}","exp":2000}}"#, "x".repeat(64)),
        ok(&"x".repeat(64), 2000),
    );
    check("[]", Err(JwtError::Malformed));
    check("", Err(JwtError::Malformed));
    check(r#"{"sub":"a","exp":2000} {}"#, Err(JwtError::Malformed));
    let far = hs256(
        SECRET.as_bytes(),
        HS256,
        r#"{"sub":"a","exp":1e300,"iat":12}"#,
    );
    let claims = secret().verify(&far, NOW).unwrap();
    assert_eq!(
        (claims.expires, claims.issued),
        (Wall(u64::MAX), Some(Wall(12_000)))
    );
}

#[test]
fn issuer_and_audience_are_checked_where_configured() {
    let check = |issuer: Option<&str>,
                 audience: Option<&str>,
                 more: &str,
                 expected: Result<(), JwtError>| {
        let verifier = Verifier {
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
            ..secret()
        };
        let token = hs256(
            SECRET.as_bytes(),
            HS256,
            &format!(r#"{{"sub":"a","exp":2000{more}}}"#),
        );
        assert_eq!(
            verifier.verify(&token, NOW).map(|_| ()),
            expected,
            "{issuer:?} {audience:?} {more}"
        );
    };
    check(None, None, r#","iss":"anybody""#, Ok(()));
    check(Some("us"), None, r#","iss":"us""#, Ok(()));
    check(Some("us"), None, r#","iss":"them""#, Err(JwtError::Issuer));
    check(Some("us"), None, "", Err(JwtError::Issuer));
    check(
        Some("us"),
        None,
        r#","iss":["us"]"#,
        Err(JwtError::Malformed),
    );
    check(None, Some("demo"), r#","aud":"demo""#, Ok(()));
    check(None, Some("demo"), r#","aud":["x","demo"]"#, Ok(()));
    check(
        None,
        Some("demo"),
        r#","aud":["x"]"#,
        Err(JwtError::Audience),
    );
    check(
        None,
        Some("demo"),
        r#","aud":"demonstration""#,
        Err(JwtError::Audience),
    );
    check(None, Some("demo"), "", Err(JwtError::Audience));
    check(None, Some("demo"), r#","aud":7"#, Err(JwtError::Malformed));
    check(
        None,
        None,
        r#","aud":"another-service""#,
        Err(JwtError::Audience),
    );
}

#[test]
fn headers_are_read_strictly() {
    let check = |header: &str, expected: JwtError| {
        let token = hs256(SECRET.as_bytes(), header, VALID);
        assert_eq!(secret().verify(&token, NOW), Err(expected), "{header}");
    };
    check(
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        JwtError::Malformed,
    );
    check(r#"{"alg":"HS256","alg":"none"}"#, JwtError::Malformed);
    check(r#"{"typ":"JWT"}"#, JwtError::Malformed);
    check(r#"{"alg":["HS256"]}"#, JwtError::Malformed);
    check("HS256", JwtError::Malformed);
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "ä.ö.ü",
        &"A".repeat(JWT_MAX + 1),
    ] {
        assert_eq!(
            secret().verify(text, NOW),
            Err(JwtError::Malformed),
            "{text:.20}"
        );
    }
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    check(&deep, JwtError::Malformed);
    let key_elsewhere =
        r#"{"alg":"HS256","jku":"https://evil.example/","jwk":{"kty":"oct","k":"AAAA"}}"#;
    let forged = hs256(&[0; 3], key_elsewhere, VALID);
    assert_eq!(
        secret().verify(&forged, NOW),
        Err(JwtError::Forged),
        "no key comes with the token"
    );
}

#[test]
fn a_jwks_document_gives_its_usable_keys() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let (x, k) = (encode(pair.public_key()), encode(SECRET));
    let set = format!(
        r#"{{"keys":[
            {{"kty":"RSA","kid":"r1","use":"sig","alg":"RS256","n":"{RSA_N}","e":"AQAB","x5c":["…"]}},
            {{"kty":"OKP","kid":"e1","crv":"Ed25519","x":"{x}","key_ops":["verify"]}},
            {{"kty":"oct","kid":"h1","k":"{k}"}},
            {{"kty":"RSA","kid":"r2","use":"enc","n":"{RSA_N}","e":"AQAB"}},
            {{"kty":"RSA","kid":"r3","alg":"RS512","n":"{RSA_N}","e":"AQAB"}},
            {{"kty":"EC","kid":"p1","crv":"P-256","x":"AA","y":"AA"}},
            {{"kty":"OKP","kid":"x1","crv":"X25519","x":"AA"}}]}}"#
    );
    let verifier = verifier(Keys::jwks(&set).unwrap());
    let shown = format!("{verifier:?}");
    assert!(
        shown.contains("r1") && !shown.contains("r2") && !shown.contains(&k),
        "{shown}"
    );
    assert_eq!(verifier.verify(RS256_TOKEN, NOW), ok("visitor-1", 2000));
    let ed = |header: &str| signed(header, VALID, |m| pair.sign(m).as_ref().to_vec());
    let hs = |header: &str| hs256(SECRET.as_bytes(), header, VALID);
    let check = |token: String, expected: Result<JwtClaims, JwtError>| {
        assert_eq!(verifier.verify(&token, NOW), expected, "{token}");
    };
    check(ed(r#"{"alg":"EdDSA","kid":"e1"}"#), ok("visitor-1", 2000));
    check(ed(r#"{"alg":"Ed25519"}"#), ok("visitor-1", 2000));
    check(ed(r#"{"alg":"EdDSA","kid":"r1"}"#), Err(JwtError::NoKey));
    check(ed(r#"{"alg":"EdDSA","kid":"x1"}"#), Err(JwtError::NoKey));
    check(hs(r#"{"alg":"HS256","kid":"h1"}"#), ok("visitor-1", 2000));
    check(hs(r#"{"alg":"HS256","kid":"h2"}"#), Err(JwtError::NoKey));
    check(hs(r#"{"alg":"RS256","kid":"r1"}"#), Err(JwtError::Forged));
}

#[test]
fn keys_that_cannot_be_meant_are_refused() {
    let single = |algorithm, text: &str, expected: KeyError| {
        assert_eq!(
            Keys::single(algorithm, text).unwrap_err(),
            expected,
            "{algorithm:?} {text:.40}"
        );
    };
    single(Algorithm::Hs256, "too short", KeyError::ShortSecret);
    single(Algorithm::Hs256, RSA_PEM, KeyError::PemAsSecret);
    single(Algorithm::Rs256, SECRET, KeyError::Pem);
    single(Algorithm::Rs256, ED25519_PEM, KeyError::Pem);
    single(Algorithm::EdDsa, RSA_PEM, KeyError::Pem);
    single(Algorithm::EdDsa, P256_PEM, KeyError::Pem);
    single(Algorithm::Rs256, RSA_1024_PEM, KeyError::RsaSize);
    single(
        Algorithm::Rs256,
        &RSA_PEM.replace("PUBLIC", "PRIVATE"),
        KeyError::Pem,
    );
    for cut in 30..RSA_PEM.len() - 26 {
        let text = format!("{}-----END PUBLIC KEY-----", &RSA_PEM[..cut]);
        assert!(
            Keys::single(Algorithm::Rs256, &text).is_err(),
            "cut at {cut}"
        );
    }
    // The same 32 bytes as a key of X25519, with unused bits, and with something behind.
    let body: String = ED25519_PEM
        .lines()
        .filter(|l| !l.starts_with("-----"))
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let altered = |at: usize, byte: u8| {
        let mut der = der.clone();
        der[at] = byte;
        der
    };
    let trailing = [der.as_slice(), &[0]].concat();
    for der in [altered(8, 0x6E), altered(11, 1), trailing] {
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
        single(Algorithm::EdDsa, &pem, KeyError::Pem);
    }
    let jwks = |text: &str| Keys::jwks(text).unwrap_err();
    assert!(matches!(jwks("{}"), KeyError::Jwks(_)));
    assert!(matches!(jwks(RSA_PEM), KeyError::Jwks(_)));
    assert_eq!(jwks(r#"{"keys":[]}"#), KeyError::NoKey);
    assert_eq!(
        jwks(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
        KeyError::ShortSecret
    );
    assert_eq!(
        jwks(r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#),
        KeyError::RsaSize
    );
    assert!(matches!(
        jwks(r#"{"keys":[{"kty":"RSA","e":"AQAB"}]}"#),
        KeyError::Jwks(_)
    ));
    assert!(matches!(
        jwks(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQAB"}]}"#),
        KeyError::Jwks(_)
    ));
    let key = format!(r#"{{"kty":"oct","k":"{}"}}"#, encode(SECRET));
    let many = format!(r#"{{"keys":[{}]}}"#, vec![key; 33].join(","));
    assert_eq!(jwks(&many), KeyError::TooMany);
}
