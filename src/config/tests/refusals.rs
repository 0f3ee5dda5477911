//! What is refused, and in which words.

use super::*;

/// `text` as `c.toml` is refused with exactly one message, which holds every part.
#[track_caller]
fn check(text: &str, parts: &[&str]) {
    let errors = load(&[("c.toml", text)], &[], &[]).expect_err(text);
    assert_eq!(errors.len(), 1, "{text:?}: {errors:#?}");
    for part in parts {
        assert!(
            errors[0].contains(part),
            "{part:?} is not in: {}",
            errors[0]
        );
    }
}

#[test]
fn a_wrong_value_is_refused_with_place_key_rule_and_remedy() {
    check(
        "[delivery]\nwindow = 0",
        &[
            "c.toml:2: delivery.window: must be from 1 to 1024, not 0; ",
            "default 64",
        ],
    );
    check(
        "[delivery]\n\n\nwindow = 4096",
        &["c.toml:4:", "from 1 to 1024"],
    );
    check(
        "[store]\nsegment_size = \"10MiB\"",
        &["c.toml:2: store.segment_size", "power of two"],
    );
    check(
        "[delivery]\nwindow = -1",
        &["must be a whole number, from 1 to 1024, not -1"],
    );
    check(
        "[delivery]\nwindow = \"64\"",
        &["a whole number", "not \"64\""],
    );
    check(
        "[delivery]\nwindow = 64.0",
        &["a whole number", "not a float"],
    );
    check("delivery.window = 0", &["c.toml:1: delivery.window"]);
    check("delivery = { window = 0 }", &["c.toml:1: delivery.window"]);
    check(
        "[delivery]\nack_timeout = 5",
        &["c.toml:2:", "a duration such as", "not 5"],
    );
    check(
        "[delivery]\nack_timeout = \"5\"",
        &["a duration", "not \"5\""],
    );
    check("[delivery]\nack_timeout = \"5 parsecs\"", &["a duration"]);
    check("[delivery]\nack_timeout = \"-5s\"", &["a duration"]);
    check(
        "[delivery]\nack_timeout = \"99999999999999999999s\"",
        &["a duration"],
    );
    check(
        "[delivery]\nack_timeout = \"400000000000000000d\"",
        &["a duration"],
    );
    check(
        "[delivery]\nack_timeout = \"0s\"",
        &["from \"100ms\" to \"5m\", not \"0s\""],
    );
    check("[sessions]\ntimeout = \"61m\"", &["from \"1s\" to \"1h\""]);
    check(
        "[limits]\nmax_frame = 65536",
        &["a size such as", "not 65536"],
    );
    check("[limits]\nmax_frame = \"64kb\"", &["a size such as"]);
    check(
        "[limits]\nmax_frame = \"1GiB\"",
        &["from \"16KiB\" to \"1MiB\""],
    );
}

#[test]
fn a_wrong_text_is_refused_with_its_form() {
    check(
        "[server]\nlisten = \"8443\"",
        &["an address and port such as"],
    );
    check(
        "[server]\nlisten = \"localhost\"",
        &["an address and port such as"],
    );
    check(
        "[server]\nopen_browser = \"yes\"",
        &["true or false", "not \"yes\""],
    );
    check("[server]\ndata_dir = \"\"", &["a path, not \"\""]);
    check(
        "[server]\npublic_names = \"a.example\"",
        &["a list, each entry a host name"],
    );
    check(
        "[server]\npublic_names = [\"a b\"]",
        &["a list, each entry a host name"],
    );
    check(
        "[server]\npublic_names = [\"1.2.3.999\"]",
        &["a host name or an IP address"],
    );
    check(
        "[server]\nallowed_origins = [\"http://a.example\"]",
        &["https://"],
    );
    check(
        "[server]\nallowed_origins = [\"https://a.example/path\"]",
        &["https://"],
    );
    check(
        "[limits]\ntrusted_proxies = [\"10.0.0.0/33\"]",
        &["a network such as"],
    );
    check(
        "[auth]\nvisitors = \"all\"",
        &["\"open\", \"access_code\" or \"jwt\", not \"all\""],
    );
}

