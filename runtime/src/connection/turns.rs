//! Connections on which client and server take turns: nothing more is sent before the server has answered, for poolers that
//! do not follow a client that sends ahead.
//!
//! A stream between the driver and the socket holds back what the driver writes behind a message that asks for an answer,
//! until the answer is there. So this holds for everything that is sent on the connection: statements of one call or of
//! several tasks, what follows a dropped future, and statements that the driver closes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

use super::tls::{Connector, can_encrypt};
use crate::error::{Error, Result};

/// Makes streams that take turns. The driver calls it in place of the connector for TLS, also where nothing is encrypted,
/// so it asks the server about TLS itself.
#[derive(Clone)]
pub(super) struct InTurns {
    tls: Connector,
    mode: SslMode,
    negotiation: SslNegotiation,
}

impl InTurns {
    /// Returns what connects in place of `tls`, and changes the settings so that the driver leaves TLS to it.
    pub(super) fn instead_of(tls: Connector, config: &mut Config) -> Result<Self> {
        #[cfg(unix)]
        if config.get_hosts().iter().any(|host| matches!(host, Host::Unix(_))) {
            return Err(Error::Config(
                "pipeline=false is possible only for hosts, not for sockets in a folder".to_owned(),
            ));
        }
        let one = Self { tls, mode: config.get_ssl_mode(), negotiation: config.get_ssl_negotiation() };
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        Ok(one)
    }
}

type Reason = Box<dyn std::error::Error + Send + Sync>;

impl<S> MakeTlsConnect<S> for InTurns
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Connector: MakeTlsConnect<S>,
    <Connector as MakeTlsConnect<S>>::TlsConnect: Send + 'static,
    <<Connector as MakeTlsConnect<S>>::TlsConnect as TlsConnect<S>>::Future: Send,
    <Connector as MakeTlsConnect<S>>::Stream: Send,
{
    type Stream = Turns<S, <Connector as MakeTlsConnect<S>>::Stream>;
    type TlsConnect = OneInTurns<<Connector as MakeTlsConnect<S>>::TlsConnect>;
    type Error = Reason;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, Reason> {
        let tls = match self.mode {
            SslMode::Disable => None,
            SslMode::Prefer if !can_encrypt() => None,
            _ => Some(MakeTlsConnect::<S>::make_tls_connect(&mut self.tls, domain).map_err(Into::into)?),
        };
        Ok(OneInTurns { tls, must_encrypt: self.mode == SslMode::Require, negotiation: self.negotiation })
    }
}

/// Makes one such stream.
pub(super) struct OneInTurns<T> {
    /// `None` without encryption.
    tls: Option<T>,
    must_encrypt: bool,
    negotiation: SslNegotiation,
}

/// What a client sends to ask for TLS: the length, and a number in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl<S, T> TlsConnect<S> for OneInTurns<T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S> + Send + 'static,
    T::Future: Send,
    T::Stream: Send,
{
    type Stream = Turns<S, T::Stream>;
    type Error = Reason;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Reason>> + Send>>;

    fn connect(self, mut stream: S) -> Self::Future {
        Box::pin(async move {
            let Some(tls) = self.tls else { return Ok(Turns::new(Way::Plain(stream))) };
            if self.negotiation == SslNegotiation::Postgres {
                stream.write_all(&SSL_REQUEST).await?;
                let mut answer = [0];
                stream.read_exact(&mut answer).await?;
                if answer != *b"S" {
                    return match self.must_encrypt {
                        true => Err("server does not support TLS".into()),
                        false => Ok(Turns::new(Way::Plain(stream))),
                    };
                }
            }
            Ok(Turns::new(Way::Encrypted(tls.connect(stream).await.map_err(Into::into)?)))
        })
    }
}

/// The stream itself.
enum Way<S, T> {
    Plain(S),
    Encrypted(T),
}

/// A stream on which the client waits for its turn.
pub(super) struct Turns<S, T> {
    stream: Way<S, T>,
    sent: Messages,
    received: Messages,
    /// Whether the server has not answered yet.
    waits: bool,
    /// What to wake when it has.
    writer: Option<Waker>,
    /// How long the end of the answer may take after an error.
    limit: Option<Pin<Box<Sleep>>>,
}

/// An error is followed by the end of the answer at once. Pgpool-II keeps it back if a deferred constraint fails at the end
/// of a statement, until the client sends more, which it must not do.
const END_LIMIT: Duration = Duration::from_secs(5);

impl<S, T> Turns<S, T> {
    fn new(stream: Way<S, T>) -> Self {
        // The client's first message has no type.
        let (sent, received) = (Messages::untyped(), Messages::typed());
        Self { stream, sent, received, waits: false, writer: None, limit: None }
    }

    /// Records what the server has sent.
    fn note_received(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((kind, length)) = self.received.next_in(rest) {
            // ReadyForQuery ends an answer. In a COPY, the server takes rows, and ignores the Sync that was sent before.
            if matches!(kind, b'Z' | b'G') {
                (self.waits, self.limit) = (false, None);
            }
            if kind == b'E' && self.waits {
                self.limit = Some(Box::pin(tokio::time::sleep(END_LIMIT)));
            }
            rest = &rest[length..];
        }
        if !self.waits
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
    }
}

/// Follows the borders of messages in a stream of bytes.
#[derive(Clone, Copy)]
struct Messages {
    /// The bytes of the head that are known: the type and the length.
    head: [u8; 5],
    known: usize,
    /// How many bytes of the message are to come behind the head.
    rest: usize,
}

impl Messages {
    fn typed() -> Self {
        Self { head: [0; 5], known: 0, rest: 0 }
    }

