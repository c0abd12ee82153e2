//! Texts that are checked where they enter: in requests, in lines of an import, and when they are read from the database.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An email address in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, relata::Value)]
#[serde(try_from = "String")]
#[relata(try_from)]
pub struct Email(String);

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_wrong = |part: &str| part.is_empty() || part.contains(|letter: char| letter.is_whitespace());
        match text.trim().split_once('@') {
            Some((name, host)) if text.len() <= 254 && !host.contains('@') && !is_wrong(name) && !is_wrong(host) => {
                Ok(Self(text.trim().to_lowercase()))
            }
            _ => Err("this is not an email address"),
        }
    }
}

impl FromStr for Email {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// A short text that is not blank: what someone or something is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, relata::Value)]
#[serde(try_from = "String")]
#[relata(try_from)]
pub struct Name(String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.trim() {
            "" => Err("this must not be blank"),
            text if text.chars().count() > 200 => Err("this has more than 200 letters"),
            text => Ok(Self(text.to_owned())),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}
