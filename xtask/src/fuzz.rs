use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::product::{self, beside};
use crate::server::{Answer, Credentials, Server, post};
use crate::{installed, shell};

const RUN_LIMIT_MINUTES: u32 = 5;
/// Generated requests that a run has at least.
const CASES_MIN: u64 = 10_000;
/// The most generated requests of one operation in one pass, beside those that its schema suggests.
const EXAMPLES_PER_OPERATION: u64 = 320;
const SEED: u64 = 1;
const DOCUMENT: &str = "api/openapi.json";
/// More of them, or others: `LAINI_TEST_EXAMPLES` and `LAINI_TEST_SEED`.
const EXAMPLES_VARIABLE: &str = "LAINI_TEST_EXAMPLES";
const SEED_VARIABLE: &str = "LAINI_TEST_SEED";

/// The same for the office, which has more operations than all others together.
const EXAMPLES_PER_OFFICE_OPERATION: u64 = 12;
const PASSWORD: &str = "four words walk home";

/// What one kind of app asks, or an administrator of the office.
struct Pass {
    name: &'static str,
    environment: &'static str,
    /// Whether an administrator asks, and no app.
    is_office: bool,
    /// Which operations of the document.
    operations: &'static [&'static str],
}

/// The office is for people, whose sessions no app has.
const PARTNERS: &[&str] = &["--exclude-tag=sandbox", "--exclude-tag=operator", "--exclude-path-regex=^/office/"];
/// What an administrator may, but for signing in, which random passwords never do, and for what ends the session (the tool
/// learns ids from answers) or the partner whose things are asked about.
const OFFICE: &[&str] = &[
    "--include-path-regex=^/office/",
    "--exclude-by=/x-laini-may/staff == []",
    "--exclude-operation-id=open_session",
    "--exclude-operation-id=close_session",
    "--exclude-operation-id=close_one_session",
    "--exclude-operation-id=sign_staff_out",
    "--exclude-operation-id=reset_staff",
    TERMINATE_APP,
    TERMINATE_PARTNER,
];
const TERMINATE_APP: &str = "--exclude-operation-id=terminate_app";
const TERMINATE_PARTNER: &str = "--exclude-operation-id=terminate_partner";
const OFFICE_ENDS: &[&str] = &["--include-operation-id=terminate_app", "--include-operation-id=terminate_partner"];
/// At the very end the administrator goes.
const LEAVING: Pass =
    Pass::of_office("leaving", &["--include-operation-id=close_session", "--include-operation-id=close_one_session"]);
/// A stopped feed refuses every event.
const STOP_FEED: &str = "--exclude-operation-id=stop_feed";

/// First what changes a world, then, in a fresh one, what asks about it: a check of a stopped feed or of a
/// row that was refused is a 503 by the contract, and here no 5xx is wanted. At last what changes the registry.
const PASSES: &[Pass] = &[
    Pass::of_app("worlds", "sandbox", &["--include-tag=sandbox", STOP_FEED]),
    Pass::of_app("sandbox", "sandbox", PARTNERS),
    Pass::of_app("production", "production", PARTNERS),
    Pass::of_app("stopped feed", "sandbox", &["--include-operation-id=stop_feed"]),
    Pass::of_app("operator", "production", &["--include-tag=operator"]),
    Pass::of_office("office", OFFICE),
    Pass::of_office("what ends", OFFICE_ENDS),
];

/// Sends requests generated from [`DOCUMENT`] to the real server; returns how many operations were tried.
pub(crate) fn run() -> Result<u64> {
    product::build()?;
    let folder = shell::root().join("tests/http");
    let tool = folder.join(".work");
    installed::python(&folder.join("requirements.txt"), &tool).context("cannot install schemathesis")?;
    let dir = shell::fresh_dir("fuzz")?;
    let mut demo = product::laini(&["demo", "--data"]);
    demo.arg(dir.join("data"));
    let server = Server::start(&mut demo, &dir, "demo").context("laini demo")?;
    let (examples, seed) = (number(EXAMPLES_VARIABLE, EXAMPLES_PER_OPERATION)?, number(SEED_VARIABLE, SEED)?);
    let (operator_key, clerk) = (operator_key(&dir)?, Clerk::sign_in(&server, &dir)?);
    let (mut cases, mut operations) = (0, 0);
    for pass in PASSES.iter().chain([&LEAVING]) {
        if pass.name == LEAVING.name {
            clerk.is_still_in(&server)?;
        }
        let mut schemathesis = shell::command(RUN_LIMIT_MINUTES, &[]);
        schemathesis.arg(tool.join("bin/st")).args(["--config-file", "tests/http/schemathesis.toml", "run", DOCUMENT]);
        let examples = if pass.is_office { examples.min(EXAMPLES_PER_OFFICE_OPERATION) } else { examples };
        schemathesis.args(["--max-examples", &examples.to_string(), "--seed", &seed.to_string()]);
        schemathesis.env("LAINI_OPERATOR_KEY", &operator_key).env("LAINI_SESSION", &clerk.session);
        schemathesis.env("LAINI_PARTNER", &clerk.partner).env("LAINI_APP", &clerk.app);
        let tried = pass.run(&server, schemathesis, &dir).with_context(|| format!("pass '{}'", pass.name))?;
        cases += tried.cases;
        operations += tried.operations;
    }
    server.stop().context("laini demo")?;
    std::fs::remove_dir_all(&dir)?;
    ensure!(examples < EXAMPLES_PER_OPERATION || cases >= CASES_MIN, "only {cases} requests of {CASES_MIN} were made");
    println!("family=HTTP cases={cases} failures=0 seed={seed}");
    Ok(operations)
}

