//! Examples; the properties stand beside them.

use super::*;

/// Runs in a short form: `*strong*`, `/emphasis/`, `` `code` ``, `[text|href]`.
fn short(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        let mut text = run.text.clone();
        for (on, mark) in [(run.code, '`'), (run.emphasis, '/'), (run.strong, '*')] {
            if on {
                text = format!("{mark}{text}{mark}");
            }
        }
        match &run.href {
            Some(href) => out.push_str(&format!("[{text}|{href}]")),
            None => out.push_str(&text),
        }
    }
    out
}

#[track_caller]
fn markdown(typed: &str, expected: &str) {
    assert_eq!(short(&runs_markdown(typed)), expected, "{typed:?}");
}

#[track_caller]
fn plain(typed: &str, expected: &str) {
    assert_eq!(short(&runs_plain(typed)), expected, "{typed:?}");
}

#[test]
fn marks_within_a_line_become_styles() {
    markdown("**a** and *b*, __c__ and _d_", "*a* and /b/, *c* and /d/");
    markdown("***both***", "*/both/*");
    markdown("**a *b* c**", "*a **/b/** c*");
    markdown("use `cargo **run**` now", "use `cargo **run**` now");
    markdown("`` a`b ``", "`a`b`");
    markdown("**bold** at the start", "*bold* at the start");
    markdown(
        "2 * 3 * 4 and snake_case_name",
        "2 * 3 * 4 and snake_case_name",
    );
    markdown(r"\*not\* \# this \_either\_", "*not* # this _either_");
    markdown(r"\# not a heading", "# not a heading");
    markdown("a &amp; b &lt;i&gt;", "a & b <i>");
    markdown("**open", "**open");
}

#[test]
fn lines_stay_lines() {
    markdown("a\nb", "a\nb");
    markdown("a  \nb\\\nc", "a\nb\nc");
    markdown("a\r\nb\rc", "a\nb\nc");
    markdown("a\n\n\nb", "a\n\n\nb");
    markdown("\n\na\n \n", "a");
    markdown("**a\nb** c", "*a\nb* c");
}

#[test]
fn blocks_stay_as_typed() {
    markdown("# Title\ntext", "# Title\ntext");
    markdown("Title\n=====\ntext", "Title\n=====\ntext");
    markdown("- one\n- **two**\n  - three", "- one\n- *two*\n  - three");
    markdown("1. one\n2. two\n10) x", "1. one\n2. two\n10) x");
    markdown(
        "> quoted *x*\n> more\n\nanswer",
        "> quoted /x/\n> more\n\nanswer",
    );
    markdown("a\n\n---\n\nb", "a\n\n---\n\nb");
    markdown(
        "    indented **x**\n    more",
        "    indented **x**\n    more",
    );
    markdown("| a | b |\n|---|---|", "| a | b |\n|---|---|");
    markdown(
        "[x]: https://a.example\ntext",
        "[x]: [https://a.example|https://a.example]\ntext",
    );
}

#[test]
fn fences_become_code() {
    markdown(
        "see\n```sh\nls -l\n\n  cd **x**\n```\ndone",
        "see\n`ls -l\n\n  cd **x**`\ndone",
    );
    markdown("```\nopen", "`open`");
    markdown("```\n```", "```\n```");
    markdown("- a\n  ```\n  b\n  ```\n- c", "- a\n  `b`\n- c");
}

#[test]
fn html_stays_as_typed() {
    markdown("a <b>c</b> <!-- d -->", "a <b>c</b> <!-- d -->");
    markdown("<div>\n*x*\n</div>\n\ny", "<div>\n*x*\n</div>\n\ny");
    markdown("<script>alert(1)</script>", "<script>alert(1)</script>");
    markdown(
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)>",
    );
}

#[test]
fn links_and_images() {
    markdown(
        "[the *help*](https://a.example/x \"t\").",
        "[the |https://a.example/x][/help/|https://a.example/x].",
    );
    markdown(
        "<https://a.example/?a=1&b=2> x",
        "[https://a.example/?a=1&b=2|https://a.example/?a=1&b=2] x",
    );
    markdown("<ada@a.example>", "[ada@a.example|mailto:ada@a.example]");
    markdown(
        "[call](tel:+4930123) [mail](MAILTO:a@b.example)",
        "[call|tel:+4930123] [mail|MAILTO:a@b.example]",
    );
    markdown(
        "see https://a.example/a_b_c.",
        "see [https://a.example/a_b_c|https://a.example/a_b_c].",
    );
    markdown(
        "**https://a.example**",
        "[*https://a.example*|https://a.example]",
    );
    markdown("`https://a.example`", "`https://a.example`");
    markdown(
        "![alt](https://a.example/p.png)!",
        "[alt|https://a.example/p.png]!",
    );
    markdown(
        "![](https://a.example/p.png)",
        "[https://a.example/p.png|https://a.example/p.png]",
    );
    markdown(
        "[![alt](https://a.example/p.png)](https://b.example)",
        "[alt|https://b.example]",
    );
    markdown(
        "[x][1]\n\n[1]: https://a.example",
        "[x|https://a.example]\n\n[1]: [https://a.example|https://a.example]",
    );
}

#[test]
fn what_may_not_be_a_link_stays_as_typed() {
    for typed in [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,hi)",
        "[x](/path)",
        "[x](//a.example)",
        "[x](https:a.example)",
        "[x](https:/\\a.example)",
        "[x](vbscript:x)",
        "**a [x](ftp://a.example) b**",
        "![x](file:///etc/passwd)",
        "[a **b**](blob:x) c",
        "[]()",
        "<javascript:alert(1)>",
        "[x](tel:)",
        "[x](mailto:nobody)",
        "[x](https://)",
    ] {
        let runs = runs_markdown(typed);
        assert!(runs.iter().all(|run| run.href.is_none()), "{runs:?}");
        let text: String = runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(text.replace("**", ""), typed.replace("**", ""));
    }
    markdown(
        "[x](java&#10;script:alert(1))",
        "[x](java&#10;script:alert(1))",
    );
    markdown(
        "[x](&#106;avascript:alert(1))",
        "[x](&#106;avascript:alert(1))",
    );
}

