//! Promises of the catalog.

use super::*;

#[test]
fn the_builtin_catalog_is_whole() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.models().len(), 70);
    assert_eq!(catalog.packs().len(), 3);
}
