//! Messages of PostgreSQL's protocol, version 3: splits a stream into messages, reads what the pooler needs, writes
//! them.

use bytes::{BufMut, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The engine's own limit.
const LONGEST: usize = 128 * 1024 * 1024;
const READ: usize = 64 * 1024;
const HEADER: usize = 5;
/// Version 3.0.
pub const PROTOCOL: u32 = 3 << 16;

/// A complete message: its tag, its length, its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// Returns a message with `tag` and the body that `write` writes.
    pub fn new(tag: u8, write: impl FnOnce(&mut BytesMut)) -> Self {
        let mut bytes = BytesMut::new();
        bytes.put_u8(tag);
        bytes.put_u32(0);
        write(&mut bytes);
        let length = u32::try_from(bytes.len() - 1).unwrap_or(u32::MAX);
        bytes[1..HEADER].copy_from_slice(&length.to_be_bytes());
        Frame(bytes.freeze())
    }

    pub fn tag(&self) -> u8 {
        self.0[0]
    }

    pub fn body(&self) -> &[u8] {
        &self.0[HEADER..]
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text up to the first zero of the body: the query, the tag of a finished command, the name of a
    /// setting.
    pub fn text(&self) -> String {
        text(self.body()).0
    }

    /// Returns the texts of the body, each of which ends with a zero.
    pub fn texts(&self) -> Vec<String> {
        let mut rest = self.body();
        let mut texts = Vec::new();
        while !rest.is_empty() {
            let (next, after) = text(rest);
            texts.push(next);
            rest = after;
        }
        texts
    }
}

/// Splits `bytes` after the first zero: the text before it, and the rest.
pub fn text(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}

/// Writes `text` and its terminating zero.
pub fn put_text(bytes: &mut BytesMut, text: &str) {
    bytes.put_slice(text.as_bytes());
    bytes.put_u8(0);
}

pub fn query(sql: &str) -> Frame {
    Frame::new(b'Q', |bytes| put_text(bytes, sql))
}

pub fn sync() -> Frame {
    Frame::new(b'S', |_| ())
}

pub fn ready(status: u8) -> Frame {
    Frame::new(b'Z', |bytes| bytes.put_u8(status))
}

pub fn parameter(name: &str, value: &str) -> Frame {
    Frame::new(b'S', |bytes| {
        put_text(bytes, name);
        put_text(bytes, value);
    })
}

/// Returns the message that opens a connection, which has no tag.
pub fn startup(parameters: &[(&str, &str)]) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_u32(0);
    bytes.put_u32(PROTOCOL);
    for (name, value) in parameters {
        put_text(&mut bytes, name);
        put_text(&mut bytes, value);
    }
    bytes.put_u8(0);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Creates an error message, as the server would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub hint: &'static str,
}

impl Refusal {
    pub fn frame(&self, severity: &str) -> Frame {
        Frame::new(b'E', |bytes| {
            let fields =
                [(b'S', severity), (b'V', severity), (b'C', self.code), (b'M', &self.message), (b'H', self.hint)];
            for (field, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
                bytes.put_u8(field);
                put_text(bytes, value);
            }
            bytes.put_u8(0);
        })
    }
}

/// The content of an error.
pub fn message(error: &Frame) -> String {
    let texts = error.texts();
    texts.iter().find_map(|text| text.strip_prefix('M')).unwrap_or("an error without a message").to_owned()
}

/// Returns the same error with the severity that ends the connection.
pub fn as_fatal(error: &Frame) -> Frame {
    Frame::new(b'E', |bytes| {
        let mut rest = error.body();
        while let [field, after @ ..] = rest
            && *field != 0
        {
            let (value, after) = text(after);
            let severity = matches!(field, b'S' | b'V');
            bytes.put_u8(*field);
            put_text(bytes, if severity { "FATAL" } else { &value });
            rest = after;
        }
        bytes.put_u8(0);
    })
}

/// Returns the values of a `DataRow` in text format.
pub fn row(frame: &Frame) -> Vec<Option<String>> {
    let mut rest = frame.body().get(2..).unwrap_or_default();
    let mut values = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let value = length.and_then(|length| after.get(..length));
        values.push(value.map(|value| String::from_utf8_lossy(value).into_owned()));
        rest = after.get(value.map_or(0, <[u8]>::len)..).unwrap_or_default();
    }
    values
}

/// Splits a stream into messages. Any call may be dropped before it completes, without losing data.
pub struct Frames<R> {
    source: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub fn new(source: R) -> Self {
        Frames { source, buffer: BytesMut::new() }
    }

    /// Returns the next message, or none if the other end has closed the connection.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(Some(frame));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Returns the next message if it has already arrived.
    pub fn buffered(&mut self) -> io::Result<Option<Frame>> {
        let Some(length) = self.length_at(1)? else { return Ok(None) };
        Ok(self.take(length + 1).map(Frame))
    }

    /// Returns the body of a message without a tag, as at the start of a connection.
    pub async fn opening(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(length) = self.length_at(0)?
                && let Some(message) = self.take(length)
            {
                return Ok(Some(message.slice(4..)));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    fn length_at(&self, place: usize) -> io::Result<Option<usize>> {
        let Some(length) = self.buffer.get(place..place + 4) else { return Ok(None) };
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if (4..LONGEST).contains(&length) {
            return Ok(Some(length));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")))
    }

    fn take(&mut self, length: usize) -> Option<Bytes> {
        (self.buffer.len() >= length).then(|| self.buffer.split_to(length).freeze())
    }

    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ);
        Ok(self.source.read_buf(&mut self.buffer).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn messages_are_split_wherever_the_stream_breaks() {
        let sent = [query("SELECT 1").bytes(), sync().bytes(), ready(b'I').bytes()].concat();
        for cut in 0..sent.len() {
            let (left, right) = sent.split_at(cut);
            let mut frames = Frames::new(left.chain(right));
            let tags: Vec<u8> = block_on(async {
                let mut tags = Vec::new();
                while let Some(frame) = frames.next().await.expect("is whole") {
                    tags.push(frame.tag());
                }
                tags
            });
            assert_eq!(tags, b"QSZ");
        }
    }

    #[test]
    fn an_impossible_length_is_an_error() {
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &b"Q\0\0\0\x01"[..]] {
            assert!(block_on(Frames::new(bytes).next()).is_err());
        }
    }

    #[test]
    fn an_error_becomes_the_end_of_a_connection() {
        let refusal = Refusal { code: "55P03", message: "no turn".to_owned(), hint: "wait" };
        assert_eq!(as_fatal(&refusal.frame("ERROR")), refusal.frame("FATAL"));
        assert_eq!(message(&refusal.frame("ERROR")), "no turn");
    }

    #[test]
    fn rows_have_their_nulls() {
        let frame = Frame::new(b'D', |bytes| {
            bytes.put_u16(3);
            bytes.put_i32(2);
            bytes.put_slice(b"ab");
            bytes.put_i32(-1);
            bytes.put_i32(0);
        });
        assert_eq!(row(&frame), [Some("ab".to_owned()), None, Some(String::new())]);
    }
}
