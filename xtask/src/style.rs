use anyhow::Result;

use crate::minify::{end_of, end_of_string};

/// A stylesheet without comments and needless blanks; strings and `url()`s are left alone.
///
/// # Errors
/// When a comment or string does not end.
pub(crate) fn compact(source: &str) -> Result<String> {
    let bytes = source.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut blank = false;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"/*") {
            at += end_of(rest, 2, b"*/")?;
            blank = true;
            continue;
        }
        if rest[0].is_ascii_whitespace() {
            blank = true;
            at += 1;
            continue;
        }
        if blank
            && !b"{},;".contains(&rest[0])
            && out.last().is_some_and(|last| !b"{},;:".contains(last))
        {
            out.push(b' ');
        }
        blank = false;
        if rest[0] == b'}' && out.last() == Some(&b';') {
            out.pop();
        }
        let length = match rest[0] {
            quote @ (b'"' | b'\'') => end_of_string(rest, quote)?,
            _ if rest.starts_with(b"url(") => end_of(rest, 4, b")")?,
            _ => 1,
        };
        out.extend_from_slice(&rest[..length]);
        at += length;
    }
    Ok(String::from_utf8(out)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::compact;

    #[test]
    fn styles_lose_blanks_and_keep_meaning() {
        let source = "/* a */\n@layer reset , base;\n.a :hover > b ,\n c {\n  color : red;\n  margin: 0 -1px;\n}\n";
        assert_eq!(
            compact(source).unwrap(),
            "@layer reset,base;.a :hover > b,c{color :red;margin:0 -1px}"
        );
        let kept = ".a::after{content:\"  /* x */ ;\";background:url(./a  b.svg)}";
        assert_eq!(compact(kept).unwrap(), kept);
        assert_eq!(
            compact("a{width:calc(1px + 2px)}").unwrap(),
            "a{width:calc(1px + 2px)}"
        );
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        assert!(compact("a{b:'c").is_err());
        assert!(compact("/* a").is_err());
    }
}
