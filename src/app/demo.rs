//! From the configuration to what the demo page shows.

use std::io::Read as _;
use std::sync::Arc;

use super::StartError;
use super::wiring::{read, secret};
use crate::agents::backend::Reader;
use crate::agents::catalog::Catalog;
use crate::appearance::{self, Appearance, LOGO_MAX, Logo, Look, Media};
use crate::clock;
use crate::config::Config;
use crate::examples::Gallery;
use crate::examples::shelf::{self, Edited, Shelf, Shown};
use crate::report::seal::Signer;
use crate::serve::Demo;
use crate::store::{Committer, Store};

pub(super) async fn wire(
    config: &Config,
    catalog: &Arc<Catalog>,
    store: &Store,
    committer: &Committer,
) -> Result<Demo, StartError> {
    let seed = secret("report_key", store, committer).await?;
    let signer = Signer::new(&seed);
    Ok(Demo {
        gallery: shelf(config, store)?,
        look: look(config, store)?,
        signer: signer.map_err(|e| StartError::File(format!("the key of the reports: {e}")))?,
        engine: engine(catalog),
        reader: Reader::new(Arc::clone(catalog), config.agents.as_of),
    })
}

/// Who answers, and how old its prices are.
fn engine(catalog: &Catalog) -> String {
    format!(
        "built-in engine, {}",
        catalog.prices_text(clock::wall().date())
    )
}

pub(super) fn catalog(config: &Config) -> Result<Catalog, StartError> {
    let Some(path) = &config.agents.catalog else {
        return Ok(Catalog::builtin());
    };
    Catalog::parse(&read(path)?).map_err(|faults| {
        let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
        StartError::File(format!(
            "agents.catalog {}: {}",
            path.display(),
            list.join("; ")
        ))
    })
}

/// The configured gallery, and the administrator's in its place where there is one.
fn shelf(config: &Config, store: &Store) -> Result<Shelf, StartError> {
    let stored: Option<Edited> = store.setting(shelf::STORED)?.flatten();
    let edited = stored.and_then(|edited| match edited.gallery() {
        Ok(gallery) => Some((gallery, edited.changed)),
        Err(why) => {
            tracing::error!(%why, "the edited gallery breaks a rule and is not shown");
            None
        }
    });
    Ok(Shelf::new(Shown {
        configured: gallery(config)?,
        file: config.examples.file.clone(),
        edited,
    }))
}

/// The look of the page, likewise.
fn look(config: &Config, store: &Store) -> Result<Look, StartError> {
    let edited = store.setting(appearance::STORED)?.flatten();
    let logo = logo(config).map_err(|why| StartError::File(format!("branding.logo {why}")))?;
    let configured = Appearance {
        logo,
        ..config.branding.appearance()
    };
    Ok(Look::new(configured, edited))
}

/// The configured logo, every rule checked.
pub(super) fn logo(config: &Config) -> Result<Option<Logo>, String> {
    let Some(path) = &config.branding.logo else {
        return Ok(None);
    };
    let told = |why: String| format!("{}: {why}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| told(e.to_string()))?;
    // One byte more than is allowed says that it is too long.
    file.take(LOGO_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| told(e.to_string()))?;
    let media = if bytes.starts_with(b"\x89PNG") {
        Media::Png
    } else {
        Media::Svg
    };
    let logo = Logo { media, bytes };
    match logo.fault() {
        Some(rule) => Err(told(rule)),
        None => Ok(Some(logo)),
    }
}

pub(super) fn gallery(config: &Config) -> Result<Gallery, StartError> {
    let Some(path) = &config.examples.file else {
        return Ok(Gallery::builtin());
    };
    Gallery::parse(&read(path)?).map_err(|faults| {
        StartError::File(format!(
            "examples.file {}: {}",
            path.display(),
            faults.join("; ")
        ))
    })
}
