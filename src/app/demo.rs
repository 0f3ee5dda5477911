//! From the configuration to what the demo page shows.

use std::sync::Arc;

use super::StartError;
use super::wiring::{read, secret};
use crate::agents::backend::Reader;
use crate::agents::catalog::Catalog;
use crate::clock;
use crate::config::Config;
use crate::examples::Gallery;
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
        gallery: Arc::new(gallery(config)?),
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
