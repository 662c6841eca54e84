//! How long pages take on a large ledger.
//!
//! `cargo run --release -p laini-portal --example pages_bench -- [KEY=VALUE…]` with `rows` (1000000), `partners` (20),
//! `requests` of each page (200), `failed` calls of the last day that are kept of each partner's app (0; at most 10000),
//! `only` (pages whose paths hold this), `dir` (the system's directory for temporary files), `serve` (an address to stay at
//! afterwards, for looking at the pages).
//!
//! Checks are recorded through the engine over November and ten days of December; November is closed. Then a real server
//! answers on a connection each; told is the first answer of a page, and the median and 99th percentile of the others.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret, KeyTree, RootKey};
use laini_core::billing::{CheckId, Currency, Month};
use laini_core::partner::{
    Agreement, App, AppLimits, AppProfile, AppSecret, AppStatus, Environment, GoLiveId, GoLiveState, MemberRole,
    OnboardingStep, Partner, PartnerId, Product, ProductSet, Purpose, StaffRole,
};
use laini_core::store::{AccountStore as _, AccountsChange, RefusalLog as _, RefusedCall, Stage as Step};
use laini_core::support::Severity;
use laini_core::{Clock, Entropy};
use laini_office::billing::{CountedDays, close_month, invoices_of};
use laini_office::desk::batch;
use laini_office::desk::sheet::Sheet;
use laini_office::going_live::{GoLive, Stage};
use laini_office::mail::{Carrier, CarryError, Letter};
use laini_office::onboarding::{Moved, Onboarding};
use laini_office::people::{Seat, accept_invitation, authenticate, invite};
use laini_office::tickets::{self, NewTicket};
use laini_office::{Actor, Office, OfficeSettings, PageRequest};
use laini_portal::{Portal, PortalSettings};
use laini_server::{Deps, Listener, LiveSettings, Server, Settings};
use laini_store_sqlite::{
    LedgerSettings, RegistrySettings, SqliteAccounts, SqliteLedger, SqliteRegistry, SqliteWorlds,
};
use laini_testkit::contract::ledger::{FixedDayKeys, app};
use laini_testkit::traffic::{self, Failure};

/// When everything is looked at.
const NOW: &str = "2026-12-10T09:00:00Z";
const PASSWORD: &str = "four words walk home";
/// Wanted of each page.
const WANTED: Duration = Duration::from_millis(20);
/// Somebody may search calls by a number so often a day.
const SEARCHES_MAX: usize = 150;
/// A number that is asked about somewhere.
const NUMBER: &str = "254722000042";
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Rows of a table that is brought to the desk.
const BATCH_ROWS: usize = 1_000;

/// Nothing that is drawn here has to be random.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            chunk.copy_from_slice(&count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// It is always then.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Letters go nowhere.
struct Nowhere;

impl Carrier for Nowhere {
    fn carry(&self, _: laini_core::partner::LetterId, _: &Letter, _: Timestamp) -> Result<(), CarryError> {
        Ok(())
    }
}

struct Asked {
    rows: u64,
    partners: u64,
    requests: usize,
    failed: u64,
    only: String,
    dir: PathBuf,
    serve: Option<SocketAddr>,
}

fn asked() -> Result<Asked, Failure> {
    let dir = std::env::temp_dir();
    let (rows, only) = (1_000_000, String::new());
    let mut asked = Asked { rows, partners: 20, requests: 200, failed: 0, only, dir, serve: None };
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').ok_or("expected KEY=VALUE")? {
            ("rows", value) => asked.rows = value.parse()?,
            ("partners", value) => asked.partners = value.parse()?,
            ("requests", value) => asked.requests = value.parse()?,
            ("failed", value) => asked.failed = value.parse()?,
            ("only", value) => value.clone_into(&mut asked.only),
            ("dir", value) => asked.dir = PathBuf::from(value),
            ("serve", value) => asked.serve = Some(value.parse()?),
            (key, _) => return Err(format!("no such key: {key}").into()),
        }
    }
    Ok(asked)
}

