use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::*;
use crate::serve::keyfile;

const NOW: Wall = Wall(1_790_000_000_000);

fn day(n: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(NOW.0 as i64 / 1000 + n * 86_400).unwrap()
}

struct Made {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
    params: CertificateParams,
}

/// An authority or a server certificate, signed by `by` or by itself, good until day `end`.
fn made(name: &str, authority: bool, by: Option<&Made>, end: i64) -> Made {
    let key = KeyPair::generate().unwrap();
    let names = if authority {
        vec![]
    } else {
        vec![name.to_owned()]
    };
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (day(-1), day(end));
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    }
    let signed = match by {
        Some(by) => {
            let issuer = Issuer::from_params(&by.params, &by.key);
            params.signed_by(&key, &issuer)
        }
        None => params.self_signed(&key),
    };
    let signed = signed.unwrap();
    Made {
        pem: signed.pem(),
        der: signed.der().clone(),
        key,
        params,
    }
}

struct Shop {
    folder: tempfile::TempDir,
    roots: RootCertStore,
}

impl Shop {
    /// What is found in a file of these certificates, with the key of the first.
    fn found(&self, chain: &[&Made], names: &[&str]) -> Result<Vec<Finding>, TlsError> {
        let (pem, key) = self.written(chain);
        let names: Vec<Host> = names.iter().filter_map(|n| Host::parse(n)).collect();
        judge(&pem, &key, &names, &self.roots, NOW)
    }

    fn written(&self, chain: &[&Made]) -> (PathBuf, PathBuf) {
        let (pem, key) = (
            self.folder.path().join("shop.pem"),
            self.folder.path().join("shop.key"),
        );
        let text: String = chain.iter().map(|made| made.pem.as_str()).collect();
        keyfile::write(&pem, text.as_bytes()).unwrap();
        keyfile::write(&key, chain[0].key.serialize_pem().as_bytes()).unwrap();
        (pem, key)
    }
}

#[test]
fn each_fault_of_a_chain_is_named_with_its_remedy() {
    let root = made("Root", true, None, 900);
    let middle = made("Middle", true, Some(&root), 900);
    let stale = made("Middle", true, Some(&root), 0);
    let other = made("Other", true, Some(&root), 900);
    let leaf = made("shop.example", false, Some(&middle), 90);
    let soon = made("shop.example", false, Some(&middle), 7);
    let of_stale = made("shop.example", false, Some(&stale), 90);
    let own = made("shop.example", false, None, 90);
    let mut roots = RootCertStore::empty();
    roots.add(root.der.clone()).unwrap();
    let shop = Shop {
        folder: tempfile::tempdir().unwrap(),
        roots,
    };
    let check = |chain: &[&Made], names: &[&str], expected: &[[&str; 2]]| {
        let found = shop.found(chain, names).unwrap();
        let agree = found.len() == expected.len()
            && found.iter().zip(expected).all(|(finding, [what, mend])| {
                finding.what.contains(what) && finding.mend.contains(mend)
            });
        assert!(agree, "{expected:?} is not {found:#?}");
    };
    check(&[&leaf, &middle], &["shop.example"], &[]);
    check(&[&leaf, &middle, &root], &[], &[]);
    check(
        &[&leaf],
        &[],
        &[[
            "the certificate of \"Middle\" is missing",
            "append the certificate of \"Middle\"",
        ]],
    );
    check(
        &[&leaf, &other],
        &[],
        &[["certificate 2 in ", "the server's own certificate first"]],
    );
    check(
        &[&of_stale, &stale],
        &[],
        &[["certificate 2 in", "current intermediate"]],
    );
    check(
        &[&soon, &middle],
        &[],
        &[["expires at", "systemctl reload emflow"]],
    );
    check(
        &[&own],
        &[],
        &[[
            "an authority that this system does not trust",
            "install that",
        ]],
    );
    check(
        &[&leaf, &middle],
        &["shop.example", "demo.example", "192.0.2.7"],
        &[
            ["does not cover demo.example", "with the name demo.example"],
            ["does not cover 192.0.2.7", "take the name out"],
        ],
    );
}

#[test]
fn what_cannot_be_used_is_an_error_and_no_finding() {
    let over = made("shop.example", false, None, 0);
    let one = made("shop.example", false, None, 90);
    let shop = Shop {
        folder: tempfile::tempdir().unwrap(),
        roots: RootCertStore::empty(),
    };
    let error = shop.found(&[&over], &[]).unwrap_err();
    assert!(matches!(error, TlsError::Expired { .. }), "{error}");
    let (pem, key) = shop.written(&[&one]);
    keyfile::write(&key, over.key.serialize_pem().as_bytes()).unwrap();
    let error = judge(&pem, &key, &[], &shop.roots, NOW).unwrap_err();
    assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
}
