//! A running server with one bank: an app per environment, every product.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret, KeyTree};
use laini_core::billing::{Band, Currency, FreeUnits, Money, Price};
use laini_core::disclosure::Windows;
use laini_core::line::{Imsi, Line, LineState, LineStatus, Swap, SwapCause};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppLimits, AppProfile, AppSecret, AppStatus, Environment, Partner, PartnerId,
    Product, ProductSet, Purpose,
};
use laini_core::store::{AccountBook, AccountStore, AuditEntry, LimitShares, Registry};
use laini_office::billing::CountedDays;
use laini_office::{Office, OfficeSettings};
use laini_server::{Assistant, Deps, Environments, Listener, LiveSettings, Server, Settings, SingleSignOn};
use laini_store_sqlite::SqliteAccounts;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::fakes::{BookAccounts, CountedEntropy, HandClock, MapRegistry, MapWorlds, VecLedger};
use crate::no_feed::NoFeed;
use crate::pocket::Pocket;
use crate::wire::{Connection, HANGS_AFTER, Reply, basic, check, request};

/// Any free port.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";
pub(crate) const IMSI_PATH: &str = "/imsi/v1/checkATI";
pub(crate) const SWAP_PATH: &str = "/imsi/v2/checkATI";
pub(crate) const AGE_PATH: &str = "/registration/lookup/v1/checkATI";
pub(crate) const CHECK_PATHS: [&str; 3] = [IMSI_PATH, SWAP_PATH, AGE_PATH];

pub(crate) struct World {
    /// Of the first listener.
    pub(crate) address: SocketAddr,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) registry: Arc<MapRegistry>,
    pub(crate) ledger: Arc<VecLedger>,
    pub(crate) accounts: Arc<BookAccounts>,
    pub(crate) worlds: Arc<MapWorlds>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) keys: Arc<KeyTree>,
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) sandbox: Credentials,
    pub(crate) production: Credentials,
    production_token: OnceCell<String>,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) running: JoinHandle<()>,
    pub(crate) office: Arc<Office>,
    /// The letters that left.
    pub(crate) mail: Arc<Pocket>,
    _records: TempDir,
}

/// What outlives a server.
struct Stores {
    registry: Arc<MapRegistry>,
    ledger: Arc<VecLedger>,
    shares: Option<Arc<dyn LimitShares>>,
    /// Whether the accounts lie where the office changes them.
    has_office_accounts: bool,
    /// The operator's identity provider.
    single_sign_on: Option<SingleSignOn>,
    /// The model that phrases answers.
    assistant: Option<Assistant>,
    /// Whether staff may do nothing before they have a second factor.
    wants_second_factor: bool,
}

impl Default for Stores {
    fn default() -> Self {
        let registry = Arc::new(MapRegistry::complete_until("2026-11-22T08:55:00Z"));
        Self {
            registry,
            ledger: Arc::default(),
            shares: None,
            has_office_accounts: false,
            single_sign_on: None,
            assistant: None,
            wants_second_factor: false,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) app: AppId,
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::start_on(&[Listener::new(LOOPBACK)], adjust).await
    }

    /// A server of the sandbox alone.
    pub(crate) async fn start_sandbox() -> Self {
        let listener = Listener { environments: Environments::SandboxOnly, ..Listener::new(LOOPBACK) };
        Self::start_on(&[listener], |_| {}).await
    }

    pub(crate) async fn start_on(listeners: &[Listener], adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::start_from(Stores::default(), listeners, adjust, |_| {}).await
    }

    /// A world whose accounts were changed before the server started.
    pub(crate) async fn start_with_accounts(change: impl FnOnce(&mut AccountBook)) -> Self {
        Self::start_from(Stores::default(), &[Listener::new(LOOPBACK)], |_| {}, change).await
    }

    /// A world whose settings and accounts were changed before the server started.
    pub(crate) async fn start_customised(
        adjust: impl FnOnce(&mut Settings),
        change: impl FnOnce(&mut AccountBook),
    ) -> Self {
        Self::start_from(Stores::default(), &[Listener::new(LOOPBACK)], adjust, change).await
    }

