//! Drops comments and blanks. Names stay as they are: compression takes care of most of what a
//! real minifier would save, and what is served can still be read.

use anyhow::{Result, bail};

/// A script without comments and needless blanks. Strings, templates and regular expressions
/// are left alone, and so is every line break that could end a statement.
///
/// # Errors
/// When a comment, string, template or regular expression does not end.
pub(crate) fn script(source: &str) -> Result<String> {
    let mut scanner = Scanner {
        source: source.as_bytes(),
        at: 0,
        out: Vec::with_capacity(source.len()),
        blank: Blank::None,
    };
    scanner.code(None)?;
    // Only whole characters were copied, and only ASCII was dropped.
    Ok(String::from_utf8(scanner.out)?)
}

/// A stylesheet without comments and needless blanks; strings and `url()`s are left alone.
///
/// # Errors
/// When a comment or string does not end.
pub(crate) fn style(source: &str) -> Result<String> {
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
            && out.last().is_some_and(|last| !b"{},;".contains(last))
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

/// The blanks that were read and not yet written.
#[derive(Clone, Copy, PartialEq)]
enum Blank {
    None,
    Space,
    Line,
}

struct Scanner<'a> {
    source: &'a [u8],
    at: usize,
    out: Vec<u8>,
    blank: Blank,
}

impl Scanner<'_> {
    /// Reads code up to the end of the source, or up to the `}` that closes a template's `${`.
    fn code(&mut self, closing: Option<u8>) -> Result<()> {
        let mut depth = 0_usize;
        while let Some(&byte) = self.source.get(self.at) {
            let rest = &self.source[self.at..];
            match byte {
                b'\n' => self.skip(1, Blank::Line),
                _ if byte.is_ascii_whitespace() => self.skip(1, Blank::Space),
                _ if rest.starts_with(b"//") => {
                    let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                    self.skip(length, Blank::Space);
                }
                _ if rest.starts_with(b"/*") => {
                    let length = end_of(rest, 2, b"*/")?;
                    let breaks = rest[..length].contains(&b'\n');
                    self.skip(length, if breaks { Blank::Line } else { Blank::Space });
                }
                b'"' | b'\'' => self.copy(end_of_string(rest, byte)?),
                b'`' => self.template()?,
                b'/' if self.expects_operand() => self.copy(end_of_regex(rest)?),
                b'{' => {
                    depth += 1;
                    self.copy(1);
                }
                b'}' if depth == 0 && closing == Some(b'}') => return Ok(()),
                b'}' => {
                    depth = depth.saturating_sub(1);
                    self.copy(1);
                }
                _ => self.copy(1),
            }
        }
        if closing.is_some() {
            bail!("a template does not end");
        }
        Ok(())
    }

    /// Copies a template; the code in its `${}` is treated as code.
    fn template(&mut self) -> Result<()> {
        self.copy(1);
        loop {
            match self.source.get(self.at..) {
                Some([b'`', ..]) => {
                    self.raw(1);
                    return Ok(());
                }
                Some([b'\\', _, ..]) => self.raw(2),
                Some([b'$', b'{', ..]) => {
                    self.raw(2);
                    self.blank = Blank::None;
                    self.code(Some(b'}'))?;
                    self.blank = Blank::None;
                    self.raw(1);
                }
                Some([_, ..]) => self.raw(1),
                _ => bail!("a template does not end"),
            }
        }
    }

    fn skip(&mut self, length: usize, blank: Blank) {
        self.at += length;
        if blank == Blank::Line || self.blank == Blank::None {
            self.blank = blank;
        }
    }

    fn raw(&mut self, length: usize) {
        self.out
            .extend_from_slice(&self.source[self.at..self.at + length]);
        self.at += length;
    }

    /// Copies `length` bytes, after as much of the pending blank as is needed.
    fn copy(&mut self, length: usize) {
        let next = self.source[self.at];
        if let Some(&last) = self.out.last() {
            match self.blank {
                Blank::Line if !joins(last, next) => self.out.push(b'\n'),
                Blank::Space if !touches(last, next) => self.out.push(b' '),
                _ => {}
            }
        }
        self.blank = Blank::None;
        self.raw(length);
    }

    /// Whether a slash here begins a regular expression rather than a division.
    fn expects_operand(&self) -> bool {
        let Some(&last) = self.out.last() else {
            return true;
        };
        if self.out.ends_with(b"++") || self.out.ends_with(b"--") {
            return false;
        }
        if b"(,=:[!&|?{};+-*%<>~^".contains(&last) {
            return true;
        }
        let word_at = self
            .out
            .iter()
            .rposition(|b| !b.is_ascii_alphanumeric())
            .map_or(0, |at| at + 1);
        matches!(
            &self.out[word_at..],
            b"return" | b"typeof" | b"case" | b"in" | b"of" | b"void"
        )
    }
}

