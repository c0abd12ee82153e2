//! The texts that are compiled, and where a byte of them is.

use super::Span;

/// A schema: one file or several, in the order the caller gives.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The files; a `Span` names one by its index.
    pub files: Vec<SourceFile>,
}

/// One file of a schema.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As diagnostics show it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A place as people count: lines and columns start at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Sources {
    /// A schema of one file.
    pub fn single(path: impl Into<String>, text: impl Into<String>) -> Self {
        Sources { files: vec![SourceFile { path: path.into(), text: text.into() }] }
    }

    /// The file of a span; none if the span is of other sources.
    pub fn file(&self, span: Span) -> Option<&SourceFile> {
        self.files.get(span.file as usize)
    }
}

impl SourceFile {
    /// Where a byte is. A byte past the end is at the end.
    pub fn location(&self, byte: u32) -> Location {
        let start = self.line_start(byte);
        let line = line_breaks(&self.text[..start]).count() + 1;
        let column = self.text[start..self.floor(byte)].chars().count() + 1;
        Location { line, column }
    }

    /// The text of the line that a byte is in, without the line break.
    pub fn line_text(&self, byte: u32) -> &str {
        let rest = &self.text[self.line_start(byte)..];
        &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())]
    }

    /// The first byte of the line that a byte is in.
    pub(crate) fn line_start(&self, byte: u32) -> usize {
        let before = &self.text[..self.floor(byte)];
        before.rfind(['\n', '\r']).map_or(0, |at| at + 1)
    }

    /// The byte, moved back to where a character starts.
    fn floor(&self, byte: u32) -> usize {
        let mut byte = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// Every line break: LF, CRLF, or CR alone.
fn line_breaks(text: &str) -> impl Iterator<Item = ()> {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .filter(move |at| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::{Location, SourceFile};

    #[test]
    fn places_are_counted_in_characters_with_any_line_end() {
        let file = SourceFile { path: String::new(), text: "ä b\r\nc\rd\ne".to_owned() };
        assert_eq!(file.location(3), Location { line: 1, column: 3 });
        assert_eq!(file.location(6), Location { line: 2, column: 1 });
        assert_eq!(file.location(8), Location { line: 3, column: 1 });
        assert_eq!(file.location(10), Location { line: 4, column: 1 });
        assert_eq!(file.location(99), Location { line: 4, column: 2 });
        assert_eq!(file.line_text(6), "c");
    }
}