fn main() -> Result<(), Failure> {
    let asked = asked()?;
    let dir = tempfile::tempdir_in(&asked.dir)?;
    let zone = TimeZone::get("Africa/Nairobi")?;
    let (month, now): (Month, Timestamp) = (Month::parse("2026-11")?, NOW.parse()?);
    let keys = Arc::new(KeyTree::new(RootKey::new([7; 32])));
    let accounts = Arc::new(SqliteAccounts::open(dir.path())?);
    let agreements = add_partners(&accounts, asked.partners, month.begins(&zone))?;
    let begun = Instant::now();
    let days = Arc::new(FixedDayKeys::default());
    let ledger = Arc::new(SqliteLedger::open(dir.path(), keys.chain(), days, LedgerSettings::default())?);
    let span = (month.begins(&zone), now - SignedDuration::from_hours(1));
    block_on(traffic::record(&*ledger, &agreements, asked.rows, span))?;
    told(&format!("{} checks of {} partners recorded in {:.0?}", asked.rows, asked.partners, begun.elapsed()))?;
    keep_failed(&accounts, asked.partners, asked.failed, now)?;
    let office = Arc::new(Office {
        store: Arc::clone(&accounts) as _,
        accounts: Arc::clone(&accounts) as _,
        ledger: Arc::clone(&ledger) as _,
        outbox: Arc::clone(&ledger) as _,
        refusals: Arc::clone(&accounts) as _,
        registry: None,
        subjects: None,
        keys: Arc::clone(&keys),
        entropy: Arc::new(Counting::default()),
        settings: OfficeSettings::new("Test Mobile", zone.clone(), Currency::KES),
        counted: CountedDays::default(),
        jobs: laini_office::jobs::Jobs::default(),
    });
    let closed = close_month(&office, &Actor::System, month, now, false)?;
    told(&format!("{month} closed: {} invoices", closed.made))?;
    fill_board(&office, now)?;
    let bank = agreements.first().ok_or("no partner")?.partner;
    let owner = Seat::Member { partner: bank, role: MemberRole::Owner };
    let owner = signed_in(&office, owner, "owner@bank.example", now)?;
    let staff = signed_in(&office, Seat::Staff { role: StaffRole::Admin }, "staff@mobile.example", now)?;
    let found = office.run(&Actor::System, now, |work| invoices_of(work, bank, PageRequest::FIRST))?;
    let invoice = found.items.first().ok_or("no invoice was made")?.statement.number;
    let brought = bring(&office, bank, &owner, now)?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listen = asked.serve.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = runtime.block_on(bind(dir.path(), listen, &office, &ledger, (zone, now)))?;
    let address = *server.addresses().first().ok_or("nothing listens")?;
    let serving = runtime.spawn(server.run(std::future::pending()));
    let wanted = |mut pages: Vec<String>| {
        pages.retain(|page| page.contains(&asked.only));
        pages
    };
    let call = link(address, "/requests", &owner, "/requests/")?;
    measure(address, asked.requests, &owner, &wanted(members(invoice, &call, &brought)))?;
    measure(address, asked.requests, &staff, &wanted(staffs(bank, &call, &brought)))?;
    for search in wanted(vec!["/requests".to_owned()]) {
        measure_search(address, asked.requests.min(SEARCHES_MAX), &owner, &search)?;
    }
    if asked.serve.is_some() {
        told(&format!("http://{address}: owner@bank.example and staff@mobile.example, {PASSWORD}"))?;
        runtime.block_on(serving)?;
    }
    Ok(())
}

