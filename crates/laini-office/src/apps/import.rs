//! Credentials that were made by another gateway: taken over as they are, so that nobody who holds them notices.

use std::collections::HashSet;
use std::fmt;

use laini_core::access::{ConsumerKey, SecretHash};
use laini_core::partner::{AppId, AppSecret, Environment, PartnerId, Product, ProductSet};
use laini_core::store::{AccountBook, AccountsChange};
use zeroize::Zeroizing;

use super::{agreement_in_force, blank, has_a_product, name_taken, not_covered, readable_name, standing, the_partner};
use crate::{Problem, Work};

/// So many credentials are taken over at a time.
const ROWS_MAX: usize = 1_000;

/// A pair of credentials as it is brought along; nothing of it is judged yet.
#[derive(Clone, Default)]
pub struct ForeignApp {
    /// In which line of the file it stands.
    pub line: u64,
    /// The consumer key.
    pub consumer_key: String,
    /// The secret; empty where its digest is given.
    pub consumer_secret: Zeroizing<String>,
    /// The SHA-256 of the secret in hexadecimal digits; empty where the secret itself is given.
    pub consumer_secret_sha256: String,
    /// What the app is called.
    pub name: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// Products, with commas or spaces between them.
    pub products: String,
}

impl fmt::Debug for ForeignApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignApp(line {}, …)", self.line)
    }
}

/// What becomes of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// In which line of the file it stands.
    pub line: u64,
    /// Its name, as it stands there.
    pub name: String,
    /// The app that it becomes; `None` where it cannot.
    pub app: Option<AppId>,
    /// Why it cannot.
    pub problems: Vec<String>,
}

/// What becomes of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Row by row.
    pub rows: Vec<ImportedRow>,
}

impl ImportReport {
    /// Whether every one of them can be taken over; otherwise none was.
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(|row| row.problems.is_empty())
    }
}

/// Takes over credentials for `partner`, all of them or none; under `dry_run` it only says what would become of them.
pub fn import_apps(
    work: &mut Work<'_>,
    partner: PartnerId,
    foreign: &[ForeignApp],
    dry_run: bool,
) -> Result<ImportReport, Problem> {
    if foreign.is_empty() || foreign.len() > ROWS_MAX {
        return Err(Problem::invalid("file", format!("expected 1 to {ROWS_MAX} rows of credentials")));
    }
    let book = work.book()?;
    the_partner(&book, partner)?;
    standing::is_not_ended(work, partner)?;
    let mut taken = Taken::of(&book, partner);
    let (mut rows, mut changes) = (Vec::new(), Vec::new());
    for one in foreign {
        let mut row = ImportedRow { line: one.line, name: one.name.trim().to_owned(), app: None, problems: Vec::new() };
        match taken.read(work, &book, (partner, one)) {
            Ok(app) => {
                row.app = Some(app.id);
                changes.push(app);
            }
            Err(problems) => row.problems = problems,
        }
        rows.push(row);
    }
    let report = ImportReport { rows };
    if report.is_good() && !dry_run {
        for app in changes {
            work.note("app.import", Some(partner), app.id, app.environment.word());
            work.accounts(AccountsChange::AddApp(Box::new(app)));
        }
    }
    Ok(report)
}

/// What another app has already.
struct Taken {
    keys: HashSet<String>,
    names: HashSet<String>,
}

impl Taken {
    fn of(book: &AccountBook, partner: PartnerId) -> Self {
        let own = book.apps.iter().filter(|app| app.partner == partner);
        Self {
            keys: book.apps.iter().map(|app| app.consumer_key.as_str().to_owned()).collect(),
            names: own.map(|app| app.name.clone()).collect(),
        }
    }

    /// The app that a row becomes, or everything that is wrong with it.
    fn read(
        &mut self,
        work: &Work<'_>,
        book: &AccountBook,
        (partner, row): (PartnerId, &ForeignApp),
    ) -> Result<laini_core::partner::App, Vec<String>> {
        let mut problems = Vec::new();
        let mut told = |problem: String| problems.push(problem);
        let key = ConsumerKey::parse(row.consumer_key.trim()).map_err(|error| told(format!("consumer_key: {error}")));
        let hash = secret(row).map_err(|error| told(format!("consumer_secret: {error}")));
        let name = readable_name(&row.name).map_err(|error| told(error.to_string()));
        let environment = Environment::parse(row.environment.trim()).map_err(|e| told(format!("environment: {e}")));
        let words = row.products.split([',', ';', ' ']).filter(|word| !word.is_empty());
        let products: Result<ProductSet, _> = words.map(Product::parse).collect();
        let products = products.map_err(|error| told(format!("products: {error}")));
        if let Ok(key) = &key
            && !self.keys.insert(key.as_str().to_owned())
        {
            told("consumer_key: another app has it already, here or further up in the file".to_owned());
        }
        if let Ok(name) = &name
            && !self.names.insert(name.clone())
        {
            told(name_taken().to_string());
        }
        if let (Ok(Environment::Production), Ok(products)) = (&environment, &products)
            && let Some(product) = not_covered(agreement_in_force(book, partner, work.at).as_ref(), *products)
        {
            let product = product.word();
            told(format!("products: no agreement that covers {product} is in force; sign one first"));
        }
        let (Ok(consumer_key), Ok(hash), Ok(name), Ok(environment), Ok(products)) =
            (key, hash, name, environment, products)
        else {
            return Err(problems);
        };
        if let Err(problem) = has_a_product(products) {
            problems.push(problem.to_string());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let id = AppId::from_random(work.office.entropy.next_u64());
        let secrets = vec![AppSecret::foreign(hash, work.at)];
        Ok(laini_core::partner::App { id, consumer_key, secrets, ..blank(partner, name, environment, products) })
    }
}

fn secret(row: &ForeignApp) -> Result<SecretHash, String> {
    match (row.consumer_secret.as_str(), row.consumer_secret_sha256.trim()) {
        ("", "") => Err("neither it nor its SHA-256 is there".to_owned()),
        (secret, "") => SecretHash::of_foreign(secret).map_err(|error| error.to_string()),
        ("", digest) => SecretHash::parse_hex(digest).map_err(|error| error.to_string()),
        _ => Err("it and its SHA-256 are both there; give one of them".to_owned()),
    }
}
