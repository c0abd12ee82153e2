//! Stands between a command and its database, and says when a certain message comes by.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Where a message is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It never arrives.
    Before,
    /// It arrives, and its answer never comes back.
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// This many messages are still to come before the cut.
    Armed(Cut, usize),
    /// Nothing moves any more.
    Reached,
    /// The streams are closed.
    Released,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// A port that leads to a database.
pub(crate) struct Proxy {
    url: String,
    shared: Shared,
}

impl Proxy {
    /// `target` is a URL with a host and a port.
    pub(crate) fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (credentials, rest) = target.split_once('@').expect("a user in the URL");
        let (address, database) = rest.split_once('/').expect("a database in the URL");
        let url = format!("{credentials}@127.0.0.1:{port}/{database}");
        let shared: Shared = Arc::new((Mutex::new(State::Released), Condvar::new()));
        let (address, state) = (address.to_owned(), Arc::clone(&shared));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(&address) {
                    carry(client, server, &state);
                }
            }
        });
        Self { url, shared }
    }

    /// The URL for the next command, which is stopped at its message of this number, from 1.
    pub(crate) fn arm(&self, cut: Cut, message: usize) -> String {
        *self.shared.0.lock().expect("not poisoned") = State::Armed(cut, message);
        self.url.clone()
    }

    /// Waits until the message has come by, or the command has ended without it.
    pub(crate) fn has_cut(&self, child: &mut Child) -> bool {
        loop {
            let state = self.shared.0.lock().expect("not poisoned");
            let (state, _) = self.shared.1.wait_timeout(state, Duration::from_millis(5)).expect("not poisoned");
            if *state == State::Reached {
                return true;
            }
            drop(state);
            if child.try_wait().expect("a child").is_some() {
                return *self.shared.0.lock().expect("not poisoned") == State::Reached;
            }
        }
    }

    /// Closes what is left of the connection.
    pub(crate) fn let_go(&self) {
        *self.shared.0.lock().expect("not poisoned") = State::Released;
        self.shared.1.notify_all();
    }
}

fn carry(client: TcpStream, server: TcpStream, shared: &Shared) {
    // Small messages that wait to be sent together would take minutes in all.
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a TCP stream");
    }
    let (mut from, mut to) = (server.try_clone().expect("a stream"), client.try_clone().expect("a stream"));
    let state = Arc::clone(shared);
    std::thread::spawn(move || {
        let mut buffer = [0; 16384];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if *state.0.lock().expect("not poisoned") == State::Reached || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // Both ends may be closed already.
        let _ = to.shutdown(Shutdown::Both);
    });
    let state = Arc::clone(shared);
    std::thread::spawn(move || forward(client, server, &state));
}

/// Carries message by message, and stops where it was told to.
fn forward(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let mut is_first = true;
    while let Some((kind, message)) = read_message(&mut client, is_first) {
        // Before the first message, a client may ask for encryption.
        is_first = is_first && message.len() == 8;
        // What ends with these is a statement, or a part of one that the server answers.
        let cut = if matches!(kind, b'S' | b'Q') { count(shared) } else { None };
        if cut != Some(Cut::Before) && server.write_all(&message).is_err() {
            break;
        }
        if cut.is_some() {
            let mut state = shared.0.lock().expect("not poisoned");
            *state = State::Reached;
            shared.1.notify_all();
            while *state == State::Reached {
                state = shared.1.wait(state).expect("not poisoned");
            }
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

fn count(shared: &Shared) -> Option<Cut> {
    let mut state = shared.0.lock().expect("not poisoned");
    match &mut *state {
        State::Armed(cut, 1) => Some(*cut),
        State::Armed(_, left) => {
            *left -= 1;
            None
        }
        _ => None,
    }
}

/// The first message has no letter in front.
fn read_message(client: &mut TcpStream, is_first: bool) -> Option<(u8, Vec<u8>)> {
    let mut message = vec![0; if is_first { 4 } else { 5 }];
    client.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[message.len() - 4..].try_into().ok()?);
    let start = message.len();
    message.resize(start + usize::try_from(length).ok()? - 4, 0);
    client.read_exact(&mut message[start..]).ok()?;
    Some((if is_first { 0 } else { message[0] }, message))
}