/// A member's pages, about one call among them. Rows of a line are told by where the lines of their invoice part, which
/// the first look works out.
fn members(invoice: u64, call: &str, brought: &Brought) -> Vec<String> {
    let pages = [
        "/",
        "/products",
        "/status",
        "/docs/getting-started",
        "/docs/search?q=swap",
        "/docs/reference",
        "/account",
        "/organisation",
        "/agreements",
        "/go-live",
        "/audit",
        "/privacy-requests",
        "/apps",
        "/apps/A",
        "/requests",
        "/requests?answered=failed",
        "/requests?from=2026-11-01&until=2026-11-30",
        "/requests.csv",
        "/webhooks",
        "/desk",
        "/desk/history",
        "/desk/history?reference=cheque",
        "/desk/batch",
        "/desk/alarms",
        "/desk/settings",
        "/incidents",
        "/support",
        "/team",
        "/usage",
        "/usage?month=2026-11",
        "/usage/days.csv?month=2026-11",
        "/usage/references?month=2026-11",
        "/billing",
        "/invoices",
        "/billing/account",
        "/billing/paying",
        "/invoices/N",
        "/invoices/N/lines/1",
        "/invoices.csv",
    ];
    let mut pages =
        pages.map(|page| page.replace("/N", &format!("/{invoice}")).replace("/A", &format!("/{}", app(1)))).to_vec();
    pages.extend([call.to_owned(), brought.batch.clone(), format!("/support/{}", brought.ticket)]);
    pages
}

/// Pages of the operator's staff, about a partner and one of its calls among them.
fn staffs(bank: PartnerId, call: &str, brought: &Brought) -> Vec<String> {
    let pages = [
        "/operate/partners",
        "/operate/partners/all",
        "/operate/agreements",
        "/operate/traffic",
        "/operate/alarms",
        "/operate/data",
        "/operate/limits",
        "/operate/limits/P",
        "/operate/privacy",
        "/operate/staff",
        "/operate/incidents",
        "/operate/tickets",
        "/operate/audit",
        "/partners/P",
        "/operate/revenue",
        "/operate/invoices",
        "/operate/invoices?state=open",
        "/operate/prices",
        "/operate/prices/P",
        "/operate/closes",
        "/operate/payments",
        "/partners/P/audit",
        "/partners/P/apps",
        "/partners/P/team",
        "/partners/P/requests",
        "/partners/P/requests?answered=failed",
        "/partners/P/usage",
        "/partners/P/billing",
        "/partners/P/billing/account",
        "/partners/P/billing/paying",
        "/partners/P/invoices",
    ];
    let mut pages = pages.map(|page| page.replace("/P", &format!("/{bank}"))).to_vec();
    pages.extend([format!("/partners/{bank}{call}"), format!("/operate/tickets/{bank}/{}", brought.ticket)]);
    pages
}

/// What a member brought, which pages are about.
struct Brought {
    /// Where their table is.
    batch: String,
    /// The id of their ticket.
    ticket: String,
}

/// Brings a table to the desk of a bank, and opens a ticket.
fn bring(office: &Office, bank: PartnerId, session: &str, at: Timestamp) -> Result<Brought, Failure> {
    let member = authenticate(office, session, at).map_err(|_| "the session is gone")?;
    let rows: Vec<String> = (0..BATCH_ROWS).map(|row| format!("2547221{row:05},cheque {row}")).collect();
    let sheet = Sheet::read(format!("number,reference\n{}\n", rows.join("\n")).as_bytes())?;
    let new = NewTicket { subject: "Checks are slow", reference: "", severity: Severity::Minor, text: "Since today." };
    let brought = office.run(&member, at, |work| {
        let batch = batch::add_draft(work, bank, app(bank.as_u64()), &sheet, None)?;
        let ticket = tickets::open(work, bank, &new)?.id.to_string();
        Ok(Brought { batch: format!("/desk/batch/{}", batch.id), ticket })
    });
    Ok(brought?)
}