/// Whether `last` and `next` may stand side by side and still be two tokens.
fn touches(last: u8, next: u8) -> bool {
    match (last, next) {
        (b'+', b'+') | (b'-', b'-' | b'>') | (b'<', b'!') | (b'/', b'/' | b'*') => false,
        (b'0'..=b'9', b'.') => false,
        _ => !(is_word(last) && is_word(next)),
    }
}

/// Whether no statement can end between `last` and `next`, or ends there without a line break.
fn joins(last: u8, next: u8) -> bool {
    b"{;,([".contains(&last) || b"}),;]".contains(&next)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"$_#\\".contains(&byte) || !byte.is_ascii()
}

/// The length of what begins `text`, of which `opening` is known, and ends with `mark`.
fn end_of(text: &[u8], opening: usize, mark: &[u8]) -> Result<usize> {
    match text[opening..]
        .windows(mark.len())
        .position(|window| window == mark)
    {
        Some(at) => Ok(opening + at + mark.len()),
        None => bail!("this does not end: {}", excerpt(text)),
    }
}

fn end_of_string(text: &[u8], quote: u8) -> Result<usize> {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => break,
            _ if byte == quote => return Ok(at + 1),
            _ => {}
        }
        at += 1;
    }
    bail!("a string does not end: {}", excerpt(text))
}

fn end_of_regex(text: &[u8]) -> Result<usize> {
    let mut in_class = false;
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return Ok(at + 1),
            b'\n' => break,
            _ => {}
        }
        at += 1;
    }
    bail!("a regular expression does not end: {}", excerpt(text))
}

fn excerpt(text: &[u8]) -> String {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{script, style};

    #[test]
    fn comments_and_blanks_go() {
        assert_eq!(script("a++ / 2 / b").unwrap(), "a++/2/b");
        let source = "// head\n  let a = 1; /* x */ let b = a / 2; // tail\n\n\n  go(a, b);\n";
        assert_eq!(script(source).unwrap(), "let a=1;let b=a/2;go(a,b);");
    }

    #[test]
    fn a_line_break_that_may_end_a_statement_stays() {
        assert_eq!(
            script("let a = b\n  let c = d\n").unwrap(),
            "let a=b\nlet c=d"
        );
        assert_eq!(script("return\n  x").unwrap(), "return\nx");
        assert_eq!(
            script("f(\n a\n)\n{\n b\n}\n(c)").unwrap(),
            "f(a)\n{b}\n(c)"
        );
        assert_eq!(script("return /* over\nlines */ x").unwrap(), "return\nx");
    }

    #[test]
    fn words_and_signs_stay_apart() {
        let source = "new  Thing + +a - -b in c / /x/g * 1 .e -- > $";
        assert_eq!(
            script(source).unwrap(),
            "new Thing+ +a- -b in c/ /x/g*1 .e-- >$"
        );
        assert_eq!(script("a\t<\t! --b").unwrap(), "a< !--b");
    }

    #[test]
    fn strings_templates_and_expressions_stay() {
        for source in [
            r#"a="//  no";b='/* no */';"#,
            r#"a="quote \" // still";"#,
            "t=`two  // lines\n  /* kept */`;",
            r"r=/[/]\/\/  x/g;",
            r"return/  '/.test(x)",
            "t=`a${f(`b  ${c}  `)}  d`;",
            "t=`${{a:1}.a}  \\` ${b}`;",
        ] {
            assert_eq!(script(source).unwrap(), source);
        }
        assert_eq!(script("`${ a /* gone */ + b }  `").unwrap(), "`${a+b}  `");
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for source in ["/* a", "\"a", "'a\n'", "`a", "`${a", "x = /a", "/*/"] {
            assert!(script(source).is_err(), "{source}");
        }
        assert!(style("a{b:'c").is_err());
        assert!(style("/* a").is_err());
    }

    #[test]
    fn styles_lose_blanks_and_keep_meaning() {
        let source = "/* a */\n@layer reset , base;\n.a :hover > b ,\n c {\n  color : red;\n  margin: 0 -1px;\n}\n";
        assert_eq!(
            style(source).unwrap(),
            "@layer reset,base;.a :hover > b,c{color : red;margin: 0 -1px}"
        );
        let kept = ".a::after{content:\"  /* x */ ;\";background:url(./a  b.svg)}";
        assert_eq!(style(kept).unwrap(), kept);
        assert_eq!(
            style("a{width:calc(1px + 2px)}").unwrap(),
            "a{width:calc(1px + 2px)}"
        );
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        let once = script("function f ( a ) {\n  return a ? /x/ : { b : 1 }\n}\n").unwrap();
        assert_eq!(script(&once).unwrap(), once);
    }
}
