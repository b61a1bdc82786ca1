//! Tables of scope entries and calls.

use serde_json::{Value, json};

use super::*;

fn entry(value: Value) -> ScopeEntry {
    ScopeEntry::read(value).unwrap_or_else(|error| panic!("{error}"))
}

fn check(allow: Value, deny: Value, name: &str, args: &[&str]) -> Result<Vec<String>, ScopeError> {
    let read = |list: Value| -> Vec<ScopeEntry> {
        list.as_array().expect("a list").iter().cloned().map(entry).collect()
    };
    let (allow, deny) = (read(allow), read(deny));
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let scope = Scope { allow: allow.iter().collect(), deny: deny.iter().collect() };
    scope.check(name, &args, |other| other == name, |other| other == name)
}

#[test]
fn parity_38_entries_of_the_shell_plugin_can_be_copied() {
    let entries = [
        json!({ "name": "a", "sidecar": true }),
        json!({ "name": "a", "sidecar": true, "args": true }),
        json!({ "name": "a", "sidecar": true, "args": false }),
        json!({ "name": "a", "sidecar": true, "args": ["-l", { "validator": "\\S+" }, { "validator": "x", "raw": true }] }),
        // The entry is accepted, so that a copied file does not stop the app; it allows nothing.
        json!({ "name": "ls", "cmd": "ls", "args": true }),
    ];
    for value in entries {
        entry(value);
    }
    let allow = json!([{ "name": "ls", "cmd": "ls", "args": true }]);
    assert_eq!(check(allow, json!([]), "ls", &[]), Err(ScopeError::NotFound("ls".into())));
}

#[test]
fn parity_38_a_validator_has_to_match_the_whole_argument() {
    let with = |validator: &str, raw: bool| json!([{ "name": "a", "sidecar": true, "args": [{ "validator": validator, "raw": raw }] }]);
    let rows = [
        (r"\d+", false, "12", true),
        (r"\d+", false, "12; rm", false),
        (r"\d+", false, "12\n", false),
        (r"\d+", false, "x\n12", false),
        ("(?m)a", false, "a\nb", false),
        ("a|b", false, "b", true),
        ("a|b", false, "abc", false),
        ("a|b", false, "xb", false),
        (r"\d+", true, "x12y", true),
    ];
    for (validator, raw, arg, allowed) in rows {
        let found = check(with(validator, raw), json!([]), "a", &[arg]);
        assert_eq!(found.is_ok(), allowed, "{validator} on {arg:?}: {found:?}");
    }
}

#[test]
fn an_expression_is_compiled_alone_and_means_the_same_whole() {
    let entry = |validator: &str| json!({ "name": "w", "sidecar": true, "args": [{ "validator": validator }] });
    // None of these is a valid expression alone. Between anchors in a group they were, and lost an anchor.
    let unbalanced = [
        r"\d+)|(\w+",
        "a)(?:b",
        "a)|(?:b",
        r"a)\z|\A(?:b",
        "a))|((b",
        "a)|(?x)(b",
        "a)|b(?:",
        ")(",
        "a)",
        "(a",
        "[a",
        r"a\",
        "(?P<n>a)|(?P<n>b)",
        r"(?-u)\xff",
    ];
    for validator in unbalanced {
        for raw in [false, true] {
            let mut value = entry(validator);
            value["args"][0]["raw"] = json!(raw);
            let text = ScopeEntry::read(value).expect_err(validator).to_string();
            let expected = "the scope entry `w` of the wasi-sidecar permissions is not usable: `args[0].validator` is no regular";
            assert!(text.starts_with(expected), "{text}");
        }
    }
    let rows: [(&str, &[&str], &[&str]); 19] = [
        // The first alternative matches a part; another one matches the whole.
        ("a|ab", &["a", "ab"], &["abc", "b", "", "xab"]),
        ("ab|a", &["a", "ab"], &["aba"]),
        ("|a", &["", "a"], &["aa", "b"]),
        ("(a|ab)(c|bcd)", &["ac", "abc", "abcd", "abbcd"], &["abcdx", "a"]),
        ("a*?", &["", "a", "aaaa"], &["ab", "ba"]),
        ("a+?b??", &["a", "aab"], &["b", "abb"]),
        (r"\w+?(?:-\w+?)*?", &["a-b", "abc-d-e"], &["a-", "-a", "a b"]),
        // Flags, and where they end.
        ("(?x) \\d+ # digits", &["12"], &["12 # digits", "x12", "12x", " 12"]),
        ("(?x) a | b # or )", &["a", "b"], &["ab", "xb", "ax"]),
        ("(?i)abc", &["abc", "ABC"], &["ABCD", "xabc"]),
        ("(?m)^a$", &["a"], &["a\n", "\na", "x\na\ny", "a\nb"]),
        ("(?m)^a$|^b$", &["a", "b"], &["a\nb", "b\n", "x\nb"]),
        ("(?mR)^a$", &["a"], &["a\r\n", "a\r", "x\r\na"]),
        ("(?s).", &["x", "\n"], &["", "xx", "x\n"]),
        (".", &["x"], &["\n", "x\n"]),
        ("(?U)a+", &["a", "aaa"], &["aab"]),
        ("(?i:a)b|(?s:.)", &["Ab", "ab", "\n"], &["aB", "Abx"]),
        // Anchors and boundaries of its own.
        (r"\Aa\z|^b$|\bc\b", &["a", "b", "c"], &["a\n", "xb", "c d"]),
        ("\u{00e4}|\\x{e4}\u{1f600}", &["ä", "ä😀"], &["ä😀ä", "Ã"]),
    ];
    for (validator, matching, other) in rows {
        let allow = json!([entry(validator)]);
        for (values, expected) in [(matching, true), (other, false)] {
            for value in values {
                let found = check(allow.clone(), json!([]), "w", &[value]);
                assert_eq!(found.is_ok(), expected, "{validator:?} on {value:?}: {found:?}");
            }
        }
    }
}

