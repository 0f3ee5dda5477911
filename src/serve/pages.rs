//! What the pages share, and the operator's name, logo and call to action in them.
//!
//! A page holds `{{head}}`, `{{brand}}`, `{{tools}}`, `{{title}}`, `{{engine}}`, `{{call-to-action}}`
//! or `{{module js/NAME.js}}` where that is to stand; the pages are few and small, so they are filled in at each request, and what
//! the administrator changes shows at the next.

mod modules;

use super::operate::appearance::LOGO;
use crate::appearance::Appearance;

const HEAD: &str = include_str!("pages/head.html");
const BRAND: &str = include_str!("pages/brand.html");
const TOOLS: &str = include_str!("pages/tools.html");
/// The mark that comes with the page.
const MARK: &str = include_str!("pages/mark.html");

/// What pages are filled with.
pub(super) struct Filling<'a> {
    /// Name, logo, call to action.
    pub(super) look: &'a Appearance,
    /// Which engine answers.
    pub(super) engine: &'a str,
}

/// The page as it is sent. What the operator wrote is put in last: braces in it stay braces.
/// `read` gives the text of a file of the pages.
pub(super) fn fill(
    page: &str,
    Filling { look, engine }: &Filling<'_>,
    read: impl Fn(&str) -> Option<String>,
) -> String {
    let action = look.action.as_ref().map(|action| {
        // Kept in a template until there is a result to stand under.
        format!(
            "<template id=\"call-to-action\"><a href=\"{}\" target=\"_blank\" \
             rel=\"noopener noreferrer\">{}</a></template>",
            escaped(&action.url),
            escaped(&action.text)
        )
    });
    let logo = look
        .logo
        .as_ref()
        .map(|_| format!("<img class=\"brand-logo\" src=\"{LOGO}\" alt=\"\" height=\"28\">"));
    let parts = [
        ("{{head}}", HEAD.trim_end()),
        ("{{brand}}", BRAND.trim_end()),
        ("{{tools}}", TOOLS.trim_end()),
    ];
    let mut out = page.to_owned();
    for (mark, part) in parts {
        out = out.replace(mark, part);
    }
    if let Some((before, rest)) = out.split_once("{{module ")
        && let Some((entry, after)) = rest.split_once("}}")
    {
        out = format!("{before}{}{after}", modules::tags(entry, read));
    }
    let values = [
        ("{{engine}}", escaped(engine)),
        (
            "{{logo}}",
            logo.unwrap_or_else(|| MARK.trim_end().to_owned()),
        ),
        ("{{call-to-action}}", action.unwrap_or_default()),
        ("{{title}}", escaped(&look.title)),
    ];
    replaced(&out, &values)
}

/// One pass over the text: what is put in is not looked at again.
fn replaced(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let found = values.iter().find(|(mark, _)| from.starts_with(mark));
        let (put, length) = found.map_or(("{{", 2), |(mark, value)| (value.as_str(), mark.len()));
        out.push_str(put);
        rest = &from[length..];
    }
    out + rest
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appearance::{Action, Logo, Media};

    #[test]
    fn what_the_operator_wrote_stands_as_text_where_it_belongs() {
        let look = Appearance {
            title: "A <b>&\" {{logo}}".to_owned(),
            logo: Some(Logo {
                media: Media::Png,
                bytes: Vec::new(),
            }),
            action: Some(Action {
                text: "Talk <to> us".to_owned(),
                url: "https://example.org/?a=1&b=2".to_owned(),
            }),
            ..Appearance::default()
        };
        let page = "<head>{{head}}<title>{{title}}</title></head>{{brand}}{{call-to-action}}{{engine}}{{module js/x.js}} {{other}}";
        let fill = |look| {
            let engine = "e <1>";
            fill(page, &Filling { look, engine }, |_| None)
        };
        let filled = fill(&look);
        let title = "A &lt;b&gt;&amp;&quot; {{logo}}";
        assert!(
            filled.contains(&format!("<title>{title}</title>")),
            "{filled}"
        );
        assert!(
            filled.contains(&format!("brand-name\">{title}</span>")),
            "{filled}"
        );
        assert!(filled.contains("href=\"https://example.org/?a=1&amp;b=2\""));
        assert!(filled.contains(">Talk &lt;to&gt; us</a>"));
        let script = "<script type=\"module\" src=\"/js/x.js\"></script> {{other}}";
        assert!(
            filled.ends_with(&format!("e &lt;1&gt;{script}")),
            "{filled}"
        );
        assert!(filled.contains(LOGO) && filled.contains("/css/brand.css"));

        let plain = fill(&Appearance::default());
        assert!(plain.contains("brand-tile") && !plain.contains("call-to-action\""));
    }
}
