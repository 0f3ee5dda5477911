use super::*;

fn svg(body: &str) -> Option<String> {
    let text =
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{body}</svg>");
    let bytes = text.into_bytes();
    let media = Media::Svg;
    Logo { media, bytes }.fault()
}

#[test]
fn an_svg_holds_shapes_and_nothing_else() {
    let shapes = "<!-- a mark --><defs><linearGradient id=\"a\"><stop offset=\"0\" stop-color=\"#fff\"/></linearGradient></defs>\
        <path d=\"M0 0l9 9\" fill=\"url(#a)\" stroke-linecap='round'/><title>On one</title>";
    assert_eq!(svg(shapes), None);
    for (body, expected) in [
        ("<script>alert(1)</script>", "<script>"),
        ("<SCRIPT>alert(1)</SCRIPT>", "<SCRIPT>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<image x=\"1\"/>", "<image>"),
        ("<path onload=\"x\"/>", "event handlers"),
        ("<path d=\"M0\"onclick='x'/>", "event handlers"),
        ("<path/onclick=x />", "event handlers"),
        ("<g xlink:href=\"#a\"/>", "href"),
        ("<g style=\"fill:red\"/>", "style"),
        ("<g fill=\"url(https://elsewhere)\"/>", "outside"),
        ("<g fill=\"&#117;rl(x)\"/>", "entities"),
        ("<!DOCTYPE svg [<!ENTITY a \"b\">]>", "shapes only"),
        ("<?xml-stylesheet href=\"x\"?>", "shapes only"),
        ("<g", "shapes only"),
        ("<!-- ", "comment without an end"),
    ] {
        let rule = svg(body).unwrap_or_else(|| panic!("{body} was taken"));
        assert!(rule.contains(expected), "{body}: {rule}");
    }
}

#[test]
fn a_png_has_its_head_and_a_bounded_size() {
    let head = |width: u32, height: u32| {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        let media = Media::Png;
        Logo { media, bytes }.fault()
    };
    assert_eq!(head(64, 64), None);
    assert!(head(0, 64).is_some_and(|rule| rule.contains("pixels")));
    assert!(head(64, 100_000).is_some_and(|rule| rule.contains("pixels")));
    let not_one = |bytes: Vec<u8>| {
        let media = Media::Png;
        Logo { media, bytes }.fault()
    };
    assert!(not_one(b"GIF89a".to_vec()).is_some_and(|rule| rule.contains("not a PNG")));
    assert!(not_one(vec![0; LOGO_MAX + 1]).is_some_and(|rule| rule.contains("at most")));
}

#[test]
fn contrast_is_the_published_formula() {
    let (black, white) = (Colour(0), Colour(0xff_ffff));
    assert!((black.contrast(white) - 21.0).abs() < 1e-9);
    assert!((white.contrast(white) - 1.0).abs() < 1e-9);
    // The grey that is the example of the rule: 4.48 on white, and so not enough.
    let grey = Colour::parse("#777777").unwrap();
    assert!((grey.contrast(white) - 4.48).abs() < 0.005);
    assert_eq!(Colour::parse("#12345"), None);
    assert_eq!(Colour::parse("#+12345"), None);
    assert_eq!(
        Colour::parse("#0B5D53").map(|c| c.to_string()).as_deref(),
        Some("#0b5d53")
    );
}

#[test]
fn every_fault_is_named() {
    assert_eq!(Appearance::default().faults(), []);
    let wrong = Appearance {
        title: " ".to_owned(),
        logo: Some(Logo {
            media: Media::Png,
            bytes: Vec::new(),
        }),
        colours: Colours {
            accent: Colour(0xff_ff00),
            accent_dark: Colour(0x20_2020),
        },
        action: Some(Action {
            text: String::new(),
            url: "javascript:alert(1)".to_owned(),
        }),
    };
    let fields: Vec<&str> = wrong.faults().iter().map(|(field, _)| *field).collect();
    let expected = [
        "title",
        "call_to_action.text",
        "call_to_action.url",
        "colours.accent",
        "colours.accent_dark",
        "logo",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_colour_that_is_refused_is_told_with_one_that_is_not() {
    let check = |accent: &str, accent_dark: &str| {
        let colours = Colours {
            accent: Colour::parse(accent).unwrap(),
            accent_dark: Colour::parse(accent_dark).unwrap(),
        };
        let told = colours.faults();
        assert_eq!(told.len(), 2, "{told:?}");
        let better = |n: usize| {
            let (before, _) = told[n].1.split_once(" would do").unwrap();
            Colour::parse(before.rsplit(' ').next().unwrap()).unwrap()
        };
        let mended = Colours {
            accent: better(0),
            accent_dark: better(1),
        };
        assert_eq!(mended.faults(), [], "{told:?}");
    };
    check("#ffff00", "#202020");
    check("#ff6600", "#800000");
    check("#ffffff", "#000000");
    check("#777777", "#666666");
}

#[test]
fn whatever_accent_is_allowed_everything_made_of_it_can_be_read() {
    let mut allowed = 0;
    for step in 0..4096_u32 {
        let colour =
            Colour((step >> 8) * 0x11_0000 | (step >> 4 & 15) * 0x1100 | (step & 15) * 0x11);
        let colours = Colours {
            accent: colour,
            accent_dark: colour,
        };
        for (tones, contrast) in colours.tones().iter().zip(colours.contrast()) {
            assert!(
                tones.on_accent.contrast(colour) >= LEAST_CONTRAST,
                "{colour}"
            );
            if contrast >= LEAST_CONTRAST {
                allowed += 1;
                assert!(tones.soft.contrast(colour) >= LEAST_CONTRAST, "{colour}");
            }
        }
    }
    assert!(allowed > 1_000, "{allowed}");
}

#[test]
fn the_sheet_names_both_accents_and_is_empty_without_a_choice() {
    assert_eq!(Appearance::default().sheet(), "");
    let changed = Appearance {
        colours: Colours {
            accent: Colour(0x10_2080),
            accent_dark: Colour(0xa0_b0ff),
        },
        ..Appearance::default()
    };
    let sheet = changed.sheet();
    let light = sheet.lines().next().unwrap();
    assert!(light.contains("--accent:#102080") && light.contains("--on-accent:#ffffff"));
    let dark: Vec<&str> = sheet.lines().skip(1).collect();
    assert!(dark.len() == 2 && dark.iter().all(|line| line.contains("--accent:#a0b0ff")));
}