async fn bind(
    dir: &Path,
    listen: SocketAddr,
    office: &Arc<Office>,
    ledger: &Arc<SqliteLedger>,
    (zone, now): (TimeZone, Timestamp),
) -> Result<Server, Failure> {
    let live = Arc::new(LiveSettings::new(Settings::new(zone)));
    let registry = Arc::new(SqliteRegistry::open(RegistrySettings::new(dir), office.keys.registry_seal())?);
    let (pages_of, settings) = (Arc::clone(office), Arc::clone(&live));
    let deps = Deps {
        registry: Arc::clone(&registry) as _,
        feed: registry,
        ledger: Arc::clone(ledger) as _,
        answers: Arc::clone(ledger) as _,
        outbox: Arc::clone(ledger) as _,
        accounts: Arc::clone(&office.accounts),
        office: Arc::clone(office),
        mail: Arc::new(Nowhere),
        single_sign_on: None,
        assistant: None,
        pages: Some(Box::new(move |inside, running| {
            Portal::routes(pages_of, settings, PortalSettings::default(), (inside, running))
        })),
        probing: None,
        shares: None,
        worlds: Arc::new(SqliteWorlds::open(dir)?),
        keys: Arc::clone(&office.keys),
        clock: Arc::new(Standing(now)),
        entropy: Arc::new(Counting::default()),
        metrics: None,
        traces: None,
    };
    Ok(Server::bind(&[Listener::new(listen)], None, deps, live).await?)
}

/// Asks for pages as one caller, and tells how long they took.
fn measure(address: SocketAddr, requests: usize, session: &str, pages: &[String]) -> Result<(), Failure> {
    for page in pages {
        let first = get(address, page, session)?;
        let times = (0..requests).map(|_| get(address, page, session)).collect::<Result<Vec<_>, _>>()?;
        tell(page, first, times)?;
    }
    Ok(())
}

/// Searches calls by a number, as the form of the page does, and tells how long that took.
fn measure_search(address: SocketAddr, requests: usize, session: &str, page: &str) -> Result<(), Failure> {
    let (_, form) = ask(address, &format!("GET {page}"), session, None)?;
    let token = form.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let body = format!("csrf={}&find={NUMBER}", token.ok_or("the page has no form")?);
    let search = || ask(address, &format!("POST {page}"), session, Some(&body)).map(|(took, _)| took);
    let first = search()?;
    let times = (1..requests).map(|_| search()).collect::<Result<Vec<_>, _>>()?;
    tell(&format!("{page} by a number"), first, times)
}

/// Tells how long the first answer of a page took, and the others.
fn tell(page: &str, first: Duration, mut times: Vec<Duration>) -> Result<(), Failure> {
    times.sort_unstable();
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).or(times.last()).copied();
    let (median, slow) = (at(50).ok_or("no request was made")?, at(99).ok_or("no request was made")?);
    let met = if slow <= WANTED { "" } else { "  more than wanted" };
    told(&format!("{page:<32} first {first:>8.1?}  p50 {median:>8.1?}  p99 {slow:>8.1?}{met}"))
}

/// The first link of a page that leads below a path.
fn link(address: SocketAddr, page: &str, session: &str, below: &str) -> Result<String, Failure> {
    let (_, text) = ask(address, &format!("GET {page}"), session, None)?;
    let found = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut found = found.filter(|href| href.len() > below.len() && href.starts_with(below));
    Ok(found.next().ok_or(format!("{page} leads to nothing below {below}"))?.to_owned())
}

/// One page on a connection of its own: how long it took.
fn get(address: SocketAddr, path: &str, session: &str) -> Result<Duration, Failure> {
    ask(address, &format!("GET {path}"), session, None).map(|(took, _)| took)
}

/// One request on a connection of its own: how long it took, and the answer.
fn ask(address: SocketAddr, line: &str, session: &str, form: Option<&str>) -> Result<(Duration, String), Failure> {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(address)?;
    let cookie = format!("__Host-laini_session={session}");
    let end = form.map_or("\r\n".to_owned(), |form| {
        let length = form.len();
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}")
    });
    write!(connection, "{line} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n{end}")?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let took = begun.elapsed();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(format!("{line}: {}", answer.lines().next().unwrap_or_default()).into());
    }
    Ok((took, answer))
}

