//! What the observer looks at.

use super::StartError;
use crate::business;
use crate::clock;
use crate::observe::{Observer, Rooms};

/// Begins the business counts where there are none, and looks at the disk before anybody comes.
pub(super) async fn open(rooms: Rooms) -> Result<Observer, StartError> {
    if let Some(op) = business::begin(&rooms.store, clock::wall())? {
        rooms.committer.commit(vec![op]).await?;
    }
    let observer = Observer::new(rooms);
    if let Err(why) = observer.look_at_disk().await {
        tracing::warn!(%why, "the disk could not be looked at");
    }
    Ok(observer)
}
