use super::*;
use proptest::prelude::*;

fn file(text: &str) -> (&str, &str) {
    ("laini.toml", text)
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let file = file("[server]\nlisten = \"127.0.0.1:1\"\nbody_bytes_max = 2048\n[log]\nlevel = \"debug\"\n");
    let environment = |name: &str| match name {
        "LAINI_SERVER_BODY_BYTES_MAX" => Some("4096".to_owned()),
        "LAINI_SERVER_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "LAINI_REGISTRY_REQUIRED_FEEDS" => Some("hlr-1, hlr-2".to_owned()),
        _ => None,
    };
    let flags = [("server.listen", Value::String("127.0.0.1:3".into()))];
    let resolved = resolve(Some(file), &environment, &flags).unwrap();
    assert_eq!(resolved.config.server.listen, "127.0.0.1:3");
    assert_eq!(resolved.config.server.body_bytes_max, 4096);
    assert_eq!(resolved.config.registry.required_feeds, ["hlr-1", "hlr-2"]);
    let origin = |name: &str| resolved.origins[name].1.word();
    assert_eq!(
        ["server.listen", "server.body_bytes_max", "log.level", "log.format"].map(origin),
        ["flag", "environment", "file", "default"]
    );
}

#[test]
fn what_does_not_fit_says_where() {
    let cases = [
        ("[server]\nlissen = \"x\"\n", "server.lissen is no setting"),
        ("[server]\nbody_bytes_max = \"x\"\n", "server.body_bytes_max: expected integer, found string"),
        ("[server]\nbody_bytes_max = 1\n", "server.body_bytes_max is not within"),
        ("[operator]\ntime_zone = \"Mars/Olympus\"\n", "no IANA time zone"),
        ("[log]\nlevel = \"loud\"\n", "unknown variant"),
        ("listen = \"x\"\n", "outside of a [section]"),
        ("[server\n", "is not TOML"),
    ];
    for (text, expected) in cases {
        let error = format!("{:#}", resolve(Some(file(text)), &nothing, &[]).unwrap_err());
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let wrong = |name: &str| (name == "LAINI_SERVER_BODY_BYTES_MAX").then(|| "many".to_owned());
    let error = format!("{:#}", resolve(None, &wrong, &[]).unwrap_err());
    assert!(error.contains("LAINI_SERVER_BODY_BYTES_MAX"), "{error}");
}

#[test]
fn the_example_names_every_setting_and_is_the_default() {
    let text = example().unwrap();
    let every = keys(&Table::try_from(Config::default()).unwrap());
    assert_eq!(
        every.len(),
        MEANINGS.len()
            + upstream::MEANINGS.len()
            + mail::MEANINGS.len()
            + single_sign_on::MEANINGS.len()
            + assistant::MEANINGS.len()
    );
    let is_setting = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|line| is_setting(line)).unwrap_or(line));
    let uncommented = lines.collect::<Vec<_>>().join("\n");
    let resolved = resolve(Some(file(&uncommented)), &nothing, &[]).unwrap();
    assert_eq!(Table::try_from(resolved.config).unwrap(), Table::try_from(Config::default()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]
    #[test]
    fn any_text_is_settings_or_an_error(text in "\\PC{0,60}|\\[(server|log)\\]\n[a-z_]{1,12} = [\"a-z0-9]{1,9}\n") {
        let _ = resolve(Some(file(&text)), &nothing, &[]);
    }
}
