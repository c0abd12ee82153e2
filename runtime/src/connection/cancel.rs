//! Cancel requests that wait until the server has received them.
//!
//! The driver closes the connection of a request at once. If PgBouncer has not opened a connection to the server by
//! then, it drops the request, and the statement continues.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_postgres::CancelToken;
use tokio_postgres::config::Host;
use tokio_postgres::tls::MakeTlsConnect;

use super::options::ConnectOptions;

/// Asks the server to cancel the running statement, and waits until the server has closed the connection of the
/// request.
pub(super) async fn cancel<T>(
    token: &CancelToken,
    options: &ConnectOptions,
    mut tls: T,
) -> Result<(), tokio_postgres::Error>
where
    T: MakeTlsConnect<SharedSocket> + MakeTlsConnect<tokio_postgres::Socket>,
{
    // If there are several hosts, only the driver knows which one the token belongs to.
    let Some((host, socket)) = connect(options).await else { return token.cancel_query(tls).await };
    let mut socket = SharedSocket(Arc::new(Mutex::new(socket)));
    match MakeTlsConnect::<SharedSocket>::make_tls_connect(&mut tls, &host) {
        Ok(connector) => token.cancel_query_raw(socket.clone(), connector).await?,
        Err(_) => return token.cancel_query(tls).await,
    }
    let mut rest = [0; 64];
    while matches!(socket.read(&mut rest).await, Ok(1..)) {}
    Ok(())
}

/// Connects to the only host of a connection string. Returns the name of the host and the socket.
async fn connect(options: &ConnectOptions) -> Option<(String, Socket)> {
    let config = &options.config;
    let [host] = config.get_hosts() else { return None };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match host {
        Host::Tcp(name) => {
            let connected = match config.get_hostaddrs() {
                [] => TcpStream::connect((name.as_str(), port)).await,
                [address, ..] => TcpStream::connect((*address, port)).await,
            };
            Some((name.clone(), Socket::Tcp(connected.ok()?)))
        }
        #[cfg(unix)]
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            Some((String::new(), Socket::Unix(UnixStream::connect(path).await.ok()?)))
        }
    }
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// A socket that stays open after the driver has finished with it.
#[derive(Clone)]
pub(super) struct SharedSocket(Arc<Mutex<Socket>>);

impl SharedSocket {
    fn socket(&self) -> MutexGuard<'_, Socket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for SharedSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self.socket() {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(unix)]
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for SharedSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.socket() {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.socket() {
            Socket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Does nothing: the server ends the connection.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
