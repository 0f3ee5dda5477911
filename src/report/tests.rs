use super::*;
use crate::agents::{Task, catalog::Catalog};
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
use crate::machine::session::State;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "</title></style><b>|`x`|</b>",
    "# not a heading\n- not a list",
];

fn record(text: &str) -> SessionRecord {
    SessionRecord {
        id: SessionId(7),
        user: UserId::parse("a").unwrap(),
        message: MessageId::parse("m").unwrap(),
        content: text.to_owned(),
        title: text.to_owned(),
        category: Category::Cost,
        complexity: Complexity::ALL[0],
        business_value: BusinessValue::ALL[0],
        estimated_time: "5 s".into(),
        parent: None,
        assumptions: "{}".into(),
        state: State::Completed,
        attempts: 1,
        created: Wall(0),
        ended: Some(Wall(1000)),
        last_sequence: 9,
    }
}

#[test]
fn hostile_texts_stay_texts() {
    // req: V4
    for text in HOSTILE {
        let outcome = Outcome::Other(Kind::Error, text);
        let document = Document::new(
            &record(text),
            &outcome,
            &Delivery::default(),
            Appearance::default(),
        );
        let html = document.html();
        for tag in ["<script", "<img", "<b>", "onerror=alert(1)>"] {
            assert!(!html.contains(tag), "{tag} of {text} in {html}");
        }
        assert_eq!(html.matches("<title>").count(), 1);
        let markdown = document.markdown();
        assert!(!markdown.contains('<'), "{markdown}");
        assert!(
            !markdown.contains("](") && !markdown.contains("://"),
            "{markdown}"
        );
        let headings = markdown.lines().filter(|l| l.starts_with('#')).count();
        assert_eq!(headings, 3, "{markdown}");
        assert!(!markdown.lines().any(|l| l.starts_with("- ")), "{markdown}");
    }
}

#[test]
fn it_fetches_nothing() {
    let html = Document::new(
        &record("x"),
        &Outcome::Other(Kind::Error, "y"),
        &Delivery::default(),
        Appearance::default(),
    )
    .html();
    for word in [
        "src=", "href=", "url(", "@import", "<script", "http://", "https://",
    ] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn every_number_of_a_real_answer_is_in_it_with_its_arithmetic() {
    let text = "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output tokens each. Cut our cost.";
    let task = Task {
        content: text.to_owned(),
        category: Category::Cost,
        complexity: Complexity::ALL[0],
        assumptions: Default::default(),
        as_of: "2026-12-01".to_owned(),
    };
    let answer = crate::agents::answer(&task, &Catalog::builtin(), &mut |_| {}).unwrap();
    let document = Document::new(
        &record(text),
        &Outcome::Answer(&answer),
        &Delivery::default(),
        Appearance::default(),
    );
    let (html, markdown) = (document.html(), document.markdown());
    assert!(!answer.provenance.is_empty());
    for derivation in &answer.provenance {
        assert!(html.contains(&format!("<td>{}</td>", derivation.id)));
        assert!(markdown.contains(&format!("| {} |", derivation.id)));
    }
    assert_eq!(html.matches("<figure><svg ").count(), answer.charts.len());
    assert!(html.contains("$4,500 a month") && markdown.contains("$4,500 a month"));
}

#[test]
fn the_operators_name_logo_colours_and_offer_are_in_it() {
    use crate::appearance::{Colour, Colours, Logo, Media};
    let look = Appearance {
        title: "Our <answers>".to_owned(),
        logo: Some(Logo {
            media: Media::Png,
            bytes: vec![1, 2, 3],
        }),
        colours: Colours {
            accent: Colour(0x10_2080),
            accent_dark: Colour(0xa0_b0ff),
        },
        action: Some(Action {
            text: "Talk [to] us".to_owned(),
            url: "https://example.org/?a=1&b=2".to_owned(),
        }),
    };
    let (record, outcome) = (record("x"), Outcome::Other(Kind::Error, "y"));
    let document = Document::new(&record, &outcome, &Delivery::default(), look);
    let html = document.html();
    for part in [
        "<p class=\"from\"><img src=\"data:image/png;base64,AQID\" alt=\"\">Our &lt;answers&gt;</p>",
        "--accent:#102080",
        "--accent:#a0b0ff",
        "<a href=\"https://example.org/?a=1&amp;b=2\" rel=\"noopener noreferrer\">Talk [to] us</a>",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    let markdown = document.markdown();
    assert!(markdown.contains("\nOur &lt;answers&gt;\n"), "{markdown}");
    let link = r"[Talk \[to\] us](<https://example.org/?a=1&b=2>)";
    assert!(markdown.contains(link), "{markdown}");
}

#[test]
fn numbers_are_written_as_a_person_writes_them() {
    let check = |value, expected| assert_eq!(number(value), expected, "{value}");
    check(0.0, "0");
    check(500_000.0, "500,000");
    check(999.0, "999");
    check(1_234_567.891, "1,234,567.891");
    check(-12_300.5, "\u{2212}12,300.5");
    check(1_152.0 / 3_800.0, "0.3031578947");
    check(0.1 + 0.2, "0.3");
    check(0.000_244, "0.000244");
    check(1e15, "1,000,000,000,000,000");
}
