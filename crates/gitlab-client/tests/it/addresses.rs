//! Base URLs.

use gitlab_client::{BadUrl, BaseUrl, Hint};

fn check(given: &str, expected: &str) {
    let found = BaseUrl::parse(given).unwrap_or_else(|error| panic!("{given}: {error}"));
    assert_eq!(found.as_str(), expected, "{given}");
}

#[test]
fn an_address_is_normalised() {
    check(" https://GitLab.Example.com/ ", "https://gitlab.example.com");
    check("https://gitlab.example.com:443", "https://gitlab.example.com");
    check("http://x:80//", "http://x");
    check("https://x:8443/gitlab/", "https://x:8443/gitlab");
    check("gitlab.example.com", "https://gitlab.example.com");
    check("localhost:8080/gitlab", "https://localhost:8080/gitlab");
    check("https://x/gitlab/api/v4/", "https://x/gitlab");
    check("https://x/api/graphql", "https://x");
    check("http://[::1]:3000", "http://[::1]:3000");
    check("http://10.0.0.7", "http://10.0.0.7");
    check("http://127.0.0.1:1", "http://127.0.0.1:1");
}

#[test]
fn what_should_be_said_about_an_address_is_said() {
    let (url, hints) = BaseUrl::parse_with_hints("http://x/api/v4").unwrap();
    assert!(url.is_plain_http());
    assert_eq!(hints, [Hint::ApiPathRemoved, Hint::PlainHttp]);
    assert_eq!(BaseUrl::parse_with_hints("x").unwrap().1, [Hint::AssumedHttps]);
}

#[test]
fn metadata_and_link_local_addresses_are_refused() {
    for address in [
        "http://169.254.169.254",
        "http://0xa9fea9fe/",
        "http://2852039166",
        "http://[fe80::1]",
        "http://[fd00:ec2::254]",
        "http://[::ffff:169.254.169.254]",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://metadata.google.internal",
        "http://METADATA.google.internal.",
    ] {
        assert!(matches!(BaseUrl::parse(address), Err(BadUrl::Metadata(_))), "{address}");
    }
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_repeating_a_password() {
    assert_eq!(BaseUrl::parse(" "), Err(BadUrl::Empty));
    assert_eq!(BaseUrl::parse("ftp://x"), Err(BadUrl::Scheme("ftp".into())));
    assert_eq!(BaseUrl::parse("https://x/?a=1"), Err(BadUrl::Extra));
    for address in ["https://me:hunter2@x", "https://hunter2@x", "https://me:hunter2@:x"] {
        let error = BaseUrl::parse(address).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
