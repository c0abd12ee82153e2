//! Parses `postmaster.pid`: the server's process, its port, and its startup status.
//!
//! It is not enough that the socket accepts connections, because the server may then answer 57P03, "starting up": line
//! 8 must say "ready".

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// Starting, stopping, or the file is incomplete.
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) port: u16,
    pub(super) state: State,
}

/// Reads the file in the data folder `data`; `None` if it says that no server is running.
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
