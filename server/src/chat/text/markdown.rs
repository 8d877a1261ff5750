//! An agent's Markdown. Only marks within a line mean something; all else stays as typed.

use super::{Runs, links};
use parlour_protocol::text::Run;
use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// The runs of a text, addresses in it not linked yet.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut reader = Reader {
        text,
        runs: Runs::default(),
        at: 0,
        line_start: true,
        strong: 0,
        emphasis: 0,
        links: Vec::new(),
        skip_until: 0,
        fenced: false,
    };
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        // Up to there a link was taken as typed, because it may not be one.
        if range.end > reader.skip_until {
            reader.event(event, range);
        }
    }
    reader.gap(text.len(), "");
    reader.runs.0
}

struct Reader<'t> {
    text: &'t str,
    runs: Runs,
    /// How far the text is read, in bytes.
    at: usize,
    /// Whether nothing but marks of blocks was read on this line.
    line_start: bool,
    strong: usize,
    emphasis: usize,
    links: Vec<Link>,
    skip_until: usize,
    fenced: bool,
}

struct Link {
    href: String,
    /// Whether something stands between its brackets.
    filled: bool,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) if self.fenced => self.push(&text, true),
            Event::Text(text) => self.text(&text, range),
            Event::Code(code) => {
                self.gap(range.start, "");
                self.push(&code, true);
                self.pass(range.end);
            }
            Event::SoftBreak | Event::HardBreak => {
                self.push("\n", false);
                self.at = range.end;
                self.line_start = true;
            }
            _ => self.as_typed(range),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Strong => self.strong += 1,
            Tag::Emphasis => self.emphasis += 1,
            Tag::Link {
                link_type: LinkType::Email,
                dest_url,
                ..
            } => {
                return self.link(&["mailto:", &*dest_url].concat(), range);
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                return self.link(&dest_url, range);
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => self.fenced = true,
            _ => return,
        }
        self.gap(range.start, "");
        self.pass(range.start);
    }

    fn link(&mut self, address: &str, range: Range<usize>) {
        match links::href(address) {
            Some(href) => {
                self.gap(range.start, "");
                self.pass(range.start);
                self.links.push(Link {
                    href,
                    filled: false,
                });
            }
            None => {
                self.skip_until = range.end;
                self.as_typed(range);
            }
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => {
                if let Some(Link {
                    href,
                    filled: false,
                }) = self.links.last()
                {
                    let href = href.clone();
                    self.push(&href, false);
                }
                self.links.pop();
            }
            TagEnd::CodeBlock if self.fenced => return self.end_fence(&range),
            _ => return,
        }
        self.pass(range.end);
    }

    /// The line break before the closing fence is not part of the code, and the one after
    /// it was not read yet.
    fn end_fence(&mut self, range: &Range<usize>) {
        self.fenced = false;
        if let Some(last) = self.runs.0.last_mut()
            && last.code
            && last.text.ends_with('\n')
        {
            last.text.pop();
        }
        self.runs.0.pop_if(|last| last.text.is_empty());
        let block = self.text.get(range.clone()).unwrap_or_default();
        self.pass(range.start + block.trim_end_matches('\n').len());
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        self.gap(range.start, text);
        self.push(text, false);
        self.pass(range.end);
        self.line_start = text.ends_with('\n');
    }

    fn as_typed(&mut self, range: Range<usize>) {
        self.gap(range.start, "");
        let text = self.text.get(range.clone()).unwrap_or_default();
        self.push(text, false);
        self.pass(range.end);
        self.line_start = text.ends_with('\n');
    }

    fn pass(&mut self, to: usize) {
        self.at = to;
        self.line_start = false;
    }

    /// What no event covers, up to `to`: at the start of a line the marks of blocks, which
    /// stay as typed; within a line the marks that were understood, which go.
    fn gap(&mut self, to: usize, next: &str) {
        let gap = self.text.get(self.at..to).unwrap_or_default();
        let kept = match gap.find('\n') {
            _ if self.line_start => gap,
            Some(line_break) => &gap[line_break..],
            None => "",
        };
        // A mark that was escaped; the backslash before it goes.
        let escapes = next.starts_with(|char: char| char.is_ascii_punctuation());
        let kept = if escapes {
            kept.strip_suffix('\\').unwrap_or(kept)
        } else {
            kept
        };
        self.runs.push(Run::plain(kept));
        self.at = self.at.max(to);
    }

    fn push(&mut self, text: &str, code: bool) {
        for link in &mut self.links {
            link.filled |= !text.trim().is_empty();
        }
        // An image in a link points where the link does.
        let href = self.links.first().map(|link| link.href.clone());
        let (strong, emphasis) = (self.strong > 0, self.emphasis > 0);
        self.runs.push(Run {
            text: text.to_owned(),
            strong,
            emphasis,
            code,
            href,
        });
    }
}
