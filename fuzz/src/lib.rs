//! Changes texts so that many of them are still schemas.
//!
//! The fuzzer's own changes, of bytes and of words from `schema.dict`, break almost every schema and therefore test
//! only the diagnostics. Changes of whole lines and names also reach the later stages.

use std::ops::Range;

/// Changes the text in `data[..size]` in place, and returns its new length; none if the fuzzer should mutate it itself.
/// The same seed makes the same change.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    let mut dice = Dice(u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    if dice.below(3) == 0 {
        return None;
    }
    let text = std::str::from_utf8(&data[..size]).ok()?;
    let changed = match dice.below(4) {
        0 => move_line(text, &mut dice, true),
        1 => move_line(text, &mut dice, false),
        2 => remove_line(text, &mut dice),
        _ => replace_word(text, &mut dice),
    }?;
    let room = data.get_mut(..changed.len().min(max_size))?;
    // Cut at the end of the buffer: a truncated character is useful input too.
    room.copy_from_slice(&changed.as_bytes()[..room.len()]);
    Some(room.len())
}

/// Copies a line to another place. It also remains in its own place if it `stays`.
fn move_line(text: &str, dice: &mut Dice, stays: bool) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let from = dice.below(lines.len());
    let line = *lines.get(from)?;
    if !stays {
        lines.remove(from);
    }
    lines.insert(dice.below(lines.len() + 1), line);
    Some(lines.concat())
}

fn remove_line(text: &str, dice: &mut Dice) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return None;
    }
    lines.remove(dice.below(lines.len()));
    Some(lines.concat())
}

/// Replaces a word with another.
fn replace_word(text: &str, dice: &mut Dice) -> Option<String> {
    let words = words(text);
    let (from, to) = (words.get(dice.below(words.len()))?.clone(), words.get(dice.below(words.len()))?.clone());
    Some(format!("{}{}{}", &text[..from.start], &text[to], &text[from.end..]))
}

/// Names, attributes, and marks at the end of names.
fn words(text: &str) -> Vec<Range<usize>> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_@.?[]".contains(letter);
    let parts = text.split(|letter| !is_part(letter)).filter(|word| !word.is_empty());
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    parts.map(|word| start(word)..start(word) + word.len()).collect()
}

/// Numbers derived from the seed.
struct Dice(u64);

impl Dice {
    /// Returns a number less than `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        // Xorshift: good enough to choose a line.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }
}
