//! A proxy that keeps prepared statements by their text, as PgBouncer does with `max_prepared_statements`: if a text is
//! prepared again, it gets the existing statement of the server.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Starts in front of the server of a URL. Returns the URL that leads through the proxy.
pub(crate) async fn kept_by_text(url: &str) -> String {
    let (before, rest) = url.split_once('@').expect("has a host");
    let (server, path) = rest.split_once('/').expect("has a path");
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("is bound");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server is there");
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let unanswered = Arc::new(AtomicUsize::new(0));
            tokio::spawn(answers(from_server, to_client, Arc::clone(&unanswered)));
            tokio::spawn(requests(from_client, to_server, unanswered));
        }
    });
    let glue = if path.contains('?') { '&' } else { '?' };
    format!("{before}@{address}/{path}{glue}sslmode=disable")
}

/// A message: its type, and what follows the length.
async fn message(from: &mut OwnedReadHalf) -> Option<(u8, Vec<u8>)> {
    let kind = from.read_u8().await.ok()?;
    let length = from.read_u32().await.ok()? as usize;
    let mut body = vec![0; length - 4];
    from.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}

fn written(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn text_at(body: &[u8], start: usize) -> (&[u8], usize) {
    let end = start + body[start..].iter().position(|byte| *byte == 0).expect("ends");
    (&body[start..end], end + 1)
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, unanswered: Arc<AtomicUsize>) {
    // The first message has no type.
    let length = from.read_u32().await.expect("begins") as usize;
    let mut start = vec![0; length - 4];
    from.read_exact(&mut start).await.expect("begins");
    to.write_all(&(length as u32).to_be_bytes()).await.expect("is passed on");
    to.write_all(&start).await.expect("is passed on");
    let mut by_text: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut names: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    while let Some((kind, body)) = message(&mut from).await {
        let sent = match kind {
            b'P' => {
                let (name, at) = text_at(&body, 0);
                let (text, _) = text_at(&body, at);
                match by_text.get(text).cloned() {
                    Some(known) if !name.is_empty() => {
                        names.insert(name.to_vec(), known);
                        unanswered.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                    _ => {
                        by_text.insert(text.to_vec(), name.to_vec());
                        written(kind, &body)
                    }
                }
            }
            b'D' | b'C' if body[0] == b'S' => {
                let (name, _) = text_at(&body, 1);
                // A statement that others may use is not closed.
                let name = if kind == b'C' { b"nobody's".to_vec() } else { named(&names, name) };
                written(kind, &[&[b'S'][..], &name, &[0]].concat())
            }
            b'B' => {
                let (portal, at) = text_at(&body, 0);
                let (name, rest) = text_at(&body, at);
                written(kind, &[portal, &[0], &named(&names, name), &[0], &body[rest..]].concat())
            }
            _ => written(kind, &body),
        };
        if to.write_all(&sent).await.is_err() {
            return;
        }
    }
}

fn named(names: &HashMap<Vec<u8>, Vec<u8>>, name: &[u8]) -> Vec<u8> {
    names.get(name).cloned().unwrap_or_else(|| name.to_vec())
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, unanswered: Arc<AtomicUsize>) {
    while let Some((kind, body)) = message(&mut from).await {
        // The message that precedes the description of a statement: that it was parsed.
        let parsed = matches!(kind, b't' | b'E') && unanswered.load(Ordering::SeqCst) > 0;
        if parsed {
            unanswered.fetch_sub(1, Ordering::SeqCst);
            to.write_all(&written(b'1', &[])).await.expect("is passed on");
        }
        if to.write_all(&written(kind, &body)).await.is_err() {
            return;
        }
    }
}
