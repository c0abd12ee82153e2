//! The start of a connection: declines TLS, receives cancel requests, and reads the description of a session.

use crate::session::{Id, Settings};
use crate::wire::{Frames, PROTOCOL, Refusal, text};
use bytes::Bytes;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;

/// The purpose of a connection.
pub enum Startup {
    Session(Parameters),
    Cancel {
        id: Id,
        secret: i32,
    },
    /// None: it was refused, or closed.
    Ended,
}

/// The session that a client requests.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters {
    pub user: String,
    pub database: String,
    pub settings: Settings,
}

/// Reads messages until one of them states the purpose of the connection.
pub async fn startup<R, W>(frames: &mut Frames<R>, writer: &mut W) -> io::Result<Startup>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    while let Some(message) = frames.opening().await? {
        let Some(code) = number(&message, 0) else { break };
        match code {
            TLS | GSS => writer.write_all(b"N").await?,
            CANCEL => {
                let (Some(id), Some(secret)) = (number(&message, 4), number(&message, 8)) else { break };
                return Ok(Startup::Cancel { id: id.cast_signed(), secret: secret.cast_signed() });
            }
            PROTOCOL => match parameters(&message) {
                Ok(parameters) => return Ok(Startup::Session(parameters)),
                Err(refusal) => {
                    writer.write_all(refusal.frame("FATAL").bytes()).await?;
                    break;
                }
            },
            _ => {
                let message = format!("protocol version {}.{} is not supported", code >> 16, code & 0xffff);
                let refusal = Refusal { code: "0A000", message, hint: "Version 3.0 is." };
                writer.write_all(refusal.frame("FATAL").bytes()).await?;
                break;
            }
        }
    }
    Ok(Startup::Ended)
}

fn number(message: &Bytes, place: usize) -> Option<u32> {
    let bytes = message.get(place..place + 4)?;
    Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn parameters(message: &Bytes) -> Result<Parameters, Refusal> {
    let mut rest = message.get(4..).unwrap_or_default();
    let (mut user, mut database, mut settings) = (String::new(), String::new(), Settings::new());
    while !rest.is_empty() && rest[0] != 0 {
        let (name, after) = text(rest);
        let (value, after) = text(after);
        rest = after;
        match name.as_str() {
            "user" => user = value,
            "database" => database = value,
            "options" => settings.extend(options(&value)?),
            "replication" => return Err(refused("0A000", "the embedded PostgreSQL has no replication".to_owned())),
            name if name.starts_with("_pq_.") => {}
            _ => {
                settings.insert(name, value);
            }
        }
    }
    if user.is_empty() {
        return Err(refused("28000", "no PostgreSQL user name specified in startup packet".to_owned()));
    }
    if database.is_empty() {
        database.clone_from(&user);
    }
    Ok(Parameters { user, database, settings })
}

/// Parses the settings in `options`: `-c name=value` and `--name=value`. A backslash escapes the next character.
fn options(text: &str) -> Result<Settings, Refusal> {
    let mut words = words(text).into_iter();
    let mut settings = Settings::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") if word == "-c" => words.next().unwrap_or_default(),
            Some(setting) => setting.to_owned(),
            None => {
                return Err(refused("42601", format!("the option {word:?} is not understood: write -c name=value")));
            }
        };
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| refused("42601", format!("the option {setting:?} has no value: write -c name=value")))?;
        settings.insert(name.replace('-', "_"), value.to_owned());
    }
    Ok(settings)
}

fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let last = words.len() - 1;
        match character {
            '\\' => words[last].extend(characters.next()),
            c if c.is_ascii_whitespace() => words.push(String::new()),
            c => words[last].push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn refused(code: &'static str, message: String) -> Refusal {
    Refusal { code, message, hint: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_settings() {
        let settings = options(r"-c search_path=app\ one,public --statement-timeout=5s -cgeqo=off").expect("are read");
        let expected = [("search_path", "app one,public"), ("statement_timeout", "5s"), ("geqo", "off")];
        assert_eq!(settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect());
        assert!(options("-x 1").is_err() && options("-c geqo").is_err());
    }

    #[test]
    fn a_session_is_described_by_its_parameters() {
        let message = |parameters: &[(&str, &str)]| crate::wire::startup(parameters).freeze().slice(4..);
        let read = parameters(&message(&[("user", "ann"), ("application_name", "x")])).expect("is read");
        assert_eq!((read.user.as_str(), read.database.as_str(), read.settings.len()), ("ann", "ann", 1));
        assert!(parameters(&message(&[("database", "x")])).is_err());
    }
}