#[expect(clippy::disallowed_methods, reason = "how much is tested is no setting of the product")]
fn number(variable: &str, otherwise: u64) -> Result<u64> {
    let Ok(text) = std::env::var(variable) else { return Ok(otherwise) };
    text.parse().with_context(|| format!("{variable} is no number"))
}

/// What a pass did.
struct Tried {
    cases: u64,
    operations: u64,
}

impl Pass {
    const fn of_app(name: &'static str, environment: &'static str, operations: &'static [&'static str]) -> Self {
        Self { name, environment, is_office: false, operations }
    }

    const fn of_office(name: &'static str, operations: &'static [&'static str]) -> Self {
        Self { name, environment: "production", is_office: true, operations }
    }

    /// Fails where an answer is not what the document says.
    fn run(&self, server: &Server, mut schemathesis: Command, dir: &Path) -> Result<Tried> {
        let (base_url, credentials) = (server.base_url()?, server.credentials(self.environment)?);
        // An app of the office's passes may be suspended by then.
        let token = if self.is_office { String::new() } else { token(base_url, &credentials)? };
        if self.environment == "sandbox" {
            reset_world(base_url, &token)?;
        }
        let report = dir.join(format!("{}.json", self.name));
        schemathesis.args(["--url", base_url]).args(self.operations);
        if self.is_office {
            // Things of the office have ids that nobody guesses: that most are not there is no failure. That the session was
            // good all the time is asked at the end.
            schemathesis.args(["--warnings", "unsupported_regex"]);
        }
        schemathesis.args([OsStr::new("--report-json-path"), report.as_os_str()]);
        schemathesis.env("LAINI_TOKEN", token);
        schemathesis.env("LAINI_CONSUMER_KEY", credentials.key).env("LAINI_CONSUMER_SECRET", credentials.secret);
        shell::run(&mut schemathesis)?;
        let report: Value = serde_json::from_slice(&std::fs::read(report)?).context("its report is no JSON")?;
        let operations = &report["operations"];
        ensure!(report["complete"] == true && operations["tested"] == operations["selected"], "it left something out");
        let counted = |count: &Value| count.as_u64().context("its report does not count");
        Ok(Tried { cases: counted(&report["test_cases"]["generated"])?, operations: counted(&operations["tested"])? })
    }
}

/// An administrator's session, and whose things it asks about.
struct Clerk {
    session: String,
    partner: String,
    app: String,
}

impl Clerk {
    fn sign_in(server: &Server, dir: &Path) -> Result<Self> {
        let added = beside(dir, &["staff", "add", "fuzz@mobile.example", "--role", "admin"])?;
        let invitation = added["token"].as_str().context("somebody was invited and no token shown")?;
        let body = serde_json::json!({"token": invitation, "password": PASSWORD}).to_string();
        let path = "/office/v1/invitations/accept";
        let answer = post(server.base_url()?, path, &["Content-Type: application/json"], &body)?;
        ensure!(answer.status == 201, "the administrator did not come in: {}", answer.status);
        let came_in: Value = serde_json::from_str(&answer.body)?;
        let text = |value: &Value, what| value.as_str().map(str::to_owned).context(what);
        Ok(Self {
            session: text(&came_in["token"], "somebody came in and no token was shown")?,
            partner: text(&beside(dir, &["partner", "list"])?[0]["partner"], "no partner is listed")?,
            app: text(&beside(dir, &["app", "list"])?[0]["app"], "no app is listed")?,
        })
    }

    /// Whether the session still opens the door: behind it a body that is none is refused for what it is.
    fn is_still_in(&self, server: &Server) -> Result<()> {
        let headers = [&*format!("Authorization: Bearer {}", self.session), "Content-Type: application/json"];
        let answer = post(server.base_url()?, "/office/v1/closes", &headers, "[]")?;
        ensure!(answer.status == 400, "the administrator's session ended on the way: {}", answer.status);
        Ok(())
    }
}

/// A key of the operator's.
fn operator_key(dir: &Path) -> Result<String> {
    let made = ["operator", "key", "add", "fuzz", "--scopes", "feed:write,feed:read", "--expires", "1h"];
    beside(dir, &made)?["key"].as_str().map(str::to_owned).context("an operator key was made and not shown")
}

fn token(base_url: &str, credentials: &Credentials) -> Result<String> {
    let Credentials { key, secret } = credentials;
    let form = format!("grant_type=client_credentials&client_id={key}&client_secret={secret}");
    let answer = post(base_url, "/oauth2/token", &["Content-Type: application/x-www-form-urlencoded"], &form)?;
    ensure!(answer.status == 200, "no token: {}", answer.status);
    let body: Value = serde_json::from_str(&answer.body)?;
    body["access_token"].as_str().map(str::to_owned).context("a token answer without a token")
}

fn reset_world(base_url: &str, token: &str) -> Result<()> {
    let Answer { status, .. } = post(base_url, "/sandbox/v1/reset", &[&format!("Authorization: Bearer {token}")], "")?;
    ensure!(status == 200, "the world could not be reset: {status}");
    Ok(())
}
