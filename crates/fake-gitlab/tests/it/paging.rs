//! Pages, links, totals, and the bounds of them.

use fake_gitlab::{FakeGitlab, Settings};

use crate::client::{all, first_project, get, get_with, start, tiny};

#[tokio::test]
async fn twenty_rows_are_on_a_page_unless_asked_otherwise() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests", first_project(&fake));
    let answer = get(&fake, &path).await;
    assert_eq!(answer.list().len(), 20);
    assert_eq!(answer.header("x-per-page"), Some("20"));
    let most = get(&fake, &format!("{path}?per_page=500")).await;
    assert_eq!(most.list().len(), 100);
    assert_eq!(most.header("x-per-page"), Some("100"));
}

#[tokio::test]
async fn links_repeat_every_declared_parameter_in_order() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let answer =
        get(&fake, &format!("/projects/{id}/merge_requests?state=opened&order_by=updated_at&sort=desc"))
            .await;
    let expected = format!(
        "/api/v4/projects/{id}/merge_requests?id={id}&order_by=updated_at&page=2&per_page=20&sort=desc&\
         state=opened&with_labels_details=false&with_merge_status_recheck=false"
    );
    assert_eq!(answer.link("next"), Some(expected));
    assert!(answer.header("link").unwrap().starts_with(&format!("<{}/api/v4/", fake.url())));
}

#[tokio::test]
async fn links_of_notes_name_the_merge_request_as_noteable() {
    let fake = tiny().await;
    let answer =
        get(&fake, &format!("/projects/{}/merge_requests/1/notes?sort=asc", first_project(&fake))).await;
    let next = answer.link("next").unwrap();
    assert!(next.contains("?activity_filter=all_notes&id="), "{next}");
    assert!(next.contains("&noteable_id=1&order_by=created_at&page=2&per_page=20&sort=asc"), "{next}");
}

#[tokio::test]
async fn the_last_page_has_an_empty_next_page_and_no_next_link() {
    let fake = tiny().await;
    let answer = get(&fake, "/projects?membership=true&per_page=3&page=2").await;
    assert_eq!(answer.header("x-next-page"), Some(""));
    assert_eq!(answer.header("x-prev-page"), Some("1"));
    assert_eq!(answer.header("x-total"), Some("5"));
    assert_eq!(answer.header("x-total-pages"), Some("2"));
    assert_eq!(answer.link("next"), None);
    let rels: Vec<_> =
        ["prev", "next", "first", "last"].into_iter().filter(|rel| answer.link(rel).is_some()).collect();
    assert_eq!(rels, ["prev", "first", "last"]);
}

#[tokio::test]
async fn an_empty_list_has_one_page() {
    let fake = tiny().await;
    let answer = get(&fake, "/projects?search=nothing-like-it").await;
    assert_eq!(answer.body, "[]");
    assert_eq!(answer.header("x-total"), Some("0"));
    assert_eq!(answer.header("x-total-pages"), Some("1"));
    assert!(answer.link("first").is_some() && answer.link("last").is_some() && answer.link("next").is_none());
}

#[tokio::test]
async fn totals_vanish_above_the_bound() {
    let settings = Settings { totals_up_to: 100, ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    let answer = get(&fake, &format!("/projects/{}/merge_requests?per_page=100", first_project(&fake))).await;
    assert_eq!((answer.header("x-total"), answer.header("x-total-pages")), (None, None));
    assert_eq!(answer.link("last"), None);
    assert!(answer.link("next").is_some());
}

#[tokio::test]
async fn an_offset_beyond_the_bound_is_refused_for_projects_but_not_for_merge_requests() {
    let settings = Settings { max_offset: 10, ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    let answer = get(&fake, "/projects?per_page=4&page=3").await;
    assert_eq!(answer.status, 405);
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("maximum allowed offset of 10 for requests that return objects of type Project"),
        "{error}"
    );
    let answer = get(&fake, &format!("/projects/{}/merge_requests?page=3", first_project(&fake))).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn keyset_pages_of_projects_have_only_a_next_link_and_end_empty() {
    let fake = tiny().await;
    let first = get(&fake, "/projects?pagination=keyset&order_by=id&sort=asc&per_page=5").await;
    assert_eq!(first.header("x-page"), None);
    let next = first.link("next").unwrap();
    assert!(next.contains(&format!("id_after={}", first.list()[4]["id"])), "{next}");
    let rows = all(&fake, "/projects?pagination=keyset&order_by=id&sort=desc&per_page=2").await;
    assert_eq!(rows.len(), 7);
    let last = get(&fake, "/projects?pagination=keyset&order_by=id&sort=asc&id_after=99999999").await;
    assert_eq!((last.body.as_str(), last.header("link")), ("[]", None));
}

#[tokio::test]
async fn keyset_over_another_order_is_refused() {
    let fake = tiny().await;
    for path in ["/projects?pagination=keyset&order_by=name", "/groups?pagination=keyset"] {
        let answer = get(&fake, path).await;
        assert_eq!(answer.status, 405);
        let error = "Keyset pagination is not yet available for this type of request";
        assert_eq!(answer.json()["error"], error);
    }
}

#[tokio::test]
async fn following_next_brings_every_row_once() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let rows =
        all(&fake, &format!("/projects/{id}/merge_requests?order_by=created_at&sort=asc&per_page=7")).await;
    let mut ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    let total = fake.world().merge_requests.values().filter(|mr| mr.project_id == id).count();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), total);
}

#[tokio::test]
async fn an_unchanged_answer_is_not_sent_again() {
    let fake = tiny().await;
    let first = get(&fake, "/groups").await;
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.starts_with("W/\""));
    let condition = format!("If-None-Match: {etag}");
    let again = get_with(&fake, "/groups", &["PRIVATE-TOKEN: glpat-fake-token", &condition]).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    fake.world_mut().create_group(None, "New", "new", "public");
    let changed = get_with(&fake, "/groups", &["PRIVATE-TOKEN: glpat-fake-token", &condition]).await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn the_date_is_the_worlds() {
    let fake = tiny().await;
    assert_eq!(get(&fake, "/version").await.header("date"), Some("Mon, 01 Jun 2026 12:00:00 GMT"));
    fake.state().advance_clock(chrono::TimeDelta::seconds(75));
    let later = get(&fake, "/version").await;
    assert_eq!(later.header("date"), Some("Mon, 01 Jun 2026 12:01:15 GMT"));
    assert_eq!(later.header("x-request-id").map(str::len), Some(32));
}

#[tokio::test]
async fn a_parameter_that_is_not_understood_is_refused() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests", first_project(&fake));
    for (query, error) in [
        ("state=gone", "state does not have a valid value"),
        ("per_page=0", "per_page does not have a valid value"),
        ("updated_after=yesterday", "updated_after is invalid"),
    ] {
        let answer = get(&fake, &format!("{path}?{query}")).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(error)));
    }
}
