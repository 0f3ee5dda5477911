//! The whole appliance over the store of another format: trial, way back, and what is told of it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use crate::app::{App, Start, StartError};
use crate::config::{Config, Overrides};
use crate::meter::EventKind;
use crate::store::StoreError;
use crate::store::upgrade::tests::{old_store, wait};
use crate::store::upgrade::{Done, TRIALS, story};

/// Its store in `dir`, listening there.
fn config(dir: &Path, listen: SocketAddr) -> Config {
    let settings = [
        ("EMFLOW_SERVER__DATA_DIR", dir.display().to_string()),
        ("EMFLOW_SERVER__LISTEN", listen.to_string()),
        ("EMFLOW_STORE__SEGMENT_SIZE", "512KiB".to_owned()),
        ("EMFLOW_STORE__BALLAST", "1MiB".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Config::load(&Overrides::default(), settings, None)
        .unwrap()
        .config
}

/// A start, once an earlier one has let go of the directory; another process would be gone.
async fn start(config: &Config) -> Result<App, StartError> {
    wait(&config.server.data_dir);
    App::start(config.clone(), Start::default()).await
}

#[test]
fn a_store_of_another_format_is_tried_put_back_and_taken_over_and_all_of_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    old_store(dir.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(upgraded(dir.path()));
}

async fn upgraded(dir: &Path) {
    // What keeps it from becoming ready: somebody else is on its port.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = config(dir, other.local_addr().unwrap());
    for number in 1..=TRIALS {
        let failed = start(&config).await.err().unwrap();
        assert!(matches!(failed, StartError::Bind(_)), "{number}: {failed}");
    }
    let refused = start(&config).await.err().unwrap();
    assert!(
        matches!(refused, StartError::Store(StoreError::RolledBack { .. })),
        "{refused}"
    );
    drop(other);
    // Nothing is in the way any more, and somebody starts it again.
    let app = start(&config).await.ok().unwrap();
    let steps: Vec<Done> = story(dir).unwrap().iter().map(|c| c.step).collect();
    let trial = [Done::Converted, Done::Tried, Done::Tried, Done::RolledBack];
    let taken = [Done::Converted, Done::Settled];
    assert_eq!(steps, [&trial[..], &taken].concat());
    let events = app
        .services
        .meters
        .feed
        .look_back(|event| event.what.message.starts_with("0.0.9 to "), 100);
    let mut kinds: Vec<_> = events.iter().map(|event| event.what.kind).collect();
    assert_eq!(kinds.len(), steps.len(), "{events:#?}");
    kinds.retain(|kind| *kind == EventKind::StoreUpgradeFailed);
    assert_eq!(kinds.len(), 1, "the one that was put back");
    assert!(app.drain().await.is_ok());
}
