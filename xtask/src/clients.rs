use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::server::{Credentials, Server};
use crate::{installed, product, samples, shell};

const INSTALL_LIMIT_MINUTES: u32 = 15;
const CHECK_LIMIT_MINUTES: u32 = 2;

/// The published sample: the one fixed answer of the sandbox.
const SAMPLE: &str = "254722000000";
/// A sandbox number that no registry knows.
const UNKNOWN: &str = "254722000040";

/// A client that others wrote for the operator's own service. It must work unchanged.
struct Client {
    /// Its package, and its folder in `tests/clients`.
    name: &'static str,
    kind: Kind,
    /// Whether it knows the `swap` product too.
    asks_swap: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Python,
    Node,
    Rust,
}

const CLIENTS: &[Client] = &[
    Client { name: "daraja-sdk-py", kind: Kind::Python, asks_swap: true },
    Client { name: "mpesakit", kind: Kind::Python, asks_swap: false },
    Client { name: "daraja.js", kind: Kind::Node, asks_swap: false },
    Client { name: "mpesa-node", kind: Kind::Node, asks_swap: false },
    Client { name: "async-mpesa", kind: Kind::Rust, asks_swap: true },
];

/// Installs each client, starts the sandbox, and has each ask, and the code of the guide too; returns how many checks
/// passed.
pub(crate) fn run() -> Result<u64> {
    product::build()?;
    for client in CLIENTS {
        client.install().with_context(|| format!("cannot install {}", client.name))?;
    }
    let dir = shell::fresh_dir("clients")?;
    let mut sandbox = product::laini(&["sandbox", "--data"]);
    sandbox.arg(dir.join("data"));
    let server = Server::start(&mut sandbox, &dir, "sandbox").context("laini sandbox")?;
    let passed = CLIENTS.iter().map(|client| client.checks(&server)).sum::<Result<u64>>()?;
    let passed = passed + samples::run(&server, &dir)?;
    server.stop().context("laini sandbox")?;
    std::fs::remove_dir_all(&dir)?;
    Ok(passed)
}

impl Client {
    fn folder(&self) -> PathBuf {
        shell::root().join("tests/clients").join(self.name)
    }

    /// Where it is installed; kept between runs, not committed.
    fn installed(&self) -> PathBuf {
        shell::root().join("tests/clients/.work").join(self.name)
    }

    /// Installs it as locked in its folder, unless just that is there already.
    fn install(&self) -> Result<()> {
        let (folder, installed) = (self.folder(), self.installed());
        match self.kind {
            Kind::Python => installed::python(&folder.join("requirements.txt"), &installed),
            Kind::Node => installed::node(&folder, &installed),
            Kind::Rust => {
                let manifest = path(&folder.join("Cargo.toml"));
                let target = path(&shell::root().join("tests/clients/target"));
                let line =
                    ["cargo", "build", "--quiet", "--locked", "--manifest-path", &manifest, "--target-dir", &target];
                shell::run(&mut shell::command(INSTALL_LIMIT_MINUTES, &line))
            }
        }
    }

    /// Its script, ready to run.
    fn script(&self) -> Command {
        let (folder, installed) = (self.folder(), self.installed());
        let line = match self.kind {
            Kind::Python => vec![path(&installed.join("bin/python")), path(&folder.join("check.py"))],
            Kind::Node => vec!["node".to_owned(), path(&folder.join("check.js"))],
            Kind::Rust => vec![path(&shell::root().join("tests/clients/target/debug/async-mpesa-check"))],
        };
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let mut script = shell::command(CHECK_LIMIT_MINUTES, &line);
        script.env("NODE_PATH", installed.join("node_modules"));
        script
    }

    /// The sample's answer, a wrong secret, an unknown number.
    fn checks(&self, server: &Server) -> Result<u64> {
        let mine = server.credentials("sandbox")?;
        let wrong = Credentials { key: mine.key.clone(), secret: "wrong".to_owned() };
        let mut passed = 0;
        for (what, credentials, number, expect) in [
            (
                "answers the published sample",
                &mine,
                SAMPLE,
                Client::expect_sample as fn(&Client, &[Value]) -> Result<()>,
            ),
            ("says that a secret is wrong", &wrong, SAMPLE, |_, calls| refused(calls, "token", 400, "400.008.01")),
            ("says that a number is unknown", &mine, UNKNOWN, Client::expect_unknown),
        ] {
            let calls = self.ask(server, credentials, number)?;
            expect(self, &calls).with_context(|| format!("{} {what}: it printed {calls:?}", self.name))?;
            println!("{} {what} ... ok", self.name);
            passed += 1;
        }
        Ok(passed)
    }

    /// What its script printed: one JSON object per call.
    fn ask(&self, server: &Server, credentials: &Credentials, number: &str) -> Result<Vec<Value>> {
        let mut script = self.script();
        script.env("LAINI_BASE_URL", server.base_url()?).env("N", number);
        script.env("K", &credentials.key).env("S", &credentials.secret);
        let printed = shell::output(&mut script)?;
        printed
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("{} printed '{line}'", self.name)))
            .collect()
    }

    fn expect_sample(&self, calls: &[Value]) -> Result<()> {
        let length = call(calls, "token")?["length"].as_u64().unwrap_or(0);
        ensure!(length > 0, "it fetched no token");
        let imsi = &call(calls, "imsi")?["answer"];
        for (field, expected) in [
            ("responseCode", "200"),
            ("responseDesc", "Success"),
            ("imsi", "9233817055099406"),
            ("lastSwapDate", "01-05-2022"),
            ("msisdnRegistrationDate", "01-03-2022"),
            ("customerNumber", SAMPLE),
        ] {
            ensure!(imsi[field] == expected, "{field} should be the text {expected}");
        }
        ensure!(imsi["requestRefID"].as_str().is_some_and(|id| !id.is_empty()), "requestRefID is missing");
        if self.asks_swap {
            let swap = &call(calls, "swap")?["answer"];
            let swapped_on = swap["lastSwapDate"].as_str().unwrap_or_default();
            ensure!(swapped_on.starts_with("01-05-2022 "), "swap: lastSwapDate should be on 01-05-2022");
        }
        Ok(())
    }

    fn expect_unknown(&self, calls: &[Value]) -> Result<()> {
        refused(calls, "imsi", 404, "404.002.01")?;
        if self.asks_swap { refused(calls, "swap", 404, "404.002.01") } else { Ok(()) }
    }
}

/// That a call failed, and that its caller can see why: by the status, the code, or both.
fn refused(calls: &[Value], name: &str, status: u16, code: &str) -> Result<()> {
    let call = call(calls, name)?;
    ensure!(call["error"].is_string(), "{name}: it saw no error");
    let (seen_status, seen_code) = (&call["status"], &call["code"]);
    ensure!(!(seen_status.is_null() && seen_code.is_null()), "{name}: it sees neither status nor code");
    ensure!(seen_status.is_null() || *seen_status == status, "{name}: the status should be {status}");
    ensure!(seen_code.is_null() || *seen_code == code, "{name}: the code should be {code}");
    Ok(())
}

fn call<'a>(calls: &'a [Value], name: &str) -> Result<&'a Value> {
    calls.iter().find(|call| call["call"] == name).with_context(|| format!("it never came to its call '{name}'"))
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