    fn untyped() -> Self {
        Self { known: 1, ..Self::typed() }
    }

    /// Takes bytes up to the end of a message. Returns its type, and how many bytes it took; `None` if the message goes on
    /// behind these bytes, all of which it took then.
    fn next_in(&mut self, bytes: &[u8]) -> Option<(u8, usize)> {
        let mut taken = 0;
        while self.known < self.head.len() {
            self.head[self.known] = *bytes.get(taken)?;
            (self.known, taken) = (self.known + 1, taken + 1);
            if self.known == self.head.len() {
                let [_, length @ ..] = self.head;
                // The length includes its own four bytes.
                self.rest = (u32::from_be_bytes(length) as usize).saturating_sub(4);
            }
        }
        let body = self.rest.min(bytes.len() - taken);
        self.rest -= body;
        if self.rest > 0 {
            return None;
        }
        let kind = self.head[0];
        *self = Self::typed();
        Some((kind, taken + body))
    }
}

/// Returns how many bytes end with the first message that the server answers, and whether there is one.
fn up_to_a_question(messages: &mut Messages, bytes: &[u8]) -> (usize, bool) {
    let mut length = 0;
    while let Some((kind, taken)) = messages.next_in(&bytes[length..]) {
        length += taken;
        // Sync, and a simple query.
        if matches!(kind, b'S' | b'Q') {
            return (length, true);
        }
    }
    (bytes.len(), false)
}

impl<S: AsyncRead + Unpin, T: AsyncRead + Unpin> AsyncRead for Turns<S, T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.stream {
            Way::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Way::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        if let Poll::Ready(Ok(())) = read {
            self.note_received(&buffer.filled()[before..]);
        } else if read.is_pending() && self.limit.as_mut().is_some_and(|limit| limit.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "an error had no end")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, T: AsyncWrite + Unpin> AsyncWrite for Turns<S, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.waits {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (length, _) = up_to_a_question(&mut { self.sent }, bytes);
        let written = match &mut self.stream {
            Way::Plain(stream) => Pin::new(stream).poll_write(cx, &bytes[..length]),
            Way::Encrypted(stream) => Pin::new(stream).poll_write(cx, &bytes[..length]),
        };
        if let Poll::Ready(Ok(written)) = written {
            (_, self.waits) = up_to_a_question(&mut self.sent, &bytes[..written]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Way::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Way::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Way::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Way::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl<S, T> TlsStream for Turns<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: TlsStream + Unpin,
{
    fn channel_binding(&self) -> ChannelBinding {
        match &self.stream {
            Way::Plain(_) => ChannelBinding::none(),
            Way::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("is short").to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    #[test]
    fn messages_end_wherever_the_bytes_are_split() {
        let all = [message(b'P', b"select 1"), message(b'B', &[0; 300]), message(b'S', &[]), message(b'Q', b"COMMIT")];
        let kinds: Vec<u8> = all.iter().map(|message| message[0]).collect();
        let bytes = all.concat();
        for size in 1..bytes.len() {
            let (mut messages, mut found) = (Messages::typed(), Vec::new());
            for mut part in bytes.chunks(size) {
                while let Some((kind, taken)) = messages.next_in(part) {
                    found.push(kind);
                    part = &part[taken..];
                }
            }
            assert_eq!(found, kinds, "{size}");
        }
    }

    #[test]
    fn the_first_message_has_no_type() {
        let start_up = [&[0, 0, 0, 12][..], &[0; 8]].concat();
        let bytes = [start_up, message(b'Q', b"BEGIN"), message(b'Q', b"COMMIT")].concat();
        let mut messages = Messages::untyped();
        assert_eq!(up_to_a_question(&mut messages, &bytes), (22, true));
        assert_eq!(up_to_a_question(&mut messages, &bytes[22..]), (11, true));
    }

    #[tokio::test]
    async fn what_follows_a_question_waits_for_the_answer() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 12);
        let mut turns: Turns<_, tokio::io::DuplexStream> = Turns::new(Way::Plain(ours));
        turns.sent = Messages::typed();
        let (mut reader, mut writer) = tokio::io::split(turns);
        let question = [message(b'P', b"x"), message(b'S', &[])].concat();
        let sent = [question.clone(), message(b'Q', b"COMMIT")].concat();
        let writing = tokio::spawn(async move { writer.write_all(&sent).await });
        let mut got = vec![0; question.len()];
        theirs.read_exact(&mut got).await.expect("is sent");
        assert_eq!(got, question);
        let read = tokio::spawn(async move { reader.read(&mut [0; 64]).await });
        tokio::task::yield_now().await;
        assert!(!writing.is_finished());
        theirs.write_all(&message(b'Z', b"I")).await.expect("is answered");
        read.await.expect("runs").expect("reads");
        writing.await.expect("runs").expect("is sent");
        let mut rest = [0; 11];
        theirs.read_exact(&mut rest).await.expect("is sent");
        assert_eq!(rest[..], message(b'Q', b"COMMIT"));
    }

    #[tokio::test]
    async fn an_error_without_an_end_ends_the_connection() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 12);
        let mut turns: Turns<_, tokio::io::DuplexStream> = Turns::new(Way::Plain(ours));
        turns.sent = Messages::typed();
        turns.write_all(&message(b'S', &[])).await.expect("is sent");
        theirs.write_all(&message(b'E', b"SERROR")).await.expect("is sent");
        turns.read_exact(&mut [0; 11]).await.expect("is read");
        assert!(turns.limit.is_some());
        turns.limit = Some(Box::pin(tokio::time::sleep(Duration::from_millis(1))));
        let ended = turns.read(&mut [0; 1]).await.expect_err("has no end");
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }
}
