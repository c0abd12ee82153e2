//! What `postmaster.pid` says: the server's process, its port, and how far it is.
//!
//! A socket that accepts is not enough (the server then answers 57P03, "starting up"): line 8 has to say "ready".

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// Starting, stopping, or the file is half written.
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) port: u16,
    pub(super) state: State,
}

/// The file in the data folder `data`; `None` when there is no server, as far as the file tells.
pub(super) fn read(data: &Path) -> Option<PidFile> {
    std::fs::read_to_string(data.join("postmaster.pid")).ok().map(|text| parse(&text))
}

fn parse(text: &str) -> PidFile {
    let line = |number: usize| text.lines().nth(number - 1).unwrap_or_default().trim();
    let state = if line(8) == "ready" { State::Ready } else { State::Busy };
    PidFile { pid: line(1).parse().unwrap_or(0), port: line(4).parse().unwrap_or(0), state }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_8_tells_that_the_server_is_ready() {
        let text = "4711\n/d\n1700000000\n40123\n/s\n127.0.0.1\n  1234 5\nready   \n";
        assert_eq!(parse(text), PidFile { pid: 4711, port: 40123, state: State::Ready });
        assert_eq!(parse(&text.replace("ready   ", "starting")).state, State::Busy);
        assert_eq!(parse("4711\n/d\n"), PidFile { pid: 4711, port: 0, state: State::Busy });
        assert_eq!(parse("").pid, 0);
    }
}
