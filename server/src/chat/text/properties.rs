//! What holds of any text.

use super::html::sanitise;
use super::*;
use proptest::prelude::*;

/// Text with more of what Markdown, HTML and addresses are made of than chance would give.
fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "*", "**", "_", "`", "```", "\n", "\n\n", "# ", "> ", "- ", "1. ", "[", "](", ")", "!", "![", "<", ">", "</", "\"", "'",
            "&", "&lt;", "&#x3c;", "&#x202e;", "\\", "javascript:", "https://", "a.example/", "mailto:", "tel:1", "data:", "<img src=x onerror=y>",
            "<script>", "</code>", "<a href=\"javascript:x\">", "<svg/onload=x>", "<!--", "-->", "<style>", "]: ", "    ", "|", "\t", "\u{0}", "\u{202e}",
            "<math><mtext><table><mglyph><style>", "<noscript>", "<br/>", "<p title=\"</noscript>", "http:", "@", "é", "🙂",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z ]{1,6}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let run = (typed(), any::<[bool; 3]>(), proptest::option::of(typed()));
    let run = run.prop_map(|(text, [strong, emphasis, code], href)| Run {
        text,
        strong,
        emphasis,
        code,
        href,
    });
    proptest::collection::vec(run, 0..5)
}

/// Every `<` opens one of the few tags, with those attributes and no others.
fn holds_only_our_tags(html: &str) -> bool {
    html.match_indices('<').all(|(at, _)| {
        let tag = &html[at..=at + html[at..].find('>').unwrap_or(0)];
        match tag {
            "<strong>" | "</strong>" | "<em>" | "</em>" | "<code>" | "</code>" | "<br>"
            | "</a>" => true,
            _ => is_anchor(tag),
        }
    })
}

fn is_anchor(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("<a ") else {
        return false;
    };
    let tail = "target=\"_blank\" rel=\"noopener noreferrer nofollow\">";
    let Some(rest) = rest.strip_suffix(tail) else {
        return false;
    };
    let Some(href) = rest.strip_prefix("href=\"") else {
        return rest.is_empty();
    };
    let Some(href) = href.strip_suffix("\" ") else {
        return false;
    };
    let scheme = href
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    !href.contains('"') && matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel")
}

/// What holds of all runs that are made of a text.
fn are_sound(runs: &[Run]) -> bool {
    runs.iter().all(|run| {
        let href = run
            .href
            .as_deref()
            .is_none_or(|href| links::href(href).is_some());
        href && !run.text.is_empty() && !run.text.chars().any(is_unsafe)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn html_of_any_text_holds_only_our_tags(text in typed()) {
        for runs in [runs_markdown(&text), runs_plain(&text)] {
            prop_assert!(are_sound(&runs), "{runs:?}");
            let made = html(&runs);
            prop_assert!(holds_only_our_tags(&made), "{made}");
            prop_assert_eq!(&sanitise(&made), &made);
        }
    }

    #[test]
    fn html_of_any_runs_holds_only_our_tags(runs in any_runs()) {
        let made = html(&runs);
        prop_assert!(holds_only_our_tags(&made), "{made}");
        prop_assert_eq!(&sanitise(&made), &made);
    }

    #[test]
    fn sanitising_anything_leaves_only_our_tags(text in typed()) {
        let made = sanitise(&text);
        prop_assert!(holds_only_our_tags(&made), "{made}");
        prop_assert_eq!(&sanitise(&made), &made);
    }

    #[test]
    fn plain_text_keeps_every_character(text in typed()) {
        let shown: String = runs_plain(&text).into_iter().map(|run| run.text).collect();
        prop_assert_eq!(shown, tidy(&text));
    }

    #[test]
    fn markdown_loses_no_words(text in "[a-z \n*_`>#-]{0,40}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let shown: String = runs_markdown(&text).into_iter().map(|run| run.text).collect();
        // The word after an opening fence names a language.
        prop_assume!(!text.contains("```"));
        prop_assert_eq!(letters(&shown), letters(&text));
    }

    #[test]
    fn a_message_is_never_shown_as_nothing(text in typed()) {
        prop_assume!(check(&text).is_ok());
        prop_assert!(!preview(&runs_markdown(&text), 10).is_empty());
        prop_assert!(!preview(&runs_plain(&text), 10).is_empty());
    }

    #[test]
    fn a_preview_has_no_more_than_wanted(text in typed(), most in 0_usize..30) {
        let line = preview(&runs_plain(&text), most);
        prop_assert!(line.chars().count() <= most);
        prop_assert!(!line.contains(['\n', '\t']));
    }
}
