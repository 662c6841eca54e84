//! Banks that keep asking several nodes of one store, and what they were told.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use laini_client::{Answer, ErrorKind, Laini};
use tokio::runtime::Runtime;

use crate::bank::{Bank, IMSI};
use crate::running::{Credentials, Lab, LedgerRow, Running};

/// A client that had to leave its node looks again after so long.
const HOME_AGAIN_AFTER: Duration = Duration::from_millis(1_500);
/// A node with a data directory of its own and the keys of all.
pub(crate) struct Node {
    pub(crate) server: Running,
    /// Gone after its server, which logs into it.
    pub(crate) lab: Lab,
}

/// Writes the settings of a node on a database.
pub(crate) fn configure(lab: &Lab, url: &str, node: usize) {
    fs::create_dir_all(lab.data()).unwrap();
    // The database of a cluster wants a password, which has no place in an address.
    let file = lab.path("password");
    fs::write(&file, "pw").unwrap();
    let (url, file) = (url.replace(":pw@", "@"), file.display());
    let text =
        format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\npassword_file = \"{file}\"\nnode = \"node-{node}\"\n");
    fs::write(lab.data().join("laini.toml"), text).unwrap();
}

/// Starts the nodes, each at its own address of the database, with the keys of the first.
pub(crate) fn nodes(first: Lab, urls: &[String]) -> Vec<Node> {
    let keys = first.data().join("keys");
    let server = first.serve();
    let mut nodes = vec![Node { server, lab: first }];
    for (number, url) in urls.iter().enumerate().skip(1) {
        let lab = Lab::new();
        configure(&lab, url, number);
        copy(&keys, &lab.data().join("keys"));
        nodes.push(Node { server: lab.serve(), lab });
    }
    nodes
}

fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = into.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Node {
    /// The same node started again where its callers know it.
    pub(crate) fn again(self, end: impl FnOnce(Running)) -> Self {
        let Self { server, lab } = self;
        let listen = server.address().to_owned();
        end(server);
        let server = lab.start(lab.command(&["serve", "--listen", &listen]));
        Self { server, lab }
    }
}

/// What the clients of one run share.
pub(crate) struct Load {
    numbers: Vec<String>,
    next: AtomicUsize,
    is_over: AtomicBool,
    /// How many answers each node gave.
    answered: Vec<AtomicUsize>,
    /// How many requests to each node got none.
    lost: Vec<AtomicUsize>,
    refused: AtomicUsize,
    /// The ids of all answers, and whether they were charged.
    answers: Mutex<Vec<(String, bool)>>,
    strange: Mutex<Vec<String>>,
}

impl Load {
    /// Of these numbers, which no node may print.
    pub(crate) fn of(numbers: Vec<String>, nodes: &[Node]) -> Self {
        for node in nodes {
            for number in &numbers {
                node.lab.canaries.number(number);
            }
        }
        let counts = || nodes.iter().map(|_| AtomicUsize::new(0)).collect();
        Self {
            numbers,
            next: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            answered: counts(),
            lost: counts(),
            refused: AtomicUsize::new(0),
            answers: Mutex::default(),
            strange: Mutex::default(),
        }
    }