    /// A world whose accounts are those that its office changes, and whose token doors are patient with who waits for
    /// a change to be noticed.
    pub(crate) async fn start_office() -> Self {
        const PATIENCE: u32 = 1_000_000;
        let stores = Stores { has_office_accounts: true, ..Stores::default() };
        let patient = |settings: &mut Settings| {
            settings.limits.token_requests_burst = PATIENCE;
            settings.limits.token_failures_per_minute = PATIENCE;
        };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], patient, |_| {}).await
    }

    /// A world whose people may sign in at an identity provider.
    pub(crate) async fn start_with_provider(provider: SingleSignOn) -> Self {
        let stores = Stores { single_sign_on: Some(provider), ..Stores::default() };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], |_| {}, |_| {}).await
    }

    /// A world in which a model phrases answers.
    pub(crate) async fn start_with_model(assistant: Assistant) -> Self {
        let stores = Stores { assistant: Some(assistant), ..Stores::default() };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], |_| {}, |_| {}).await
    }

    /// A world whose staff may do nothing before they have a second factor.
    pub(crate) async fn start_with_second_factor() -> Self {
        let stores = Stores { wants_second_factor: true, ..Stores::default() };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], |_| {}, |_| {}).await
    }

    /// A node that shares its limits with whoever else is given `shares`.
    pub(crate) async fn start_node(shares: Arc<dyn LimitShares>, change: impl FnOnce(&mut AccountBook)) -> Self {
        let stores = Stores { shares: Some(shares), ..Stores::default() };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], |_| {}, change).await
    }

    /// A second server on what this one remembers.
    pub(crate) async fn restarted(&self) -> Self {
        let (registry, ledger) = (Arc::clone(&self.registry), Arc::clone(&self.ledger));
        let stores = Stores { registry, ledger, ..Stores::default() };
        let (limits, partners): (Vec<_>, _) = {
            let book = self.accounts.book.lock().unwrap();
            (book.apps.iter().map(|app| app.limits.clone()).collect(), book.partners.clone())
        };
        let change = |book: &mut AccountBook| {
            book.apps.iter_mut().zip(limits).for_each(|(app, limits)| app.limits = limits);
            book.partners = partners;
        };
        Self::start_from(stores, &[Listener::new(LOOPBACK)], |_| {}, change).await
    }

    async fn start_from(
        stores: Stores,
        listeners: &[Listener],
        adjust: impl FnOnce(&mut Settings),
        change: impl FnOnce(&mut AccountBook),
    ) -> Self {
        let Stores { registry, ledger, shares, has_office_accounts, single_sign_on, assistant, wants_second_factor } =
            stores;
        let accounts = Arc::new(BookAccounts::default());
        let (worlds, clock) = (Arc::new(MapWorlds::default()), Arc::new(HandClock::at(NOW)));
        let keys = Arc::new(crate::fakes::keys());
        let (sandbox, production) = open_accounts(&mut accounts.book.lock().unwrap());
        change(&mut accounts.book.lock().unwrap());
        let mut settings = Settings::new(TimeZone::get("Africa/Nairobi").unwrap());
        adjust(&mut settings);
        let settings = Arc::new(LiveSettings::new(settings));
        let (records, mail) = (tempfile::tempdir().unwrap(), Arc::new(Pocket::default()));
        let kept = Arc::new(SqliteAccounts::open(records.path()).unwrap());
        let mut in_force: Arc<dyn AccountStore> = Arc::clone(&accounts) as _;
        if has_office_accounts {
            let book = accounts.book.lock().unwrap().clone();
            fill(&kept, book).await;
            in_force = Arc::clone(&kept) as _;
        }
        let zone = settings.current().zone.clone();
        let mut office = office_of(kept, Arc::clone(&in_force), &ledger, (Arc::clone(&registry) as _, &keys), zone);
        Arc::get_mut(&mut office).unwrap().settings.people.staff_second_factor = wants_second_factor;
        let deps = Deps {
            registry: Arc::clone(&registry) as _,
            feed: Arc::new(NoFeed),
            ledger: Arc::clone(&ledger) as _,
            answers: Arc::clone(&ledger.answers) as _,
            outbox: Arc::clone(&ledger.outbox) as _,
            accounts: in_force,
            office: Arc::clone(&office),
            mail: Arc::clone(&mail) as _,
            single_sign_on,
            assistant,
            pages: None,
            probing: None,
            shares,
            worlds: Arc::clone(&worlds) as _,
            keys: Arc::clone(&keys),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(CountedEntropy::default()),
            metrics: None,
            traces: None,
        };
        let server = Server::bind(listeners, None, deps, Arc::clone(&settings)).await.unwrap();
        let addresses = server.addresses().to_vec();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self {
            address: addresses[0],
            addresses,
            registry,
            ledger,
            accounts,
            worlds,
            clock,
            keys,
            settings,
            sandbox,
            production,
            production_token: OnceCell::new(),
            stop: Some(stop),
            running,
            office,
            mail,
            _records: records,
        }
    }

    /// The production app's first token: the token door has a throttle.
    pub(crate) async fn first_token(&self) -> &str {
        self.production_token.get_or_init(|| self.token(&self.production)).await
    }

    /// Waits until the running server has noticed a change of the accounts.
    pub(crate) async fn accounts_noticed(&self, noticed: impl AsyncFn() -> bool) {
        let noticing = async {
            while !noticed().await {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), noticing).await.expect("a change holds within 5 s");
    }

    /// Asks the server to shut down.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has shut down.
    pub(crate) async fn stopped(self) {
        timeout(HANGS_AFTER, self.running).await.expect("the server hangs").unwrap();
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut connection = Connection::open(self.address).await;
        connection.send(request).await;
        connection.reply().await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path, "", "")).await
    }

    pub(crate) async fn generate(&self, credentials: &Credentials) -> Reply {
        let headers = basic(&credentials.key, &credentials.secret);
        self.send(request("GET", "/oauth/v1/generate?grant_type=client_credentials", &headers, "")).await
    }

    pub(crate) async fn token(&self, credentials: &Credentials) -> String {
        self.generate(credentials).await.text("access_token")
    }

    /// A check in production of `number`, as JSON text or digits.
    pub(crate) async fn check(&self, path: &str, number: &str) -> Reply {
        let token = self.token(&self.production).await;
        self.check_with(path, &token, &format!("{{\"customerNumber\":\"{number}\"}}")).await
    }

    pub(crate) async fn check_with(&self, path: &str, token: &str, body: &str) -> Reply {
        self.send(check(path, token, body)).await
    }

    /// Puts a line that was registered at `registered` and swapped at `swapped`.
    pub(crate) fn put(&self, number: &str, registered: &str, swapped: Option<&str>) {
        self.registry.put(number, LineState { line: Some(line(registered, swapped)), source_rejected: false });
    }

    pub(crate) fn change_line(&self, number: &str, change: impl FnOnce(&mut LineState)) {
        let mut lines = self.registry.lines.lock().unwrap();
        change(lines.get_mut(&number.parse().unwrap()).unwrap());
    }
}

