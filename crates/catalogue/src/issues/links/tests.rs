use super::*;

fn found(text: &str) -> Vec<String> {
    let place = Place::of("https://git.example.com/lab/shop/api/-/issues/7", "shop/api#7");
    assert_eq!(place.base, "https://git.example.com/lab/");
    of([text], &place).iter().map(|it| format!("{} {}", it.kind(), it.target())).collect()
}

#[track_caller]
fn check(text: &str, wanted: &[&str]) {
    assert_eq!(found(text), wanted, "{text}");
}

#[test]
fn references_name_merge_requests_and_issues() {
    check("Came with !12, see also #7.", &["merge_request !12", "issue #7"]);
    check("(!12) *#7* GL-9 #8+", &["merge_request !12", "issue #7", "issue #8", "issue #9"]);
    check("shop/sub/web!3 and shop/web#4+s", &["merge_request shop/sub/web!3", "issue shop/web#4"]);
}

#[test]
fn a_path_is_kept_as_it_is_written() {
    check("!1 and shop/api!1", &["merge_request !1", "merge_request shop/api!1"]);
    check(
        "https://git.example.com/lab/shop/api/-/merge_requests/1/diffs?x=1#note_2",
        &["merge_request shop/api!1"],
    );
}

#[test]
fn addresses_on_this_gitlab_are_references() {
    check("https://GIT.example.com/lab/a/b/c/-/issues/5.", &["issue a/b/c#5"]);
    check("https://git.example.com/lab/a/b/-/work_items/5#note_1", &["issue a/b#5"]);
    check("https://git.example.com/lab/a/b/merge_requests/6", &["merge_request a/b!6"]);
    check("https://git.example.com/lab/a/b/-/pipelines/6", &[]);
    check("https://git.example.com/lab/a/b/-/issues/", &[]);
}

#[test]
fn other_addresses_are_kept_without_query_and_credentials() {
    check("at https://Status.example.com/i/4?a=1&b=2.", &["url https://status.example.com/i/4"]);
    check("https://me:secret@example.com:8443/x#y", &["url https://example.com:8443/x"]);
    check(
        "[this](https://example.com/a_(b)) <http://example.org>",
        &["url http://example.org", "url https://example.com/a_(b)"],
    );
    check("https://git.example.com/other", &["url https://git.example.com/other"]);
    check("https:// http://% https://?x", &[]);
}

#[test]
fn a_long_address_is_cut_to_its_host() {
    check(&format!("https://example.com/{}", "x".repeat(600)), &["url https://example.com"]);
}

#[test]
fn keys_of_other_trackers_are_found_in_text_and_addresses() {
    check("SHOP-12, feature/WEB2-3", &["issue_key SHOP-12", "issue_key WEB2-3"]);
    check(
        "https://acme.atlassian.net/browse/SHOP-12?x",
        &["issue_key SHOP-12", "url https://acme.atlassian.net/browse/SHOP-12"],
    );
    check("UTF-8 SHA-256 CVE-2024-1 RFC-2119 X-1 SHOP-012 shop-1 SHOP-1a SHOP-1-x GL-0", &[]);
}

#[test]
fn what_only_looks_like_a_reference_is_none() {
    check("abc!12 project#7 &#39; \\#7 ##7 !!1 #7a !1_2 !0 # 7 ![x](y) a@b#1 é#7", &[]);
    check("!99999999999999999999 /x/y#1 a//b#1 -a/b#1", &[]);
    check("http !3 https #4 xhttps", &["merge_request !3", "issue #4"]);
}

#[test]
fn code_names_nothing() {
    check("a `!1` b ``#2 ` `` !3 ` !4", &["merge_request !3", "merge_request !4"]);
    check("!1\n```\n!2\n~~~\n#3\n```\n!4\n~~~ruby\n!5", &["merge_request !1", "merge_request !4"]);
}

#[test]
fn a_place_that_is_not_known_has_no_pages() {
    assert_eq!(
        Place::of("https://git.example.com/shop/api/issues/7", "shop/api#7").base,
        "https://git.example.com/"
    );
    let link = of(["https://git.example.com/a/b/-/issues/1"], &Place::default());
    assert_eq!(link.first().map(Link::kind), Some("url"));
}
