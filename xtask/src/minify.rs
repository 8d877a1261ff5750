//! Drops comments and blanks of scripts. Names stay as they are: compression takes care of most of what a
//! real minifier would save, and what is served can still be read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

/// A script without comments and needless blanks. Strings, templates and regular expressions
/// are left alone, and so is every line break that could end a statement.
///
/// # Errors
/// When a comment, string, template or regular expression does not end.
pub(crate) fn script(source: &str) -> Result<String> {
    scan(source, &BTreeMap::new())
}

/// As [`script`], and with a letter or two in the place of each name that the source lists in comments
/// of the form `// shorten: one two`. A listed name must be a variable only: what follows a dot or
/// is a key before a colon stays, but shorthands and methods look like variables.
///
/// # Errors
/// As [`script`], and when a listed name is no variable of the script.
pub(crate) fn shortened(source: &str) -> Result<String> {
    let listed = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("// shorten:"));
    let names: Vec<&str> = listed.flat_map(str::split_whitespace).collect();
    let plain = script(source)?;
    for name in &names {
        let alone = BTreeMap::from([(*name, "$".to_owned())]);
        ensure!(
            scan(source, &alone)? != plain,
            "{name} is to be shortened, but no variable"
        );
    }
    renamed(source, names.into_iter())
}

/// As [`script`], and with a letter or two in the place of each of the variables `names`.
///
/// # Errors
/// As [`script`], and when there are more than some three hundred names.
pub(crate) fn renamed<'a>(source: &'a str, names: impl Iterator<Item = &'a str>) -> Result<String> {
    let words: BTreeSet<&str> = source
        .split(|c: char| !c.is_ascii() || !is_word(c as u8))
        .collect();
    let letters = ('a'..='z').chain('A'..='Z').map(String::from);
    let pairs = ('a'..='z').flat_map(|letter| (0..10).map(move |digit| format!("{letter}{digit}")));
    let mut free = letters
        .chain(pairs)
        .filter(|short| !words.contains(short.as_str()));
    // The commonest first: there are fewer letters than pairs.
    let mut names: Vec<&str> = names.collect::<BTreeSet<_>>().into_iter().collect();
    names.sort_by_key(|name| Reverse(source.matches(name).count()));
    let mut short = BTreeMap::new();
    for name in names {
        short.insert(name, free.next().context("too many names to shorten")?);
    }
    scan(source, &short)
}

fn scan(source: &str, short: &BTreeMap<&str, String>) -> Result<String> {
    let mut scanner = Scanner {
        source: source.as_bytes(),
        at: 0,
        out: Vec::with_capacity(source.len()),
        blank: Blank::None,
        short,
    };
    scanner.code(None)?;
    // Only whole characters were copied, and only ASCII was dropped.
    Ok(String::from_utf8(scanner.out)?)
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
    short: &'a BTreeMap<&'a str, String>,
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
                _ if is_word(byte) => self.word(),
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

    /// Copies a name, a keyword or a number; a name that is to be shortened becomes its letter.
    fn word(&mut self) {
        let rest = &self.source[self.at..];
        let length = rest
            .iter()
            .position(|&byte| !is_word(byte))
            .unwrap_or(rest.len());
        let short = std::str::from_utf8(&rest[..length])
            .ok()
            .and_then(|name| self.short.get(name));
        let next = rest[length..]
            .iter()
            .find(|byte| !byte.is_ascii_whitespace());
        let is_member = self.out.ends_with(b".") && !self.out.ends_with(b"...");
        let is_key = next == Some(&b':') && matches!(self.out.last(), Some(b'{' | b','));
        let Some(letter) = short.filter(|_| !is_member && !is_key) else {
            return self.copy(length);
        };
        self.copy(1);
        self.out.pop();
        self.out.extend_from_slice(letter.as_bytes());
        self.at += length - 1;
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
        // Not where the semicolon is a statement of its own.
        if next == b'}'
            && self.out.ends_with(b";")
            && !self.out.ends_with(b");")
            && !self.out.ends_with(b"else;")
        {
            self.out.pop();
        }
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
pub(crate) fn end_of(text: &[u8], opening: usize, mark: &[u8]) -> Result<usize> {
    match text[opening..]
        .windows(mark.len())
        .position(|window| window == mark)
    {
        Some(at) => Ok(opening + at + mark.len()),
        None => bail!("this does not end: {}", excerpt(text)),
    }
}

/// The length of the string that begins `text`.
pub(crate) fn end_of_string(text: &[u8], quote: u8) -> Result<usize> {
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
    use super::{script, shortened};

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
    fn a_semicolon_goes_where_a_block_ends() {
        assert_eq!(script("{ a; }").unwrap(), "{a}");
        for source in ["{while(a);}", "{if(a)b;else;}", "for(;;){}"] {
            assert_eq!(script(source).unwrap(), source);
        }
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
    }

    #[test]
    fn listed_variables_become_letters() {
        let source = "// shorten: one two\nconst a = 1, one = {two: 2}; f(one.two, [...two]);\n\
                      g(`two ${two} one`, 'one', x ? one : two) // one\n";
        assert_eq!(
            shortened(source).unwrap(),
            "const a=1,b={two:2};f(b.two,[...c]);g(`two ${c} one`,'one',x?b:c)"
        );
        assert!(shortened("// shorten: gone\nlet x = 1;").is_err());
        assert!(shortened("// shorten: key\nlet x = {key: y.key};").is_err());
        let many: String = (0..60).map(|n| format!("v{n} ")).collect();
        let source = format!("// shorten: {many}\n[{}]", many.replace(' ', ","));
        assert!(shortened(&source).unwrap().contains("Y,Z,a0,a1,"));
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        let once = script("function f ( a ) {\n  return a ? /x/ : { b : 1 }\n}\n").unwrap();
        assert_eq!(script(&once).unwrap(), once);
    }
}
