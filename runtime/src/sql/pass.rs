//! The result of walking over a query: the text of its statement, or the shape by which a connection identifies that
//! text.
//!
//! There is one walk, the methods of `Writer`, and a pass per result. Where the text depends on the query, the walk
//! passes a word to the pass, besides the text. So two queries with the same shape have the same text: the shape
//! consists of all words of the walk, and is compared in full. Rare queries have no shape.

use std::fmt::Write;

/// The result of a walk.
pub(crate) trait Pass {
    /// Whether it creates text. Other passes need not collect what is used only for text.
    const IS_TEXT: bool;

    /// Appends text.
    fn push(&mut self, text: &str);

    /// Appends an identifier in double quotes.
    fn push_quoted(&mut self, name: &str);

    /// Appends a number.
    fn push_number(&mut self, number: u32);

    /// Adds a word that the following text depends on.
    fn word(&mut self, word: usize);

    /// Marks that the text depends on more than the words.
    fn give_up(&mut self);

    /// Adds a static as a word, by its address.
    #[inline]
    fn address<T>(&mut self, known: &T) {
        self.word(std::ptr::from_ref(known).addr());
    }

    /// Adds two small numbers, and their kind, as a word.
    #[inline]
    fn numbers(&mut self, kind: usize, number: u16, more: u16) {
        self.word(kind | usize::from(number) << 8 | usize::from(more) << 24);
    }

    /// Adds one of several texts that are known at compile time.
    fn static_text(&mut self, text: &'static str) {
        self.push(text);
        self.word(text.as_ptr().addr());
        self.word(text.len());
    }
}

/// The text of a statement.
#[derive(Debug)]
pub(crate) struct Text(pub(super) String);

impl Text {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(512))
    }
}

impl Pass for Text {
    const IS_TEXT: bool = true;

    fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn push_quoted(&mut self, name: &str) {
        relata_pgsql::push_ident(&mut self.0, name);
    }

    /// Nearly all have one digit, and `write!` is some fifty times slower.
    fn push_number(&mut self, number: u32) {
        match char::from_digit(number, 10) {
            Some(digit) => self.0.push(digit),
            // Writing into a String cannot fail.
            None => drop(write!(self.0, "{number}")),
        }
    }

    #[inline]
    fn word(&mut self, _: usize) {}

    #[inline]
    fn give_up(&mut self) {}
}

/// The maximum number of words of a shape.
const MAX_WORDS: usize = 48;

/// The shape of a statement: everything that its text depends on.
#[derive(Debug)]
pub(crate) struct Shape {
    words: [usize; MAX_WORDS],
    /// Larger than the maximum if there is no shape: it is too long, or the text depends on more than the words.
    length: usize,
}

impl Shape {
    pub(super) fn new() -> Self {
        Self { words: [0; MAX_WORDS], length: 0 }
    }

    /// Returns its words; `None` if it has no shape.
    pub(super) fn words(&self) -> Option<&[usize]> {
        self.words.get(..self.length)
    }
}

impl Pass for Shape {
    const IS_TEXT: bool = false;

    #[inline]
    fn push(&mut self, _: &str) {}

    #[inline]
    fn push_quoted(&mut self, _: &str) {}

    #[inline]
    fn push_number(&mut self, _: u32) {}

    #[inline]
    fn word(&mut self, word: usize) {
        if let Some(place) = self.words.get_mut(self.length) {
            *place = word;
            self.length += 1;
        } else {
            self.give_up();
        }
    }

    #[inline]
    fn give_up(&mut self) {
        self.length = usize::MAX;
    }
}