#[test]
fn an_expression_is_bounded_in_size_and_depth() {
    let deep = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
    for validator in ["(?:(?:a{1000}){1000}){1000}", r"\w{5000}", &deep] {
        for raw in [false, true] {
            let value = json!({ "name": "w", "sidecar": true, "args": [{ "validator": validator, "raw": raw }] });
            let text = ScopeEntry::read(value).expect_err(validator).to_string();
            assert!(text.contains("`args[0].validator` is no regular expression: "), "{text}");
        }
    }
    // Elsewhere this backtracks; here the time is linear in the argument.
    let allow =
        json!([{ "name": "w", "sidecar": true, "args": [{ "validator": "(?:a*)*(?:a|aa)+b" }] }]);
    check(allow, json!([]), "w", &[&"a".repeat(1 << 20)]).expect_err("it ends in no b");
}

#[test]
fn parity_39_a_mismatch_is_refused_and_shows_position_expected_and_given() {
    let allow =
        json!([{ "name": "a", "sidecar": true, "args": ["--in", { "validator": "[a-z]+" }] }]);
    let refused = |args: &[&str]| {
        check(allow.clone(), json!([]), "a", args).expect_err("it does not match").to_string()
    };
    assert_eq!(check(allow.clone(), json!([]), "a", &["--in", "x"]), Ok(vec![]));
    let rows: [(&[&str], &str); 5] = [
        (
            &["--out", "x"],
            "position 0 was found, but failed regex validation `--in` (fixed): given `--out`",
        ),
        (&["--in", "X"], "position 1 was found, but failed regex validation ^[a-z]+$: given `X`"),
        (&["--in"], "position 1 must match regex validation ^[a-z]+$ but it was not found"),
        (&[], "position 0 must match regex validation `--in` (fixed) but it was not found"),
        (&["--in", "x", "y\n"], "takes 2 arguments and was given 3: the first too many is `y\\n`"),
    ];
    for (args, expected) in rows {
        let text = refused(args);
        assert!(text.contains(expected), "{text}");
    }
    for args in [json!(false), Value::Null] {
        let mut none = json!({ "name": "a", "sidecar": true });
        if !args.is_null() {
            none["args"] = args;
        }
        assert_eq!(check(json!([none]), json!([]), "a", &[]), Ok(vec![]));
        let text = check(json!([none]), json!([]), "a", &["x"]).expect_err("none").to_string();
        assert!(text.contains("takes 0 arguments and was given 1"), "{text}");
    }
}

#[test]
fn parity_40_any_matching_entry_allows_and_deny_wins() {
    let allow = json!([
        { "name": "a", "sidecar": true, "args": ["--one"] },
        { "name": "a", "sidecar": true, "args": ["--two"], "env": ["LANG"] },
    ]);
    assert_eq!(check(allow.clone(), json!([]), "a", &["--two"]), Ok(vec!["LANG".into()]));
    let one = json!([{ "name": "a", "sidecar": true, "args": ["--one"] }]);
    assert_eq!(
        check(allow.clone(), one.clone(), "a", &["--one"]),
        Err(ScopeError::Denied("a".into()))
    );
    assert!(check(allow.clone(), one, "a", &["--two"]).is_ok());
    let all = json!([{ "name": "a", "sidecar": true }]);
    assert_eq!(check(allow, all, "a", &["--two"]), Err(ScopeError::Denied("a".into())));
}

#[test]
fn parity_41_an_unusable_entry_is_an_error_that_names_it() {
    let rows = [
        (
            json!({ "name": "w", "sidecar": true, "args": ["x", { "validator": "[" }] }),
            "the scope entry `w` of the wasi-sidecar permissions is not usable: `args[1].validator` is no regular expression",
        ),
        (json!({ "name": "w", "sidecar": true, "arg": [] }), "`arg` is no key of an entry"),
        (json!({ "name": "w" }), "`sidecar` is missing"),
        (json!({ "name": "w", "sidecar": "yes" }), "`sidecar` is true or false"),
        (json!({ "name": "w", "sidecar": true, "args": [1] }), "`args[0]` is a text, or an object"),
        (
            json!({ "name": "w", "sidecar": true, "args": [{ "regex": "" }] }),
            "`args[0].regex` is not known",
        ),
        (json!({ "name": "w", "sidecar": true, "env": "A" }), "`env` is a list of names"),
        (json!({ "sidecar": true }), "`name` is missing"),
        (json!("w"), "an entry is an object"),
    ];
    for (value, expected) in rows {
        let text = ScopeEntry::read(value.clone()).expect_err(&value.to_string()).to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn parity_25_arguments_are_null_a_text_or_a_list() {
    let rows = [
        (json!(null), Some(vec![])),
        (json!("a b"), Some(vec!["a b"])),
        (json!(["a", ""]), Some(vec!["a", ""])),
        (json!([1]), None),
        (json!({ "a": 1 }), None),
        (json!(3), None),
    ];
    for (value, expected) in rows {
        let found = serde_json::from_value::<CallArgs>(value.clone());
        match expected {
            Some(args) => assert_eq!(found.expect("readable").0, args, "{value}"),
            None => assert!(found.is_err(), "{value}"),
        }
    }
    let error = serde_json::from_value::<CallArgs>(json!(3)).expect_err("a number").to_string();
    assert!(error.contains("expected null, a string or a list of strings"), "{error}");
}
