//! Scores, worked out by hand from GitLab's rules.

use fake_gitlab::graphql::complexity::of_query;
use serde_json::json;

fn score(query: &str) -> u64 {
    of_query(query, &json!({})).unwrap()
}

#[test]
fn a_field_costs_itself_and_its_children() {
    assert_eq!(score("{ currentUser { id name } }"), 3);
    // project is answered by a resolver: children and one.
    assert_eq!(score(r#"{ project(fullPath: "a") { id repository { rootRef } } }"#), 1 + 1 + (1 + 2));
}

#[test]
fn a_connection_with_a_resolver_costs_more_by_its_page() {
    // (nodes 1 + id 1 + resolver 1) and 1% per element on top, cut to whole points.
    assert_eq!(score("{ projects(first: 1) { nodes { id } } }"), 3);
    assert_eq!(score("{ projects(first: 50) { nodes { id } } }"), 4);
    assert_eq!(score("{ projects { nodes { id } } }"), 6);
    assert_eq!(score("{ projects(first: 500) { nodes { id } } }"), 6);
    assert_eq!(score(r#"{ projects(sort: "id_asc") { nodes { id } } }"#), 8);
    assert_eq!(score(r#"{ projects(search: "a") { nodes { id } } }"#), 16);
}

#[test]
fn iids_are_not_multiplied_and_sorting_is_always_charged() {
    // mergeRequests: nodes 1 + iid 1 + resolver 1 + sort 1, project 1.
    assert_eq!(score(r#"{ project(fullPath: "a") { mergeRequests(iids: ["1"]) { nodes { iid } } } }"#), 5);
    assert_eq!(score(r#"{ project(fullPath: "a") { mergeRequests(first: 100) { nodes { iid } } } }"#), 9);
}

#[test]
fn fixed_prices_and_git_storage_are_charged() {
    let of = |fields: &str| {
        score(&format!(r#"{{ mergeRequest(id: "gid://gitlab/MergeRequest/1") {{ {fields} }} }}"#)) - 1
    };
    assert_eq!(of("id"), 1);
    assert_eq!(of("mergedAt"), 5);
    assert_eq!(of("closedAt"), 5);
    assert_eq!(of("diffHeadSha"), 2);
    assert_eq!(of("diffStatsSummary { additions deletions fileCount }"), 2 + 3);
    assert_eq!(of("labels { nodes { id } }"), 5 + 2);
    assert_eq!(of("participants { nodes { id } }"), 15 + 2);
    // Without a resolver the page does not count.
    assert_eq!(of("approvedBy(first: 100) { nodes { id } pageInfo { hasNextPage endCursor } }"), 1 + 2 + 3);
    // With one it does: (nodes 1 + id 1 + resolver 1) * 2.
    assert_eq!(of("notes(first: 100) { nodes { id } }"), 6);
}

#[test]
fn pipelines_cost_more_by_ref_and_commit() {
    let of = |arguments: &str| {
        score(&format!(r#"{{ project(fullPath: "a") {{ pipelines{arguments} {{ nodes {{ id }} }} }} }}"#)) - 1
    };
    // (nodes 1 + id 1 + resolver 1) * 1.5, and two points on top of the resolver's for each of ref and sha.
    assert_eq!(of("(first: 50)"), 4);
    assert_eq!(of(r#"(first: 50, ref: "main")"#), 7);
    assert_eq!(of(r#"(first: 50, ref: "main", sha: "a")"#), 10);
}

#[test]
fn variables_decide_the_page() {
    let query = "query Q($first: Int) { projects(first: $first) { nodes { id } } }";
    assert_eq!(of_query(query, &json!({"first": 1})).unwrap(), 3);
    assert_eq!(of_query(query, &json!({})).unwrap(), 6);
}

/// The query most tools ask a schema with; GitLab notes its score as 179 to 181 points.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description locations args { ...InputValue } } } }
  fragment FullType on __Type { kind name description
    fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef }
        isDeprecated deprecationReason }
    inputFields { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

#[test]
fn the_usual_introspection_scores_what_gitlab_says() {
    assert!((175..=185).contains(&score(INTROSPECTION)), "{}", score(INTROSPECTION));
}

/// A page of 100 merge requests with everything nested, with users as bare ids or with their names.
pub fn bulk(user: &str) -> String {
    format!(
        r#"{{ projects(ids: ["gid://gitlab/Project/1"], first: 1) {{ nodes {{ id mergeRequests(first: 100,
        sort: UPDATED_ASC, updatedAfter: "2025-01-01T00:00:00Z") {{ pageInfo {{ hasNextPage endCursor }} nodes {{
            id iid title state draft createdAt updatedAt mergedAt closedAt sourceBranch targetBranch sourceProjectId
            diffHeadSha mergeCommitSha userNotesCount author {{ {user} }} mergeUser {{ {user} }} milestone {{ id }}
            diffStatsSummary {{ additions deletions fileCount }}
            labels(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ id }} }}
            assignees(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ {user} }} }}
            reviewers(first: 20) {{ pageInfo {{ hasNextPage }}
                nodes {{ {user} mergeRequestInteraction {{ reviewState }} }} }}
            approvedBy(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ {user} }} }}
            notes(first: 20) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id system internal resolvable resolved
                createdAt updatedAt author {{ {user} }} systemNoteMetadata {{ action }} discussion {{ id }} }} }}
        }} }} }} }} }}"#
    )
}

#[test]
fn a_page_of_100_with_bare_ids_fits_and_with_names_does_not() {
    let (bare, named) = (score(&bulk("id")), score(&bulk("id username name state bot type")));
    println!("bulk query: {bare} with bare ids, {named} with names");
    assert!((190..=250).contains(&bare), "{bare}");
    assert!(named > 250, "{named}");
}