    /// How many answers the nodes gave together, but for one.
    pub(crate) fn answered_beside(&self, node: Option<usize>) -> usize {
        let others = self.answered.iter().enumerate().filter(|(number, _)| Some(*number) != node);
        others.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn answered(&self) -> usize {
        self.answered_beside(None)
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many requests to a node broke off.
    pub(crate) fn lost(&self, node: usize) -> usize {
        self.lost[node].load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Ends the load when it is dropped, also where a test panics: its clients would ask for ever.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending(&self.is_over)
    }

    /// A bank's client: asks until all is over. What got no answer is asked again under the same id, at the
    /// next node, as behind a load balancer; after a while it comes home.
    pub(crate) fn ask(&self, nodes: &[impl Client], home: usize) {
        let (mut at, mut away_since) = (home, None::<Instant>);
        while !self.is_over() {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let (number, id) = (&self.numbers[n % self.numbers.len()], format!("check-{n}"));
            if away_since.is_some_and(|since| since.elapsed() > HOME_AGAIN_AFTER) {
                (at, away_since) = (home, None);
            }
            while !self.is_over() && !self.note(at, nodes[at].ask(number, &id)) {
                (at, away_since) = ((at + 1) % nodes.len(), Some(Instant::now()));
                // As a client does that heeds Retry-After, only sooner.
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Whether that settles it.
    fn note(&self, node: usize, told: Told) -> bool {
        let is_settled = matches!(told, Told::Answer { .. } | Told::Strange(_));
        match told {
            Told::Answer { id, is_charged } => {
                self.answers.lock().unwrap().push((id, is_charged));
                self.answered[node].fetch_add(1, Ordering::Relaxed);
            }
            Told::Refused => drop(self.refused.fetch_add(1, Ordering::Relaxed)),
            Told::Nothing => drop(self.lost[node].fetch_add(1, Ordering::Relaxed)),
            Told::Strange(what) => self.strange.lock().unwrap().push(what),
        }
        is_settled
    }

    /// What clients were told is what the ledger says: nothing is lost, and nothing stands twice. Returns
    /// how many answers there were.
    pub(crate) fn assert_stands(&self, rows: &[LedgerRow]) -> usize {
        let strange = self.strange.lock().unwrap();
        assert!(
            strange.is_empty(),
            "{} answers beside 200 and 503: {:?}",
            strange.len(),
            &strange[..strange.len().min(5)]
        );
        let answers = self.answers.lock().unwrap();
        assert_answers_stand(rows, &answers);
        answers.len()
    }
}

/// What was answered, by id and whether it was charged, is what the ledger says: once, and not taken back.
pub(crate) fn assert_answers_stand(rows: &[LedgerRow], answers: &[(String, bool)]) {
    let by_ref: HashMap<&str, &LedgerRow> = rows.iter().map(|row| (row.request_ref_id.as_str(), row)).collect();
    assert_eq!(by_ref.len(), rows.len(), "an id stands in the ledger twice");
    let reversed: HashSet<&str> = rows.iter().map(|row| row.reverses.as_str()).filter(|id| !id.is_empty()).collect();
    let mut seen = HashSet::new();
    for (id, is_charged) in answers {
        assert!(seen.insert(id), "one id was answered twice");
        let row = by_ref.get(id.as_str()).unwrap_or_else(|| panic!("an acknowledged check is lost"));
        assert_eq!(row.charge_minor != 0, *is_charged, "{id} was told otherwise");
        assert!(!reversed.contains(id.as_str()), "an acknowledged check was reversed");
    }
}

/// Held for as long as clients ask.
pub(crate) struct Ending<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a check brought.
pub(crate) enum Told {
    Answer {
        id: String,
        is_charged: bool,
    },
    /// 503, or what an idempotency key adds to it: an earlier attempt is said to run still.
    Refused,
    /// No answer came.
    Nothing,
    /// Anything else, which must not be.
    Strange(String),
}

/// Who checks numbers.
pub(crate) trait Client {
    fn ask(&self, number: &str, id: &str) -> Told;
}

/// The SDK as a bank sets it up that wants to hear of every refusal. Its checks carry idempotency keys.
pub(crate) struct Sdk {
    runtime: Runtime,
    laini: Laini,
}

impl Sdk {
    fn of(node: &Node, app: &Credentials, patience_ms: u64) -> Self {
        let builder = Laini::builder().base_url(&node.server.base_url).allow_plain_http(true).max_retries(0);
        let builder = builder.credentials(&app.consumer_key, &app.consumer_secret);
        let laini = builder.attempt_timeout_ms(patience_ms).deadline_ms(patience_ms).build().unwrap();
        Self { runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(), laini }
    }

    /// One for each app and node.
    pub(crate) fn of_all(nodes: &[Node], apps: &[Credentials], patience_ms: u64) -> Vec<Vec<Self>> {
        apps.iter().map(|app| nodes.iter().map(|node| Self::of(node, app, patience_ms)).collect()).collect()
    }
}

impl Client for Sdk {
    fn ask(&self, number: &str, id: &str) -> Told {
        match self.runtime.block_on(self.laini.imsi(number).request_id(id).idempotency_key(id).send()) {
            Ok(checked) if matches!(checked.answer, Answer::Known(_)) => {
                let receipt = checked.receipt;
                // An answer that is told again was charged when it was told first.
                let is_charged = receipt.replayed || receipt.charge.is_some_and(|charge| charge.starts_with("KES "));
                Told::Answer { id: receipt.request_ref_id, is_charged }
            }
            Ok(checked) => Told::Strange(format!("{:?}", checked.answer)),
            Err(error) => match error.kind() {
                ErrorKind::Unreachable | ErrorKind::TimedOut => Told::Nothing,
                _ if error.status() == Some(503) => Told::Refused,
                // The end of the attempt before has not reached the database.
                _ if error.code() == Some("409.002.01") => Told::Refused,
                _ => Told::Strange(format!("{error:?}")),
            },
        }
    }
}

impl Client for Bank {
    fn ask(&self, number: &str, id: &str) -> Told {
        match self.try_check(IMSI, number, Some(id)) {
            Ok(answer) if answer.status == 200 => {
                let is_charged = answer.header("Laini-Charge").starts_with("KES ");
                Told::Answer { id: answer.field("requestRefID"), is_charged }
            }
            Ok(answer) if answer.status == 503 => Told::Refused,
            Ok(answer) => Told::Strange(format!("{} {}", answer.status, answer.text)),
            Err(_) => Told::Nothing,
        }
    }
}
