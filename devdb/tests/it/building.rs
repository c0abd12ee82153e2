//! The embedded engine is built when it is needed: once, with progress, and with a reason if it fails. Here, cargo is a
//! script.

use crate::support::stderr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with a script that replaces cargo, removed after the test.
struct Workshop(PathBuf);

impl Workshop {
    fn new(script: &str) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let folder = std::env::temp_dir().join(format!("relata-devdb-build-{}", &random[..8]));
        std::fs::create_dir(&folder).expect("a folder");
        let cargo = folder.join("cargo");
        let text = format!("#!/bin/sh\necho once >> '{}/runs'\n{script}\n", folder.display());
        std::fs::write(&cargo, text).expect("is written");
        std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).expect("is ours");
        Workshop(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn devdb(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devdb"));
        command.arg("start").env("RELATA_DEVDB", "embedded").env("RELATA_DEVDB_DIR", self.path("home"));
        command.env("CARGO", self.path("cargo")).env("CARGO_TARGET_DIR", self.path("target"));
        command.env_remove("DATABASE_URL").stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.path("runs")).map_or(0, |runs| runs.lines().count())
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_in_a_checkout() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded/Cargo.toml").is_file()
}

#[test]
fn a_build_that_fails_says_why_and_what_to_do() {
    assert!(is_in_a_checkout());
    let workshop = Workshop::new("echo 'error: no space left on device' >&2; exit 101");
    let output = workshop.devdb().output().expect("devdb runs");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    for part in [
        "so the embedded one is built once",
        "5 minutes of CPU time",
        "error: no space left on device",
        "To see the full output, run: cargo build --locked --manifest-path ",
        "set DATABASE_URL",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn one_process_builds_and_the_others_wait_and_say_so() {
    let script = r#"
for argument; do last=$argument; done
echo '   Compiling engine v1.0.0' >&2
sleep 4
mkdir -p "$last/debug"
printf '#!/bin/sh\necho error: this is a script\n' > "$last/debug/relata-devdb-embedded"
chmod +x "$last/debug/relata-devdb-embedded""#;
    let workshop = Workshop::new(script);
    let processes: Vec<_> = (0..3).map(|_| workshop.devdb().spawn().expect("devdb starts")).collect();
    let said: Vec<String> =
        processes.into_iter().map(|process| stderr(&process.wait_with_output().expect("it ends"))).collect();
    assert_eq!(workshop.runs(), 1);
    assert!(said.iter().all(|said| said.contains("this is a script")), "{said:?}");
    let count = |text: &str| said.iter().filter(|said| said.contains(text)).count();
    assert_eq!(count("the embedded PostgreSQL is built (0:0"), 1, "{said:?}");
    assert_eq!(count("waiting for another process that builds the embedded PostgreSQL"), 2, "{said:?}");
}
