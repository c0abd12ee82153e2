//! `-- lint:allow D103 reason`: accepts a finding, with a reason.

/// Whether the comments above a statement allow one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Nothing.
    None,
    /// It is allowed, for this reason.
    Reason(String),
    /// It is allowed without a reason, which has no effect.
    NoReason,
}

impl Allowance {
    /// Reads the comment lines directly above line `line`, which counts from 1.
    pub(crate) fn find(lines: &[&str], line: u32, code: &str) -> Self {
        let above = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1).min(lines.len());
        let comments = lines[..above].iter().rev().map(|line| line.trim());
        let mut found = Self::None;
        for comment in comments.take_while(|line| line.is_empty() || line.starts_with("--")) {
            match Self::read(comment, code) {
                Self::None => {}
                Self::NoReason => found = Self::NoReason,
                reason => return reason,
            }
        }
        found
    }

    fn read(comment: &str, code: &str) -> Self {
        let text = comment.trim_start_matches('-').trim();
        let Some(text) = text.strip_prefix("lint:allow") else { return Self::None };
        let text = text.trim_start();
        let (named, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (named.eq_ignore_ascii_case(code), reason.trim()) {
            (false, _) => Self::None,
            (true, "") => Self::NoReason,
            (true, reason) => Self::Reason(reason.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, code: &str) -> Allowance {
        let lines: Vec<_> = text.lines().collect();
        Allowance::find(&lines, u32::try_from(lines.len()).unwrap_or_default(), code)
    }

    #[test]
    fn a_reason_allows_a_code_for_the_next_statement_only() {
        let reason = Allowance::Reason("moved in 2025".to_owned());
        assert_eq!(find("-- lint:allow D103 moved in 2025\nDROP", "D103"), reason);
        assert_eq!(find("--lint:allow d103   moved in 2025\n\n-- L302: waits\nDROP", "D103"), reason);
        assert_eq!(find("-- lint:allow D103\nDROP", "D103"), Allowance::NoReason);
        assert_eq!(find("-- lint:allow D102 moved in 2025\nDROP", "D103"), Allowance::None);
        assert_eq!(find("-- lint:allow D103 moved in 2025\nSELECT 1;\nDROP", "D103"), Allowance::None);
        assert_eq!(Allowance::find(&[], 7, "D103"), Allowance::None);
    }
}
