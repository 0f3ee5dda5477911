//! From the configuration to what the demo page shows.

use std::sync::Arc;

use super::StartError;
use super::wiring::read;
use crate::agents::backend::Reader;
use crate::agents::catalog::Catalog;
use crate::clock;
use crate::config::Config;
use crate::examples::Gallery;
use crate::serve::Demo;

pub(super) fn wire(config: &Config, catalog: &Arc<Catalog>) -> Result<Demo, StartError> {
    Ok(Demo {
        gallery: Arc::new(gallery(config)?),
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

fn gallery(config: &Config) -> Result<Gallery, StartError> {
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
