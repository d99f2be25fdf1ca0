//! A Markdown document as blocks of plain text.
//!
//! Hides the parser (pulldown-cmark) and what people write beside Markdown: `•` for a list item. Links become `words (address)`, pictures their words
//! and address, emphasis nothing.
//!
//! Invariant: every word of the document is in some block, in the document's order.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading of a level from 1, and its words.
    Heading(u8, String),
    /// Words; line breaks that the author forced stay.
    Text(String),
    /// Code as it stands, behind what its fence says of it.
    Code(String, String),
    /// List items, each with blocks of its own; numbered ones count from the number.
    List(Option<u64>, Vec<Vec<Block>>),
    /// The cells of a table's rows.
    Table(Vec<Vec<String>>),
    /// What is for machines: HTML, front matter, addresses that nothing refers to.
    Aside(String),
}

/// Reads a document.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let text = with_dashes(text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let parser = Parser::new_ext(&text, options);
    let addresses: Vec<String> = parser
        .reference_definitions()
        .iter()
        .map(|(name, definition)| {
            let title = definition.title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
            format!("[{name}]: {}{title}", definition.dest)
        })
        .collect();
    let mut reader = Reader { events: parser.collect::<Vec<_>>().into_iter().peekable() };
    let mut blocks = reader.until(None);
    let all = blocks.iter().map(words_of).collect::<Vec<_>>().join("\n");
    // The name of an address stands in no block: it is told where it says more than the place that uses it.
    let unsaid = addresses.into_iter().filter(|address| address.split_whitespace().any(|word| !all.contains(word)));
    blocks.extend(unsaid.map(Block::Aside));
    blocks
}

/// Bullets that are none in Markdown become dashes, but for those in fenced code.
fn with_dashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start();
        let opens = ["```", "~~~"].into_iter().find(|mark| inner.starts_with(mark));
        match (fence, opens) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        let bullet = inner.strip_prefix(['•', '◦', '▪', '‣', '●', '○']).filter(|_| fence.is_none());
        match bullet.filter(|rest| rest.starts_with(char::is_whitespace)) {
            Some(rest) => {
                out.push_str(&line[..line.len() - inner.len()]);
                out.push('-');
                out.push_str(rest);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// All words of a block.
pub(super) fn words_of(block: &Block) -> String {
    match block {
        Block::Heading(_, text) | Block::Text(text) | Block::Aside(text) => text.clone(),
        Block::Code(about, text) => format!("{about}\n{text}"),
        Block::List(_, items) => items.iter().flatten().map(words_of).collect::<Vec<_>>().join("\n"),
        Block::Table(rows) => rows.iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n"),
    }
}

struct Reader<'a, I: Iterator<Item = Event<'a>>> {
    events: std::iter::Peekable<I>,
}

impl<'a, I: Iterator<Item = Event<'a>>> Reader<'a, I> {
    /// The blocks up to an end, which is taken.
    fn until(&mut self, end: Option<TagEnd>) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some(event) = self.events.peek() {
            match event {
                Event::End(tag) if Some(*tag) == end => {
                    self.events.next();
                    break;
                }
                Event::End(_) | Event::Rule => {
                    self.events.next();
                }
                Event::Start(tag) if is_block(tag) => {
                    let Some(Event::Start(tag)) = self.events.next() else { break };
                    self.block(tag, &mut blocks);
                }
                // A tight list item has its words without a paragraph around them.
                Event::Start(_)
                | Event::Text(_)
                | Event::Code(_)
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::FootnoteReference(_)
                | Event::SoftBreak
                | Event::HardBreak
                | Event::TaskListMarker(_) => {
                    let text = self.text();
                    if !text.trim().is_empty() {
                        blocks.push(Block::Text(text.trim().to_owned()));
                    }
                }
            }
        }
        blocks
    }

    fn block(&mut self, tag: Tag<'a>, blocks: &mut Vec<Block>) {
        let end = tag.to_end();
        match tag {
            Tag::Heading { level, .. } => {
                let text = self.words_until(end);
                blocks.push(Block::Heading(number(level), text));
            }
            Tag::CodeBlock(kind) => {
                let about = match kind {
                    CodeBlockKind::Fenced(about) => about.trim().to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                let text = self.raw_until(end);
                blocks.push(Block::Code(about, text.trim_end().to_owned()));
            }
            Tag::List(first) => {
                let mut items = Vec::new();
                while let Some(event) = self.events.next() {
                    match event {
                        Event::Start(Tag::Item) => items.push(self.until(Some(TagEnd::Item))),
                        Event::End(tag) if tag == end => break,
                        _ => {}
                    }
                }
                blocks.push(Block::List(first, items));
            }
            Tag::Table(_) => blocks.push(Block::Table(self.table())),
            Tag::HtmlBlock | Tag::MetadataBlock(_) => {
                let text = self.raw_until(end);
                blocks.push(Block::Aside(text.trim().to_owned()));
            }
            Tag::Paragraph => {
                let text = self.words_until(end);
                blocks.push(Block::Text(text));
            }
            // A quotation is what it says.
            _ => blocks.extend(self.until(Some(end))),
        }
    }

    fn table(&mut self) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
                Event::Start(Tag::TableCell) => {
                    let cell = self.words_until(TagEnd::TableCell);
                    if let Some(row) = rows.last_mut() {
                        row.push(cell);
                    }
                }
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        rows
    }

    fn words_until(&mut self, end: TagEnd) -> String {
        let text = self.text();
        if self.events.peek() == Some(&Event::End(end)) {
            self.events.next();
        }
        text.trim().to_owned()
    }

    fn raw_until(&mut self, end: TagEnd) -> String {
        let mut out = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::End(tag) if tag == end => break,
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) | Event::Code(text) => {
                    out.push_str(&text)
                }
                _ => {}
            }
        }
        out
    }

    /// The words from here to the next begin or end of a block.
    fn text(&mut self) -> String {
        let mut out = String::new();
        // Addresses of the links and pictures that are open, and where their words begin.
        let mut open: Vec<(String, usize)> = Vec::new();
        while let Some(event) = self.events.peek() {
            match event {
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => out.push_str(text),
                Event::Code(text) => {
                    out.push('`');
                    out.push_str(text);
                    out.push('`');
                }
                Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                    out.push_str(text)
                }
                // A line that was wrapped goes on.
                Event::SoftBreak => out.push(' '),
                Event::HardBreak => out.push('\n'),
                Event::TaskListMarker(is_done) => out.push_str(if *is_done { "[x] " } else { "" }),
                Event::Start(Tag::Link { dest_url, title, .. } | Tag::Image { dest_url, title, .. }) => {
                    let title = if title.is_empty() { String::new() } else { format!(", {title}") };
                    open.push((format!("{dest_url}{title}"), out.len()));
                }
                Event::End(TagEnd::Link | TagEnd::Image) => {
                    if let Some((address, begin)) = open.pop()
                        && !address.is_empty()
                        && !out[begin..].contains(&address)
                    {
                        let gap = if out[begin..].is_empty() { "" } else { " " };
                        out.push_str(&format!("{gap}({address})"));
                    }
                }
                Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Superscript | Tag::Subscript)
                | Event::End(
                    TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Superscript | TagEnd::Subscript,
                ) => {}
                Event::Start(_) | Event::End(_) | Event::Rule => break,
            }
            self.events.next();
        }
        out
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(
        tag,
        Tag::Link { .. }
            | Tag::Image { .. }
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
    )
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
