//! The example bot, as a real process: it serves, keeps its data, and is switched from one release to the
//! next while somebody reads through `current` without pause.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::Value;

use crate::host::Host;

/// The bot on its host; it ends with the test.
struct Bot {
    host: Host,
    port: u16,
}

impl Drop for Bot {
    fn drop(&mut self) {
        let process = fs::read_to_string(self.host.shared().join("run/bot.pid")).unwrap_or_default();
        if !process.trim().is_empty() {
            let _ = std::process::Command::new("kill").arg(process.trim()).status();
        }
    }
}

impl Bot {
    /// A host on which the bot of the examples ran by hand until now.
    fn new() -> Self {
        let host = Host::bare();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web-bot"), &host.project());
        let settings = fs::read_to_string(host.project().join("pinfast.toml")).unwrap();
        host.write(
            "pinfast.toml",
            &settings.replace("/srv/web-bot", "../srv").replace(":8080", &format!(":{port}")),
        );
        host.write("version", "1\n");
        host.lock();
        host.commit("first");
        host.write(".env", &format!("PORT={port}\n"));
        host.write("data/app.db", "");
        Self { host, port }
    }

    /// What the bot answers.
    fn ask(&self, request: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    /// Which release answers.
    fn release(&self) -> String {
        self.ask("GET /health HTTP/1.0\r\n\r\n")["release"].as_str().unwrap().to_owned()
    }

    /// Has the bot keep a message; gives how many it has kept.
    fn tell(&self, message: &str) -> u64 {
        let request = format!("POST /message HTTP/1.0\r\nContent-Length: {}\r\n\r\n{message}", message.len());
        self.ask(&request)["kept"].as_u64().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Reads a file of the live release through `current`, again and again.
struct Reader {
    ended: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    failed: thread::JoinHandle<Vec<String>>,
}

impl Reader {
    fn start(path: PathBuf) -> Self {
        let (ended, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (until, count) = (ended.clone(), reads.clone());
        let failed = thread::spawn(move || {
            let mut failed = Vec::new();
            while !until.load(Ordering::Relaxed) {
                match fs::read_to_string(&path) {
                    Ok(text) if text.ends_with('\n') => {}
                    odd => failed.push(format!("{odd:?}")),
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
            failed
        });
        Self { ended, reads, failed }
    }

    /// How many reads there were, and those that failed.
    fn end(self) -> (u64, Vec<String>) {
        self.ended.store(true, Ordering::Relaxed);
        let failed = self.failed.join().unwrap();
        (self.reads.load(Ordering::Relaxed), failed)
    }
}

#[test]
fn a_deploy_under_load_loses_no_request() {
    let bot = Bot::new();
    let host = &bot.host;
    host.pinfast("deploy --init-shared").assert(0, &["move      .env is now in", "is live"]);
    let first = bot.release();
    assert_eq!(host.live().as_deref(), Some(first.as_str()));
    assert_eq!(bot.tell("one"), 1);

    let reader = Reader::start(host.current().join("version"));
    host.commit_version("2");
    host.deploy();
    let second = bot.release();
    assert_ne!(first, second);
    assert_eq!(bot.tell("two"), 2, "the database went along");

    // A release that cannot be imported.
    host.write("bot.py", "import no_such_module\n");
    host.commit_version("broken");
    host.pinfast("deploy").assert(1, &["No module named 'no_such_module'"]);
    assert_eq!((bot.release(), bot.tell("three")), (second.clone(), 3));

    // One that is imported, and then does not serve.
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web-bot/bot.py")).unwrap();
    host.write("bot.py", &text.replace("/health\"", "/elsewhere\""));
    let settings = fs::read_to_string(host.project().join("pinfast.toml")).unwrap();
    host.write("pinfast.toml", &settings.replace("within = \"30s\"", "within = \"2s\""));
    host.commit_version("sick");
    host.pinfast("deploy").assert(1, &["answers 404 Not Found, for 2 s", "switched back and restarted"]);
    wait_for(|| TcpStream::connect(("127.0.0.1", bot.port)).is_ok());
    assert_eq!((bot.release(), bot.tell("four")), (second.clone(), 4));

    host.pinfast("rollback").assert(0, &["is live"]);
    assert_eq!((bot.release(), bot.tell("five")), (first, 5));
    let (reads, failed) = reader.end();
    assert!(failed.is_empty() && reads > 1_000, "{} of {reads} reads failed: {failed:?}", failed.len());
    assert_eq!(
        fs::read_to_string(host.shared().join("logs/bot.log")).unwrap(),
        "one\ntwo\nthree\nfour\nfive\n"
    );
    let _ = writeln!(std::io::stderr(), "{reads} reads through `current`, none failed");
}

/// A process keeps the folder that it found behind `current` when it started, until it is restarted.
#[test]
fn an_unrestarted_bot_keeps_its_release() {
    let bot = Bot::new();
    let host = &bot.host;
    host.pinfast("deploy --init-shared").assert(0, &[]);
    let first = bot.release();
    let settings = fs::read_to_string(host.project().join("pinfast.toml")).unwrap();
    host.write("pinfast.toml", &settings.replace("restart = ", "# restart = "));
    host.commit_version("2");
    host.deploy();
    assert_eq!(bot.release(), first);
    assert_ne!(host.live().unwrap(), first);
}

fn wait_for(condition: impl Fn() -> bool) {
    while !condition() {
        thread::sleep(std::time::Duration::from_millis(10));
    }
}
