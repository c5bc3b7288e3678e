//! Sealed tokens: keys that fit, keys that do not, and changing them.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::testing::TestDatabase;
use store::vault::{Key, Keyring, VaultError};
use store::{NewConnection, NewCredential, Store, StoreError, Unlocked};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn ring(text: &SecretString, older: &[&SecretString]) -> Keyring {
    let parse = |text: &SecretString| Key::parse(text).expect("a key");
    Keyring::new(parse(text), older.iter().map(|it| parse(it)).collect())
}

/// A connection with two credentials; their numbers.
async fn filled(store: &Store, ring: &Keyring) -> [i64; 2] {
    let instance = store.instance("https://gitlab.example.com").await.expect("an instance").number;
    let settings = json!({});
    let new = NewConnection { connector: "gitlab", name: "test", instance, settings: &settings };
    let connection = store.create_connection(&new, now()).await.expect("a connection").id;
    let mut ids = [0; 2];
    for (id, token) in ids.iter_mut().zip(["glpat-one", "glpat-two"]) {
        let token = SecretString::from(token);
        let new = NewCredential {
            label: "test",
            settings: &settings,
            token: &token,
            scopes: None,
            gitlab_user_id: None,
            expiration_date: None,
        };
        *id = store.add_credential(ring, connection, &new, now()).await.expect("a credential").id;
    }
    ids
}

async fn opens(store: &Store, ring: &Keyring, ids: [i64; 2]) -> bool {
    let mut tokens = Vec::new();
    for id in ids {
        match store.token(ring, id).await {
            Ok(token) => tokens.extend(token.map(|it| it.expose_secret().to_owned())),
            Err(_) => return false,
        }
    }
    tokens == ["glpat-one", "glpat-two"]
}

#[tokio::test]
async fn a_wrong_key_says_so_and_touches_nothing() {
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let (right, wrong) = (Key::generate().1, Key::generate().1);
    let (right, wrong) = (ring(&right, &[]), ring(&wrong, &[]));
    assert_eq!(store.unlock(&right, now()).await.unwrap(), Unlocked::First);
    let ids = filled(&store, &right).await;
    let before = store.dump().await.unwrap();
    for refused in [store.unlock(&wrong, now()).await.err(), store.rotate_key(&wrong, now()).await.err()] {
        let told = refused.expect("it is refused");
        assert!(
            matches!(&told, StoreError::Vault(VaultError::OtherKey(id)) if *id == right.current().id()),
            "{told}"
        );
    }
    assert_eq!(store.dump().await.unwrap(), before);
    assert_eq!(store.unlock(&right, now()).await.unwrap(), Unlocked::Fits);
    assert!(opens(&store, &right, ids).await);
}

#[tokio::test]
async fn a_key_is_changed_for_all_tokens_or_none() {
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let (old, new) = (Key::generate().1, Key::generate().1);
    let before = ring(&old, &[]);
    store.unlock(&before, now()).await.unwrap();
    let ids = filled(&store, &before).await;
    let both = ring(&new, &[&old]);
    assert_eq!(store.unlock(&both, now()).await.unwrap(), Unlocked::Older(2));
    assert!(opens(&store, &both, ids).await, "the old key still opens");
    assert_eq!(store.rotate_key(&both, now()).await.unwrap(), 2);
    let after = ring(&new, &[]);
    assert_eq!(store.unlock(&after, now()).await.unwrap(), Unlocked::Fits);
    assert!(opens(&store, &after, ids).await && !opens(&store, &before, ids).await);
    let same = store.has_token(&after, 1, &"glpat-one".into()).await.unwrap();
    assert_eq!(same, Some(ids[0]), "tokens are still recognised");

    // One that does not open leaves all as they were.
    database
        .execute(
            "update weir.credentials set token = set_byte(token, 40, get_byte(token, 40) # 1) where id = 2",
        )
        .await;
    let newest = Key::generate().1;
    assert!(store.rotate_key(&ring(&newest, &[&new]), now()).await.is_err());
    assert_eq!(store.unlock(&after, now()).await.unwrap(), Unlocked::Fits);
    assert!(store.token(&after, ids[0]).await.is_ok());
}

#[tokio::test]
async fn a_token_that_is_moved_to_another_row_does_not_open_there() {
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let key = Key::generate().1;
    let ring = ring(&key, &[]);
    store.unlock(&ring, now()).await.unwrap();
    let ids = filled(&store, &ring).await;
    database.execute("update weir.credentials set token = (select token from weir.credentials where id = 1) where id = 2").await;
    let told = store.token(&ring, ids[1]).await.unwrap_err();
    assert!(matches!(told, StoreError::Vault(VaultError::Damaged)), "{told}");
}