pub(crate) fn line(registered: &str, swapped: Option<&str>) -> Line {
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    Line {
        status: LineStatus::Active,
        sim: Imsi::parse("639021860913909").unwrap().into(),
        registered: instant(registered),
        holder_since: None,
        last_swap: swapped.map(|at| Swap { at: instant(at), cause: SwapCause::Replacement }),
        last_pairing: None,
        contract: None,
        swap_learned: false,
        swap_before: None,
        restricted: false,
        hashed_imsi: None,
    }
}

/// The office beside a server, over the stores that the server has.
fn office_of(
    kept: Arc<SqliteAccounts>,
    accounts: Arc<dyn AccountStore>,
    ledger: &Arc<VecLedger>,
    (registry, keys): (Arc<dyn Registry>, &Arc<KeyTree>),
    zone: TimeZone,
) -> Arc<Office> {
    Arc::new(Office {
        store: Arc::clone(&kept) as _,
        refusals: kept,
        accounts,
        ledger: Arc::clone(ledger) as _,
        outbox: Arc::clone(&ledger.outbox) as _,
        registry: Some(registry),
        subjects: None,
        keys: Arc::clone(keys),
        entropy: Arc::new(CountedEntropy::default()),
        settings: OfficeSettings::new("Test Mobile", zone, Currency::KES),
        counted: CountedDays::default(),
        jobs: laini_office::jobs::Jobs::default(),
    })
}