#[test]
fn visitors_write_no_markdown() {
    plain(
        "**a** `b` [c](https://d.example)",
        "**a** `b` [c]([https://d.example|https://d.example])",
    );
    plain("<b>x</b> &amp;", "<b>x</b> &amp;");
    plain("  a\n\n  b ", "  a\n\n  b");
}

#[test]
fn addresses_in_plain_text() {
    let one = |typed: &str, address: &str| {
        let runs = runs_plain(typed);
        let hrefs: Vec<_> = runs.iter().filter_map(|run| run.href.as_deref()).collect();
        assert_eq!(hrefs, [address], "{typed:?}");
        let text: String = runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(text, typed);
    };
    one("https://a.example", "https://a.example");
    one("See https://a.example/x, please.", "https://a.example/x");
    one("(see http://a.example/a_(b))", "http://a.example/a_(b)");
    one(
        "https://a.example/?q=1&r=(2)!?…",
        "https://a.example/?q=1&r=(2)",
    );
    one("\"https://a.example/x\"", "https://a.example/x");
    one("HTTPS://A.example/x", "HTTPS://A.example/x");
    one("*https://a.example/*", "https://a.example/");
    one(
        "请看https：不是 https://例子.example/路径。谢谢",
        "https://例子.example/路径",
    );
    one("mailto:ada@a.example.", "mailto:ada@a.example");
    one("a\thttps://a.example\nb", "https://a.example");
    one("https:// and https://a.example", "https://a.example");
    for typed in [
        "xhttps://a.example",
        "https://",
        "http:/a.example",
        "mailto:x",
        "javascript:alert(1)",
        "ftp://a.example",
        "tel:1",
    ] {
        assert!(
            runs_plain(typed).iter().all(|run| run.href.is_none()),
            "{typed}"
        );
    }
    let two = runs_plain("https://a.example https://b.example");
    assert_eq!(two.len(), 3);
}

#[test]
fn hostile_lengths_take_no_time() {
    // Each would take minutes if its work grew with the square of its length many times over.
    for piece in [
        "https://",
        "https://a)",
        "https://a.example)",
        "[",
        "![",
        "**",
        "`",
        "> ",
        "<a",
        "[a](https://b.example)",
        "mailto:",
    ] {
        let text: String = piece.chars().cycle().take(limits::MAX_TEXT).collect();
        assert!(!html(&runs_plain(&text)).is_empty());
        assert!(!html(&runs_markdown(&text)).is_empty());
    }
    let brackets = format!("https://a.example/{}", ")".repeat(limits::MAX_TEXT));
    assert_eq!(runs_plain(&brackets)[0].text, "https://a.example/");
}

#[test]
fn controls_and_turned_text_are_dropped() {
    plain("a\u{0}\u{7}b\u{1b}[31mc\td", "ab[31mc\td");
    plain("x\u{202e}fdp.exe\u{202c}", "xfdp.exe");
    plain("\u{2067}a\u{2069}", "a");
    plain("a\u{2028}b", "a\nb");
    markdown("x&#x202e;y&#8;z&#0;", "xyz\u{fffd}");
    markdown(
        "[x](https://a.example/&#x202e;gpj)",
        "[x]([https://a.example/&#x202e;gpj|https://a.example/&#x202e;gpj])",
    );
    plain("שלום \u{200f}عربي", "שלום \u{200f}عربي");
}

#[test]
fn a_text_is_checked() {
    assert_eq!(check("a"), Ok(()));
    assert_eq!(check("🙂"), Ok(()));
    for empty in [
        "",
        " \n\t",
        "\u{a0}\u{3000}",
        "\u{200b}\u{feff}\u{2060}",
        "\u{0}\u{1}",
        "\u{3164}\u{2800}\u{ad}",
        "\u{202e}",
    ] {
        assert_eq!(check(empty), Err(TextError::Empty), "{empty:?}");
    }
    assert_eq!(check(&"é".repeat(limits::MAX_TEXT)), Ok(()));
    assert_eq!(
        check(&"é".repeat(limits::MAX_TEXT + 1)),
        Err(TextError::TooLong)
    );
}

#[test]
fn a_preview_is_one_line() {
    let runs = runs_markdown("**Hello**\n\n- a   b\tc");
    assert_eq!(preview(&runs, 100), "Hello - a b c");
    assert_eq!(preview(&runs, 13), "Hello - a b c");
    assert_eq!(preview(&runs, 12), "Hello - a b…");
    assert_eq!(preview(&runs, 6), "Hello…");
    assert_eq!(preview(&runs, 1), "…");
    assert_eq!(preview(&runs, 0), "");
    assert_eq!(preview(&[], 5), "");
}

#[test]
fn html_of_runs() {
    let made = html(&runs_markdown(
        "**a** *b* `c<d`\n[e \"f\"](https://g.example/?h=1&i='2')",
    ));
    assert_eq!(
        made,
        "<strong>a</strong> <em>b</em> <code>c&lt;d</code><br>\
         <a href=\"https://g.example/?h=1&amp;i='2'\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">e \"f\"</a>"
    );
    // Runs that no text makes, as if a mistake had slipped through.
    let bad = Run {
        href: Some("javascript:alert(1)".into()),
        ..Run::plain("<img src=x>")
    };
    assert!(!html(&[bad]).contains("href"));
}
