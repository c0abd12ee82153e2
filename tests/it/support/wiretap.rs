//! A proxy in front of the server that counts what the server receives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The counted traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Executions of prepared statements, and simple queries.
    pub(crate) statements: usize,
    /// How often the client sent something after the server had.
    pub(crate) round_trips: usize,
}

/// The proxy. It ends with the runtime of its test.
pub(crate) struct Wiretap {
    address: SocketAddr,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    traffic: Traffic,
    client_spoke_last: bool,
}

impl Wiretap {
    /// Listens for connections to the server at `host:port`.
    pub(crate) async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let counts = Arc::new(Mutex::new(Counts::default()));
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                tokio::spawn(forward(client, server, Arc::clone(&shared)));
            }
        });
        Self { address, counts }
    }

    /// Starts in front of the server of a URL. Returns the URL that leads through the proxy.
    pub(crate) async fn before(url: &str) -> (String, Self) {
        let (before, rest) = url.split_once('@').expect("has a host");
        let (server, path) = rest.split_once('/').expect("has a path");
        let tap = Self::start(server.to_owned()).await;
        let glue = if path.contains('?') { '&' } else { '?' };
        (format!("{before}@{}/{path}{glue}sslmode=disable", tap.address()), tap)
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the traffic since the last call.
    pub(crate) fn take(&self) -> Traffic {
        std::mem::take(&mut *self.counts.lock().expect("nobody panicked")).traffic
    }
}

async fn forward(client: TcpStream, server: TcpStream, counts: Arc<Mutex<Counts>>) {
    client.set_nodelay(true).expect("is a socket");
    server.set_nodelay(true).expect("is a socket");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = Arc::clone(&counts);
    tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            answers.lock().expect("nobody panicked").client_spoke_last = false;
            if to_client.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
    let mut messages = Messages::default();
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        {
            let mut counts = counts.lock().expect("nobody panicked");
            counts.traffic.statements += messages.statements(&buffer[..length]);
            counts.traffic.round_trips += usize::from(!counts.client_spoke_last);
            counts.client_spoke_last = true;
        }
        if to_server.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

/// Splits the stream of a client into messages.
#[derive(Debug, Default)]
struct Messages {
    pending: Vec<u8>,
    started: bool,
}

impl Messages {
    /// Returns how many of the messages that end in these bytes make the server run a statement.
    fn statements(&mut self, bytes: &[u8]) -> usize {
        self.pending.extend_from_slice(bytes);
        let mut found = 0;
        loop {
            // The first message has no type, and the length includes itself.
            let head = usize::from(self.started);
            let Some(length) = self.pending.get(head..head + 4) else { return found };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
            if self.pending.len() < head + length {
                return found;
            }
            found += usize::from(self.started && matches!(self.pending[0], b'E' | b'Q'));
            self.started = true;
            self.pending.drain(..head + length);
        }
    }
}