/// Somebody who was invited and came: the token of their session.
fn signed_in(office: &Office, seat: Seat, email: &str, at: Timestamp) -> Result<String, Failure> {
    let (_, issued) = office.run(&Actor::System, at, |work| invite(work, seat, email, email, false))?;
    let come =
        |work: &mut laini_office::Work<'_>| accept_invitation(work, &issued.token, PASSWORD, None, "127.0.0.1", None);
    Ok(office.run(&Actor::Stranger, at, come)?.token.to_string())
}

/// As many partners at each step, and requests to go live, as the board has places for.
fn fill_board(office: &Office, at: Timestamp) -> Result<(), Failure> {
    let steps = OnboardingStep::ALL.into_iter().cycle().take(20 * OnboardingStep::ALL.len());
    office.run(&Actor::System, at, |work| {
        for (number, step) in (1_001..).zip(steps.clone()) {
            let partner = PartnerId::from_stored(number);
            work.accounts(AccountsChange::AddPartner(Partner::new(partner, format!("Bank {number}"))));
            let moved = Moved { at, step, by: String::new(), reason: String::new() };
            work.put(&Onboarding { partner, step, began: at, history: vec![moved], comments: Vec::new() })?;
        }
        for number in 1..=20 {
            let (partner, state) = (PartnerId::from_stored(number), GoLiveState::AwaitingApproval);
            let stages = vec![Stage { state, at, by: String::new(), reason: String::new() }];
            let (id, products) = (GoLiveId::from_random(number), vec![Product::Imsi]);
            let name = format!("Cheque desk {number}");
            work.put(&GoLive { id, partner, name, products, run: None, state, began: at, stages, app: None })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Partners with an app and an agreement each.
fn add_partners(accounts: &SqliteAccounts, partners: u64, from: Timestamp) -> Result<Vec<Agreement>, Failure> {
    let agreements = block_on(traffic::add_partners(accounts, partners, from))?;
    for number in 1..=partners {
        let audit = traffic::noted("app.add", PartnerId::from_stored(number), from);
        block_on(accounts.add_app(app_of(number, from), audit))?;
    }
    Ok(agreements)
}

/// Keeps so many failed calls of each partner's app, over the last 24 hours.
fn keep_failed(accounts: &SqliteAccounts, partners: u64, each: u64, now: Timestamp) -> Result<(), Failure> {
    let failed = |partner: u64, number: u64| -> Result<RefusedCall, Failure> {
        let at = now - SignedDuration::from_millis((DAY_MS * number / each).try_into()?);
        Ok(RefusedCall {
            id: CheckId::from_parts(CheckId::floor(at).position() + number % 4_096, partner),
            at,
            partner: PartnerId::from_stored(partner),
            app: app(partner),
            environment: Environment::Production,
            path: "/imsi/v1/checkATI".to_owned(),
            product: Some(Product::Imsi),
            status: 400,
            code: "400.002.02".to_owned(),
            stage: Step::Request,
            reason: format!("Invalid number at place {}", number % 20),
            micros: 300,
            about: None,
        })
    };
    for partner in 1..=partners {
        let calls = (0..each).map(|number| failed(partner, number)).collect::<Result<_, _>>()?;
        block_on(accounts.keep(calls, usize::try_from(each)?))?;
    }
    Ok(())
}

fn app_of(number: u64, from: Timestamp) -> App {
    App {
        id: app(number),
        partner: PartnerId::from_stored(number),
        name: format!("Cheque desk {number}"),
        environment: Environment::Production,
        products: ProductSet::all(),
        status: AppStatus::Active,
        token_epoch: 0,
        consumer_key: ConsumerKey::mint(Environment::Production, [number, 1, 2]),
        secrets: vec![AppSecret::first(&ConsumerSecret::mint([number, 1, 2, 3]), from)],
        profile: AppProfile::default(),
        purpose: Purpose::FraudPrevention,
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: AddressRules::default(),
    }
}

fn told(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