/// Puts a book into a store.
async fn fill(store: &SqliteAccounts, book: AccountBook) {
    let audit = |action: &str| AuditEntry {
        at: NOW.parse().unwrap(),
        actor: "test".to_owned(),
        action: action.to_owned(),
        target: String::new(),
        reason: String::new(),
        partner: None,
    };
    for (partner, agreement) in book.partners.into_iter().zip(book.agreements) {
        store.add_partner(partner, agreement, audit("partner.add")).await.unwrap();
    }
    for app in book.apps {
        store.add_app(app, audit("app.add")).await.unwrap();
    }
}

fn open_accounts(book: &mut AccountBook) -> (Credentials, Credentials) {
    let partner = Partner::new(PartnerId::from_stored(1), "Bank A".to_owned());
    book.version = 1;
    book.agreements.push(Agreement {
        id: AgreementId::from_stored(2),
        partner: partner.id,
        valid_from: Timestamp::UNIX_EPOCH,
        valid_until: None,
        windows: Windows::default(),
        prices: vec![
            (Product::Imsi, Price::flat(1, Money::new(2_000, Currency::KES))),
            (Product::Swap, free_first(Money::new(100, Currency::KES))),
            (Product::Age, Price::flat(1, Money::new(400, Currency::KES))),
        ],
        pass_hashed_imsi: false,
        purposes: Purpose::ALL.to_vec(),
        exact_times: false,
    });
    let mut open = |id: u64, environment: Environment| {
        let secret = ConsumerSecret::mint([id, 2, 3, 4]);
        let key = ConsumerKey::mint(environment, [id, 5, 6]);
        let credentials = Credentials {
            app: AppId::from_stored(id),
            key: key.as_str().to_owned(),
            secret: secret.reveal().to_owned(),
        };
        book.apps.push(App {
            id: credentials.app,
            partner: partner.id,
            name: format!("{} app", environment.word()),
            environment,
            products: ProductSet::all(),
            status: AppStatus::Active,
            token_epoch: 0,
            consumer_key: key,
            secrets: vec![AppSecret::first(&secret, NOW.parse().unwrap())],
            profile: AppProfile::default(),
            purpose: Purpose::default(),
            limits: AppLimits::default(),
            client_certificate: None,
            allowed_addresses: AddressRules::default(),
        });
        credentials
    };
    let both = (open(10, Environment::Sandbox), open(11, Environment::Production));
    book.partners.push(partner);
    both
}

fn free_first(unit: Money) -> Price {
    let bands = vec![Band { up_to: None, unit_minor: unit.minor }];
    Price { free: FreeUnits::Once(200_000), bands, ..Price::flat(1, unit) }
}

/// Asserts status, code and message, in both published styles where the path is a check's.
pub(crate) fn assert_error(reply: &Reply, status: u16, code: &str, message: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["errorCode"], code, "{reply:?}");
    assert_eq!(body["errorMessage"], message, "{reply:?}");
    let id = body["requestId"].as_str().unwrap();
    assert!(laini_core::billing::CheckId::parse_request_ref(id).is_ok(), "{reply:?}");
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    if body.get("requestRefID").is_some() {
        assert_eq!(fields.len(), 6, "{reply:?}");
        assert_eq!(body["requestRefID"], id);
        assert_eq!(body["responseCode"], status.to_string());
        assert_eq!(body["responseDesc"], message);
    } else {
        assert_eq!(fields.len(), 3, "{reply:?}");
    }
    assert!(body.as_object().unwrap().values().all(Value::is_string));
}
