//! The texts to compile, and the line and column of each byte.

use super::Span;

/// A schema: one file or several, in the order of the caller.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The files. A `Span` names a file by its index among these, the views and the objects, in this order.
    pub files: Vec<SourceFile>,
    /// The queries of views: `views/NAME.sql`.
    pub views: Vec<SourceFile>,
    /// Functions, procedures, triggers and policies: `sql/**/*.sql`.
    pub objects: Vec<SourceFile>,
    /// The codes of warnings that the project accepts everywhere, such as `R0716`: see [`allowable`](super::allowable).
    pub allowed: Vec<String>,
}

/// One file of a schema.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path, as diagnostics show it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A line and a column, as editors count: both start at 1, and columns count characters.
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
        Sources { files: vec![SourceFile { path: path.into(), text: text.into() }], ..Sources::default() }
    }

    /// Returns the file of a span; `None` if the span belongs to other sources.
    pub fn file(&self, span: Span) -> Option<&SourceFile> {
        self.all().nth(span.file as usize)
    }

    /// Returns the files of the schema, then those of views, then those of objects.
    pub fn all(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().chain(&self.views).chain(&self.objects)
    }
}

impl SourceFile {
    /// Returns the location of a byte. A byte after the end is at the end.
    pub fn location(&self, byte: u32) -> Location {
        let byte = self.floor(byte);
        let starts = line_breaks(&self.text).map(|at| at + 1).take_while(|start| *start <= byte);
        let (before, start) = starts.fold((0, 0), |(before, _), start| (before + 1, start));
        Location { line: before + 1, column: self.text[start..byte].chars().count() + 1 }
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

    /// Returns the byte, moved back to the start of a character.
    fn floor(&self, byte: u32) -> usize {
        let mut byte = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// The first bytes of all lines of all files. Faster than [`SourceFile::location`] for many places, which counts from
/// the top each time.
#[derive(Debug)]
pub struct Places<'s> {
    files: Vec<&'s SourceFile>,
    /// For each file, the first byte of every line except the first line.
    lines: Vec<Vec<usize>>,
}

impl<'s> Places<'s> {
    /// Reads the files once.
    pub fn new(sources: &'s Sources) -> Self {
        let files: Vec<_> = sources.all().collect();
        let lines = files.iter().map(|file| line_breaks(&file.text).map(|at| at + 1).collect()).collect();
        Self { files, lines }
    }

    /// Returns the file and the location where a span begins; `None` if the span belongs to other sources.
    pub fn start(&self, span: Span) -> Option<(&'s SourceFile, Location)> {
        self.locate(span.file, span.start)
    }

    /// Returns the file and the location after the last byte of a span; `None` if the span belongs to other sources.
    pub fn end(&self, span: Span) -> Option<(&'s SourceFile, Location)> {
        self.locate(span.file, span.end)
    }

    fn locate(&self, file: u32, byte: u32) -> Option<(&'s SourceFile, Location)> {
        let (file, lines) = (*self.files.get(file as usize)?, self.lines.get(file as usize)?);
        let byte = file.floor(byte);
        let line = lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).map_or(0, |before| lines[before]);
        Some((file, Location { line: line + 1, column: file.text[start..byte].chars().count() + 1 }))
    }
}

/// Returns every line break: LF, CRLF (as the position of LF), or CR alone.
fn line_breaks(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).filter(move |at| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::{Location, Places, SourceFile, Sources, Span};

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

    #[test]
    fn many_places_are_the_same_places() {
        let sources = Sources::single("", "ä b\r\nc\rd\n\ne");
        let places = Places::new(&sources);
        for byte in 0..=20 {
            let span = Span { file: 0, start: byte, end: byte };
            let found = places.start(span).map(|(_, location)| location);
            assert_eq!(found, Some(sources.files[0].location(byte)), "byte {byte}");
        }
        assert!(places.end(Span { file: 1, start: 0, end: 0 }).is_none());
    }
}
