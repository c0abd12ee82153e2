//! The text of comments.

/// Returns the text of a comment in the database as a `///` comment of a schema can have it: without blanks at the end of
/// a line, and without empty lines at the end.
pub fn normal_comment(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::normal_comment;

    #[test]
    fn blanks_and_lines_at_the_end_say_nothing() {
        assert_eq!(normal_comment("a  \r\n  b\rc \n\n \n"), "a\n  b\nc");
        assert_eq!(normal_comment(" \t"), "");
        assert_eq!(normal_comment("\n a"), "\n a");
    }
}
