//! The table and a configuration as text for people.

use std::fmt::Write;

use super::layers::variable;
use super::{Key, Loaded, SECTIONS};

/// The effective configuration, a line a key with where its value came from; secrets masked.
/// It is TOML. Keys that a reload applies are not marked: the reference says so.
pub fn effective(loaded: &Loaded) -> String {
    let line = |key: &Key| format!("{} = {}", key.name, key.shown(&loaded.config));
    let all = SECTIONS.iter().flat_map(|section| section.keys);
    // One long path must not push every comment off the screen.
    let width = all
        .map(|key| line(key).chars().count())
        .max()
        .unwrap_or(0)
        .min(48);
    let mut out = String::new();
    for section in SECTIONS {
        let _ = writeln!(out, "[{}]", section.name);
        for key in section.keys {
            let _ = writeln!(out, "{:<width$}  # {}", line(key), loaded.source(key.path));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// `config.toml`: every key with its meaning and its default.
pub fn template() -> String {
    let mut out = String::from(
        "# emflow: every setting with its default. A line left out keeps the default.\n\
         # Flags win over the environment (EMFLOW_SECTION__KEY), the environment over this file.\n\
         # Further files: conf.d/*.toml beside this one, in the order of their names.\n\
         # `Live`: applied by a reload (SIGHUP); the others need a restart.\n\
         # `emflow check-config` says what is wrong, and where each value came from.\n",
    );
    for section in SECTIONS {
        let _ = write!(out, "\n#{}\n[{}]\n", section.doc, section.name);
        for key in section.keys {
            wrapped(&mut out, &about(key));
            let _ = writeln!(out, "{} = {}", key.name, key.default);
        }
    }
    out
}

/// `docs/configuration.md`: the reference.
pub fn reference() -> String {
    let mut out = String::from(REFERENCE_HEAD);
    for section in SECTIONS {
        let _ = write!(
            out,
            "\n## `[{}]`\n\n{}\n\n",
            section.name,
            section.doc.trim()
        );
        out.push_str("| key | default | legal | meaning |\n|---|---|---|---|\n");
        for key in section.keys {
            let _ = writeln!(
                out,
                "| `{}` | `{}` | {} | {} |",
                key.name,
                key.default,
                legal(key).replace('|', "\\|"),
                meaning(key).replace('|', "\\|"),
            );
        }
    }
    out
}

const REFERENCE_HEAD: &str = "# Configuration

<!-- Made from the table in src/config/table.rs; a test fails when it is out of date. -->

Without a file every key has its default, and that is a working appliance. A file is taken from
`--config FILE`, else `./config.toml`, else `/etc/emflow/config.toml`; beside it `conf.d/*.toml` apply in
the order of their names. Precedence: flag, then environment, then file, then default.

- **Environment**: `EMFLOW_SECTION__KEY`, for example `EMFLOW_SERVER__LISTEN=0.0.0.0:8443`. Lists are separated by commas.
- **Secrets** can be given as the path of a file that holds them: `<key>_file` in the file, `EMFLOW_SECTION__KEY_FILE`
  in the environment (container secrets), or a systemd credential named after the key
  (`LoadCredential=admin.password:/path`). They are masked wherever they are shown.
- **Unknown keys are refused**, and the nearest known one is named. All mistakes are reported at once, each with
  file, line, rule and remedy; the exit code is 2.
- **Durations** are whole numbers with a unit (`ms`, `s`, `m`, `h`, `d`), **sizes** too (`B`, `KiB`, `MiB`, `GiB`, `TiB`);
  a number without a unit is refused.
- Relative paths start at the working directory of the process.
- *Live* keys are applied by a reload (`SIGHUP`) without dropping a socket; the others need a restart.

`emflow check-config` prints the effective configuration and where each value came from.
";

/// What a reader of the file must know before the keys, a paragraph each; for emflow.toml(5).
pub const INTRODUCTION: &[&str] = &[
    "The file is taken from --config FILE, else ./config.toml, else /etc/emflow/config.toml. Beside it \
     conf.d/*.toml apply in the order of their names, and the later value wins. Without a file every key has \
     its default, and that is a working appliance.",
    "A flag wins over the environment (EMFLOW_SECTION__KEY), the environment over the files. A secret may be \
     given as the path of a file that holds it: KEY_file in the file, EMFLOW_SECTION__KEY_FILE in the \
     environment, or a systemd credential named SECTION.KEY (for example \
     LoadCredential=admin.password:/path).",
    "Unknown keys are refused. All mistakes are reported at once with file, line, rule and remedy, and the \
     exit code is 2. emflow check-config prints what is in force and where each value came from. Keys marked \
     Live are applied by a reload (SIGHUP, systemctl reload emflow); the others need a restart.",
];

/// The meaning of a key with what a reader of the file must know beside it.
pub fn about(key: &Key) -> String {
    let range = key.range.map(|(min, max)| format!(" From {min} to {max}."));
    let file = key
        .secret
        .then(|| format!(" Or {}_file = \"path\".", key.name));
    let live = if key.live { " Live." } else { "" };
    let parts = [range.unwrap_or_default(), file.unwrap_or_default()];
    format!("{}{}{live}", key.doc.trim(), parts.concat())
}

fn legal(key: &Key) -> String {
    let bounds = key.range.map(|(min, max)| format!("{min} to {max}"));
    let list = if key.list { "a list, each entry " } else { "" };
    bounds.unwrap_or_else(|| format!("{list}{}", key.form))
}

fn meaning(key: &Key) -> String {
    let file = format!(
        " Secret; also `{}_file`, `{}_FILE`.",
        key.name,
        variable(key.path)
    );
    let secret = if key.secret { file.as_str() } else { "" };
    let live = if key.live { " *Live.*" } else { "" };
    format!("{}{secret}{live}", key.doc.trim())
}

/// A comment in lines of at most 100 characters.
fn wrapped(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}
