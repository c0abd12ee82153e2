//! One client's session: its settings, statements and locks, independent of the current session of the engine.
//!
//! The engine has one session, which all clients use in turn. What a client has changed in it is read back when its
//! turn ends and another client's begins, and restored at its next turn. The engine holds the prepared statements of
//! only one client, so names cannot clash. Those of the others are prepared again before they are used.

use crate::sql::{self, Traits};
use crate::wire::{Frame, text};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Settings by name; those of a role are `session_authorization` and `role`.
pub type Settings = BTreeMap<String, String>;

/// A client's number, which it receives as its process id.
pub type Id = i32;

/// An advisory lock: the arguments of its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub key: String,
    pub shared: bool,
}

struct Statement {
    parse: Frame,
    traits: Traits,
    /// The generation of the engine's statements in which it was prepared.
    generation: u64,
}

/// What is read back from the engine after a turn, because it may have changed.
#[derive(Debug, Default)]
pub struct Dirty {
    pub settings: bool,
    pub locks: bool,
    pub prepared: bool,
}

/// A client's session.
pub struct Session {
    pub id: Id,
    pub database: String,
    /// The initial settings, which `RESET` restores.
    pub start: Settings,
    pub settings: Settings,
    pub dirty: Dirty,
    /// Names that may be custom settings.
    pub custom: BTreeSet<String>,
    /// Statements of SQL's own `PREPARE`: name and text.
    pub prepared: Vec<(String, String)>,
    /// Locks that are kept for it while others have their turns.
    pub parked: Vec<Lock>,
    pub temporary: bool,
    pub listens: BTreeSet<String>,
    statements: HashMap<String, Statement>,
}

/// Messages for the engine.
#[derive(Default)]
pub struct Outgoing {
    pub frames: Vec<Frame>,
    /// Statements that are prepared again at the beginning: as many responses are not for the client.
    pub again: Vec<String>,
    /// Statements that the client prepares.
    pub parses: Vec<(String, Frame)>,
}

impl Session {
    pub fn new(id: Id, database: String, start: Settings) -> Self {
        Session {
            id,
            database,
            settings: start.clone(),
            start,
            dirty: Dirty::default(),
            custom: BTreeSet::new(),
            prepared: Vec::new(),
            parked: Vec::new(),
            temporary: false,
            listens: BTreeSet::new(),
            statements: HashMap::new(),
        }
    }

    /// Whether the engine has statements of this client.
    pub fn has_statements(&self, generation: u64) -> bool {
        self.statements.iter().any(|(name, statement)| !name.is_empty() && statement.generation == generation)
    }

    /// Returns what a group of messages may do to the session.
    pub fn traits(&self, group: &[Frame]) -> Traits {
        let mut traits = Traits::default();
        let mut parsed = HashMap::new();
        for frame in group {
            match frame.tag() {
                b'Q' => traits.add(&Traits::of(&frame.text())),
                b'P' => {
                    let (name, rest) = text(frame.body());
                    parsed.insert(name, Traits::of(&text(rest).0));
                }
                b'B' => {
                    let (_, rest) = text(frame.body());
                    let (name, values) = text(rest);
                    let known = parsed.get(&name).or_else(|| Some(&self.statements.get(&name)?.traits));
                    if let Some(known) = known {
                        traits.add(known);
                        if known.sets {
                            traits.dotted.extend(sql::dotted(&String::from_utf8_lossy(values).to_ascii_lowercase()));
                        }
                    }
                }
                _ => {}
            }
        }
        traits
    }

    /// Records what was run.
    pub fn note(&mut self, traits: Traits) {
        self.dirty.settings |= traits.sets;
        self.dirty.locks |= traits.locks;
        self.temporary |= traits.temporary;
        self.custom.extend(traits.dotted);
        self.listens.extend(traits.listens);
    }

    /// Returns a group of messages, preceded by the statements that it needs and the engine lacks.
    pub fn outgoing(&mut self, group: Vec<Frame>, generation: u64) -> Outgoing {
        let mut out = Outgoing::default();
        let mut fresh = HashSet::new();
        for frame in &group {
            let body = frame.body();
            let used = match frame.tag() {
                b'P' => {
                    fresh.insert(frame.text());
                    out.parses.push((frame.text(), frame.clone()));
                    continue;
                }
                // After the name of the portal.
                b'B' => text(text(body).1).0,
                b'D' if body.first() == Some(&b'S') => text(&body[1..]).0,
                b'C' if body.first() == Some(&b'S') => {
                    self.statements.remove(&text(&body[1..]).0);
                    continue;
                }
                b'Q' => {
                    // As in PostgreSQL.
                    self.statements.remove("");
                    continue;
                }
                _ => continue,
            };
            let is_lacking = |statement: &Statement| statement.generation != generation;
            if !fresh.contains(&used) && self.statements.get(&used).is_some_and(is_lacking) {
                fresh.insert(used.clone());
                out.again.push(used);
            }
        }
        for name in &out.again {
            if let Some(statement) = self.statements.get_mut(name) {
                statement.generation = generation;
                out.frames.push(statement.parse.clone());
            }
        }
        out.frames.extend(group);
        out
    }

    /// A statement that the client prepared now exists.
    pub fn parsed(&mut self, name: String, parse: Frame, generation: u64) {
        let (_, rest) = text(parse.body());
        let traits = Traits::of(&text(rest).0);
        self.statements.insert(name, Statement { parse, traits, generation });
    }

    /// Preparing these again has failed.
    pub fn lost(&mut self, names: &[String]) {
        for name in names {
            if let Some(statement) = self.statements.get_mut(name) {
                statement.generation = 0;
            }
        }
    }

    /// All statements of the session are gone: `DEALLOCATE ALL`, `DISCARD ALL`.
    pub fn forget_statements(&mut self) {
        self.statements.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_text;
    use bytes::BufMut;

    fn session(id: Id) -> Session {
        Session::new(id, "postgres".to_owned(), Settings::new())
    }

    fn parse(name: &str, sql: &str) -> Frame {
        Frame::new(b'P', |bytes| {
            put_text(bytes, name);
            put_text(bytes, sql);
            bytes.put_u16(0);
        })
    }

    fn bind(name: &str, value: &str) -> Frame {
        Frame::new(b'B', |bytes| {
            put_text(bytes, "");
            put_text(bytes, name);
            bytes.put_slice(value.as_bytes());
        })
    }

    #[test]
    fn a_statement_of_another_generation_is_prepared_again_once() {
        for name in ["s0", ""] {
            let mut session = session(7);
            session.parsed(name.to_owned(), parse(name, "SELECT 1"), 1);
            assert!(session.outgoing(vec![bind(name, "")], 1).again.is_empty());
            let out = session.outgoing(vec![bind(name, ""), bind(name, "")], 2);
            assert_eq!((out.again.len(), out.frames.len(), out.frames[0].tag()), (1, 3, b'P'));
            assert!(session.outgoing(vec![bind(name, "")], 2).again.is_empty());
            // A statement that the client prepares itself needs nothing from us.
            let out = session.outgoing(vec![parse(name, "SELECT 2"), bind(name, "")], 3);
            assert_eq!((out.again.len(), out.parses.len()), (0, 1));
        }
    }

    #[test]
    fn a_parameter_may_name_a_setting() {
        let session = session(7);
        let traits = session.traits(&[parse("", "SELECT set_config($1, $2, false)"), bind("", "\n App.Tenant\u{1}7")]);
        assert!(traits.sets && traits.dotted.contains("app.tenant"), "{traits:?}");
    }
}
