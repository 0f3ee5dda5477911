//! Which modules a page's script needs, so that a browser can ask for all of them at once: the
//! imports of the imports are otherwise found one round trip after the other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The tags for `entry` and everything that it imports, from the root. What is imported only when
/// it is needed is not loaded ahead.
pub(super) fn tags(entry: &str, read: impl Fn(&str) -> Option<String>) -> String {
    /// The scripts of a running appliance do not change: as many entries as pages.
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let made = || {
        let mut out = String::new();
        for path in imported(entry, &read) {
            out.push_str(&format!(
                "<link rel=\"modulepreload\" href=\"/{path}\">\n  "
            ));
        }
        out + &format!("<script type=\"module\" src=\"/{entry}\"></script>")
    };
    known.entry(entry.to_owned()).or_insert_with(made).clone()
}

/// All that `entry` imports, directly or not, in the order in which it is found.
fn imported(entry: &str, read: &impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = vec![entry.to_owned()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        let text = read(&path).unwrap_or_default();
        for name in imports(&text) {
            let resolved = resolved(&path, name);
            if !found.contains(&resolved) {
                found.push(resolved);
            }
        }
        at += 1;
    }
    found.split_off(1)
}

/// What stands in quotes at the end of each `import` at the beginning of a line.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines();
    let begins = |line: &&str| line.starts_with("import ") || line.starts_with("} from ");
    let named = lines.filter(begins).filter_map(|line| {
        let (before, _) = line.rsplit_once('"')?;
        let (_, name) = before.rsplit_once('"')?;
        Some(name)
    });
    named.filter(|name| name.starts_with('.'))
}

/// A relative name, as seen from the file at `from`.
fn resolved(from: &str, name: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_is_found_once_and_those_on_demand_are_not() {
        let read = |path: &str| {
            let text = match path {
                "js/a.js" => {
                    "import { b } from \"./b.js\";\nimport {\n  c,\n} from \"./views/c.js\";\n\
                     const later = () => import(\"./later.js\");\n"
                }
                "js/b.js" => "import * as d from \"./d.js\"; // \n",
                "js/views/c.js" => {
                    "import { b } from \"../b.js\";\nexport const x = \"./no.js\";\n"
                }
                _ => "",
            };
            Some(text.to_owned())
        };
        let expected = ["js/b.js", "js/views/c.js", "js/d.js"];
        assert_eq!(imported("js/a.js", &read), expected);
    }
}
