//! The gallery that is shown: the configured one, or the administrator's in its place.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Example, Gallery};
use crate::clock::Wall;

/// The setting of the store that holds an edited gallery.
pub const STORED: &str = "examples";

/// An edited gallery as it is stored: as text, so that a later version reads it by its own rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// The examples as JSON.
    pub items: String,
    /// When it was changed.
    pub changed: Wall,
}

impl Edited {
    /// The gallery, to be stored.
    pub fn new(gallery: &Gallery, changed: Wall) -> Self {
        Self {
            items: json!(gallery.examples()).to_string(),
            changed,
        }
    }

    /// The gallery, where it still fits the rules.
    ///
    /// # Errors
    /// What does not.
    pub fn gallery(&self) -> Result<Gallery, String> {
        let items: Vec<Value> = serde_json::from_str(&self.items).map_err(|e| e.to_string())?;
        Gallery::read(&items).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })
    }
}

/// Both galleries.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The configured one.
    pub configured: Gallery,
    /// Its file; none for the one inside the program.
    pub file: Option<PathBuf>,
    /// The administrator's, and when it was changed.
    pub edited: Option<(Gallery, Wall)>,
}

impl Shown {
    /// The one that counts.
    pub fn gallery(&self) -> &Gallery {
        let edited = self.edited.as_ref().map(|(gallery, _)| gallery);
        edited.unwrap_or(&self.configured)
    }
}

/// What is shown at the moment; replaced whole.
pub struct Shelf(RwLock<Arc<Shown>>);

impl Shelf {
    /// With both.
    pub fn new(shown: Shown) -> Self {
        Self(RwLock::new(Arc::new(shown)))
    }

    /// What is shown now.
    pub fn now(&self) -> Arc<Shown> {
        let now = self.0.read();
        Arc::clone(&now.unwrap_or_else(PoisonError::into_inner))
    }

    /// The examples in order.
    pub fn examples(&self) -> Vec<Example> {
        self.now().gallery().examples().to_vec()
    }

    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut Shown)) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_gallery_stands_before_the_configured_one() {
        let mut few = Gallery::builtin().examples().to_vec();
        few.truncate(2);
        let few = Gallery::of(few).unwrap();
        let shelf = Shelf::new(Shown {
            configured: Gallery::builtin(),
            file: None,
            edited: None,
        });
        assert_eq!(shelf.examples().len(), Gallery::builtin().examples().len());
        let stored = Edited::new(&few, Wall(7));
        let read = stored.gallery().unwrap();
        shelf.change(|shown| shown.edited = Some((read, stored.changed)));
        assert_eq!(shelf.examples(), few.examples());
        shelf.change(|shown| shown.edited = None);
        assert_eq!(shelf.now().gallery(), &Gallery::builtin());
    }
}
