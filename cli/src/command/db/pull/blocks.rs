//! Splits the text of a schema file into blocks and lines, so that unchanged parts keep their text.

use std::collections::BTreeMap;

use relata_codegen::sql::normal_comment;

/// A block, or the text after the last block of the file.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// `model`, `enum` and so on; empty for the text after the last block.
    pub(super) keyword: String,
    pub(super) name: String,
    /// Comments and empty lines before it.
    pub(super) above: String,
    /// The whole block, from the keyword to the closing brace.
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
    /// Comments and empty lines after the last line.
    pub(super) below: String,
}

/// A line in a block.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The first word: the name of a field or value. Empty for attributes.
    pub(super) key: String,
    /// The comments before it, each with its line break.
    pub(super) above: String,
    pub(super) text: String,
}

impl Line {
    pub(super) fn new(key: &str, text: String) -> Self {
        Self { key: key.to_owned(), above: String::new(), text }
    }

    /// Returns the comment at the end of the line.
    fn trailing(&self) -> Option<&str> {
        let mut is_quoted = false;
        let bytes = self.text.as_bytes();
        for at in 0..bytes.len() {
            match bytes[at] {
                b'\\' if is_quoted => {}
                b'"' if at == 0 || bytes[at - 1] != b'\\' => is_quoted = !is_quoted,
                b'/' if !is_quoted && bytes.get(at + 1) == Some(&b'/') => return Some(&self.text[at..]),
                _ => {}
            }
        }
        None
    }
}

impl Block {
    pub(super) fn by_key(&self) -> BTreeMap<&str, &Line> {
        self.lines.iter().filter(|line| !line.key.is_empty()).map(|line| (line.key.as_str(), line)).collect()
    }
}

/// Gives a new line the comments of the line that it replaces.
pub(super) fn with_comments(mut line: Line, old: Option<&&Line>) -> Line {
    if let Some(old) = old {
        line.above.clone_from(&old.above);
        if let Some(comment) = old.trailing() {
            line.text = format!("{} {comment}", line.text.trim_end());
        }
    }
    line
}

/// Returns a comment of the database as `///` lines.
pub(super) fn docs(comment: &str, indent: &str) -> String {
    let line = |text: &str| format!("{indent}/// {text}").trim_end().to_owned() + "\n";
    normal_comment(comment).split('\n').map(line).collect()
}

/// Returns the text above a block or a line with other `///` lines.
pub(super) fn with_docs(above: &str, docs: &str) -> String {
    let lines: Vec<&str> = above.lines().collect();
    // Those before an empty line document nothing.
    let own = lines.iter().rposition(|line| line.trim().is_empty()).map_or(0, |at| at + 1);
    let is_kept = |(at, line): &(usize, &&str)| *at < own || !line.trim_start().starts_with("///");
    let kept = lines.iter().enumerate().filter(is_kept).map(|(_, line)| format!("{line}\n"));
    kept.collect::<String>() + docs
}

/// Returns a line with other `///` lines above it.
pub(super) fn with_docs_of(line: &Line, docs: &str) -> Line {
    let mut text = line.text.as_str();
    if let Some(trailing) = line.trailing().filter(|trailing| trailing.starts_with("///")) {
        text = text[..text.len() - trailing.len()].trim_end();
    }
    Line { above: with_docs(&line.above, docs), text: text.to_owned(), key: line.key.clone() }
}

/// Splits a text that compiles.
pub(super) fn split(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    let mut above = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        let words: Vec<&str> = trimmed.split_whitespace().take(3).collect();
        let keyword = words.first().copied().unwrap_or_default();
        let is_header = ["model", "view", "type", "enum", "mixin", "datasource", "generator"].contains(&keyword)
            && trimmed.contains('{');
        if !is_inside && is_header {
            block.keyword = keyword.to_owned();
            block.name = words.get(1).map_or("", |name| name.trim_end_matches('{')).to_owned();
            block.above = std::mem::take(&mut above);
            block.text = format!("{line}\n");
            is_inside = !trimmed.ends_with('}');
            if !is_inside {
                blocks.push(std::mem::take(&mut block));
            }
        } else if is_inside {
            block.text += line;
            block.text += "\n";
            if trimmed.starts_with('}') {
                is_inside = false;
                block.below = std::mem::take(&mut above);
                blocks.push(std::mem::take(&mut block));
            } else if trimmed.is_empty() || trimmed.starts_with("//") {
                above += line;
                above += "\n";
            } else {
                let key = if trimmed.starts_with("@@") { "" } else { keyword };
                block.lines.push(Line {
                    key: key.to_owned(),
                    above: std::mem::take(&mut above),
                    text: line.to_owned(),
                });
            }
        } else {
            above += line;
            above += "\n";
        }
    }
    block.above = above;
    blocks.push(block);
    blocks
}

/// What a mixin adds to a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Mixin {
    /// Its fields, including those of nested mixins.
    pub(super) fields: Vec<String>,
    /// Whether it adds keys or indexes, on separate lines or on a field.
    pub(super) has_attributes: bool,
}

/// Returns the mixins of a schema that compiles, by name.
pub(super) fn mixins<'b>(blocks: impl Iterator<Item = &'b Block>) -> BTreeMap<String, Mixin> {
    let mut left: Vec<&Block> = blocks.filter(|block| block.keyword == "mixin").collect();
    let mut mixins: BTreeMap<String, Mixin> = BTreeMap::new();
    // A mixin comes after those that it contains. No mixin contains itself.
    loop {
        let before = left.len();
        left.retain(|block| match mixin(block, &mixins) {
            Some(mixin) => mixins.insert(block.name.clone(), mixin).is_some(),
            None => true,
        });
        if left.is_empty() || left.len() == before {
            return mixins;
        }
    }
}

/// Returns `None` if it contains a mixin that is not known yet.
fn mixin(block: &Block, known: &BTreeMap<String, Mixin>) -> Option<Mixin> {
    let mut mixin = Mixin::default();
    for line in &block.lines {
        if let Some(name) = line.key.strip_prefix("...") {
            let inner = known.get(name)?;
            mixin.fields.extend(inner.fields.iter().cloned());
            mixin.has_attributes |= inner.has_attributes;
        } else if line.key.is_empty() {
            mixin.has_attributes = true;
        } else {
            mixin.fields.push(line.key.clone());
            mixin.has_attributes |= ["@id", "@unique", "@relation"].iter().any(|it| line.text.contains(it));
        }
    }
    Some(mixin)
}
