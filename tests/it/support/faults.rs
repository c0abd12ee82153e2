//! A proxy in front of the server that loses the server's response to a COMMIT.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The proxy. Once armed, it forwards the next COMMIT, waits until the server has executed it, discards every response
/// from then on, and closes the connection.
pub(crate) struct LosesCommits {
    address: SocketAddr,
    armed: Arc<AtomicBool>,
}

impl LosesCommits {
    /// Starts in front of the server of a URL. Returns the URL that leads through the proxy.
    pub(crate) async fn before(url: &str) -> (String, Self) {
        let (before, rest) = url.split_once('@').expect("has a host");
        let (server, path) = rest.split_once('/').expect("has a path");
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let armed = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&armed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                tokio::spawn(forward(client, server, Arc::clone(&shared)));
            }
        });
        let glue = if path.contains('?') { '&' } else { '?' };
        let proxy = Self { address, armed };
        (format!("{before}@{}/{path}{glue}sslmode=disable", proxy.address), proxy)
    }

    /// Loses the response to the next COMMIT.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether it is still waiting for a COMMIT.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

async fn forward(mut client: TcpStream, mut server: TcpStream, armed: Arc<AtomicBool>) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                losing |= contains(&from_client[..length], b"COMMIT\0") && armed.swap(false, Ordering::SeqCst);
                if server.write_all(&from_client[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                match losing {
                    // The command tag of a COMMIT that has been executed: dropping both ends closes them.
                    true if contains(&from_server[..length], b"COMMIT\0") => return,
                    true => {}
                    false if client.write_all(&from_server[..length]).await.is_err() => return,
                    false => {}
                }
            }
        }
    }
}