#[test]
fn a_wrong_date_filter_or_shape_is_refused() {
    check("[agents]\nas_of = \"2026-02-30\"", &["a date such as"]);
    check("[agents]\nas_of = 2026-02-03", &["a date such as"]);
    check("[log]\nlevel = \"inof\"", &["error, warn, info"]);
    check(
        "[log]\nlevel = \"info,emflow=lots\"",
        &["error, warn, info"],
    );
    check(
        "[auth]\njwt_issuer = \"a\\nb\"",
        &["a text on one line, not \"a\\u000Ab\""],
    );
    check(
        "[log]\nlevel = \"a\\u001b[31m\\\\\"",
        &["not \"a\\u001B[31m\\\\\""],
    );
    check(
        "server = 3",
        &["c.toml:1: server: must be a section", "[server]"],
    );
    check("[server]\nlisten = \n", &["c.toml:2: syntax: must be TOML"]);
    check(
        "[server]\n[log]\n[server]\n",
        &["c.toml:3: syntax", "duplicate"],
    );
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_named() {
    check(
        "[server]\n\nlisen = \"x\"",
        &["c.toml:3: server.lisen: unknown key", "server.listen?"],
    );
    check(
        "[server]\nliissten = \"x\"",
        &["c.toml:2: server.liissten", "mean server.listen?"],
    );
    check(
        "[sever]\nlisten = \"x\"",
        &["c.toml:1: sever: unknown key", "mean server?"],
    );
    check(
        "listen = \"x\"",
        &["c.toml:1: listen: unknown key", "server.listen?"],
    );
    check(
        "[server]\nwindow = 3",
        &["server.window: unknown key", "delivery.window?"],
    );
    check(
        "[auth]\njwt_kye = \"x\"",
        &["auth.jwt_kye", "auth.jwt_key?"],
    );
    check("[admin]\npasword_file = \"x\"", &["admin.password_file?"]);
    check(
        "[server]\nlisten_file = \"x\"",
        &["server.listen_file: unknown key"],
    );
    check("[server]\nzzzzzzzz = 1", &["unknown key; remove it"]);
}

#[test]
fn a_message_is_one_line_whatever_is_written() {
    let text = "[log]\n\"a\\nb\\u001b\" = 1\n[\"x\\ny\"]\n";
    for error in load(&[("c.toml", text)], &[], &[]).unwrap_err() {
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
}

#[test]
fn rules_between_keys_name_the_line_to_change() {
    check(
        "[tls]\ncertificate = \"c.pem\"",
        &["c.toml:2: tls.certificate", "without tls.key"],
    );
    check(
        "[tls]\nkey = \"k.pem\"",
        &["c.toml:2: tls.key", "without tls.certificate"],
    );
    check(
        "[tls]\nplain_behind_proxy = true\n[server]\nlisten = \"0.0.0.0:8443\"\n\
         [limits]\ntrusted_proxies = [\"127.0.0.1\"]",
        &[
            "c.toml:2: tls.plain_behind_proxy",
            "needs a loopback address",
        ],
    );
    check(
        "[tls]\nplain_behind_proxy = true\n[limits]\ntrusted_proxies = [\"192.0.2.1\"]",
        &[
            "c.toml:2: tls.plain_behind_proxy",
            "needs the proxy in limits.trusted_proxies",
        ],
    );
    check(
        "[tls]\nplain_behind_proxy = true\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n\
         [limits]\ntrusted_proxies = [\"127.0.0.0/8\"]",
        &[
            "c.toml:2: tls.plain_behind_proxy",
            "must not stand beside tls.certificate",
        ],
    );
    check(
        "[auth]\nvisitors = \"access_code\"",
        &["c.toml:2: auth.visitors", "needs a code"],
    );
    check(
        "[auth]\nvisitors = \"jwt\"",
        &["c.toml:2: auth.visitors", "needs a key"],
    );
    check(
        "[auth]\njwt_key = \"short\"",
        &["c.toml:2: auth.jwt_key", "32 bytes"],
    );
    check(
        "[connections]\nidle_timeout = \"10s\"",
        &[
            "default: connections.heartbeat_interval",
            "shorter than connections.idle_timeout",
        ],
    );
    check(
        "[sessions]\nmax_concurrent = 50",
        &["agents.max_processing", "max_concurrent"],
    );
    check(
        "[sessions]\nmax_per_visitor = 2000",
        &["c.toml:2: sessions.max_per_visitor"],
    );
    check(
        "[delivery]\nwindow = 200\nmax_pending_per_user = 100",
        &["c.toml:2: delivery.window"],
    );
    check(
        "[limits]\nmax_connections = 20",
        &["limits.connections_per_address"],
    );
    check(
        "[limits]\nmax_connections = 4\nconnections_per_address = 4",
        &["default: connections.per_user"],
    );
    let both = "[auth]\njwks_file = \"k\"\njwt_key = \"0123456789abcdef0123456789abcdef\"";
    check(both, &["c.toml:3: auth.jwt_key", "jwks_file"]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let files = [
        (
            "c.toml",
            "[delivery]\nwindow = 0\nwindo = 1\n[log]\nformat = \"xml\"\n",
        ),
        ("conf.d/10.toml", "[store]\ncache = 1\n"),
        ("conf.d/20.toml", "[store\n"),
        ("conf.d/ignored.txt", "[store\n"),
    ];
    let env = [
        ("EMFLOW_AGENTS__TIMEOUT", "soon"),
        ("EMFLOW_LOG__LEVLE", "info"),
    ];
    let flags = [("--listen", "server.listen", "nowhere")];
    let errors = load(&files, &env, &flags).unwrap_err();
    let begins = [
        "c.toml:2: delivery.window:",
        "c.toml:3: delivery.windo:",
        "c.toml:5: log.format:",
        "conf.d/10.toml:2: store.cache:",
        "conf.d/20.toml:1: syntax:",
        "environment EMFLOW_AGENTS__TIMEOUT: agents.timeout:",
        "environment EMFLOW_LOG__LEVLE: EMFLOW_LOG__LEVLE: unknown key; did you mean EMFLOW_LOG__LEVEL?",
        "flag --listen: server.listen:",
    ];
    assert_eq!(errors.len(), begins.len(), "{errors:#?}");
    for (error, begin) in errors.iter().zip(begins) {
        assert!(
            error.starts_with(begin),
            "{error} does not begin with {begin}"
        );
    }
}

#[test]
fn a_missing_or_monstrous_file_is_an_error() {
    let none = Some(Path::new("/nonexistent/emflow.toml"));
    let errors = Config::load(&Overrides::default(), [], none).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .contains("/nonexistent/emflow.toml: file: must be readable")
    );
    check(
        &"#".repeat(2 << 20),
        &["c.toml: file: must be at most 1048576 bytes"],
    );
}
