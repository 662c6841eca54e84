use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use laini_core::access::OperatorCredential;
use laini_core::partner::{OperatorKey, OperatorKeyId, OperatorScopes};
use laini_core::store::AccountBook;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{audit, because, block_on, named, now, random};
use crate::failure::WithHint as _;

/// The longest life of a key: two years.
const LIFETIME_MAX: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// `laini operator key add`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// What it is for; unique among the keys that are not revoked.
    name: String,
    /// What it may do: feed:write, feed:read, separated by commas.
    #[arg(long, value_parser = OperatorScopes::parse)]
    scopes: OperatorScopes,
    /// For how long it is good: 90d, 12h; at most two years.
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: SignedDuration,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini operator key revoke`
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The key: its name or id.
    key: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

#[derive(Serialize)]
struct KeyReport {
    id: String,
    name: String,
    scopes: String,
    status: &'static str,
    created: String,
    expires: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl KeyReport {
    fn of(key: &OperatorKey, now: Timestamp) -> Self {
        let status = match (key.is_revoked, key.is_good(now)) {
            (true, _) => "revoked",
            (false, true) => "active",
            (false, false) => "expired",
        };
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            scopes: key.scopes.to_string(),
            status,
            created: key.created.to_string(),
            expires: key.expires.to_string(),
            key: None,
        }
    }
}

fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "expected a time such as 90d or 12h, at most two years".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let lifetime = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if lifetime.is_positive() && lifetime <= LIFETIME_MAX { Ok(lifetime) } else { Err(wrong()) }
}

/// Makes a key.
pub(crate) fn add(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let credential = OperatorCredential::mint(random(), [random(), random(), random(), random()]);
    // Whole seconds: what is shown is what holds.
    let created = Timestamp::from_second(now().as_second())?;
    let key = OperatorKey {
        id: credential.key,
        name: named(&args.name)?,
        scopes: args.scopes,
        hash: credential.secret.hash(),
        created,
        expires: created.checked_add(args.expires)?,
        is_revoked: false,
    };
    let mut report = KeyReport::of(&key, created);
    let set = format!("{}, until {}", key.scopes, key.expires);
    let audit = audit("operator-key.add", key.id.to_string(), &because(&set, &args.reason));
    block_on(house.accounts()?.add_operator_key(key, audit))?
        .hint("choose another name, or revoke the key that has it: laini operator key revoke NAME --reason …")?;
    report.key = Some(credential.reveal().to_string());
    context.out.data(&report, |report| {
        format!(
            "{} ({}), good until {}\nkey  {}\nIt is shown this once: keep it where secrets are kept.",
            report.name,
            report.scopes,
            report.expires,
            report.key.as_deref().unwrap_or_default()
        )
    })
}

/// Lists the keys.
pub(crate) fn list(context: &Context) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let now = now();
    let lines: Vec<_> = book.operator_keys.iter().map(|key| KeyReport::of(key, now)).collect();
    context.out.data(&lines, |lines| {
        if lines.is_empty() {
            return "no operator keys yet: laini operator key add NAME --scopes feed:write --expires 90d".to_owned();
        }
        let header = format!("{:<24} {:<21} {:<8} {:<16} {:<20} expires", "name", "scopes", "status", "id", "created");
        let rows = lines.iter().map(|l| {
            format!("{:<24} {:<21} {:<8} {:<16} {:<20} {}", l.name, l.scopes, l.status, l.id, l.created, l.expires)
        });
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}

/// Refuses a key from now on.
pub(crate) fn revoke(context: &Context, args: &RevokeArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let key = find(&book, &args.key)?;
    let audit = audit("operator-key.revoke", key.id.to_string(), &args.reason);
    block_on(accounts.revoke_operator_key(key.id, audit))??;
    let report = KeyReport::of(&OperatorKey { is_revoked: true, ..key.clone() }, now());
    context.out.data(&report, |report| format!("{} is revoked; running servers refuse it within a second", report.name))
}

/// The key that a person means: by id, or by the name of one that is not revoked.
fn find<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<&'a OperatorKey> {
    let id = OperatorKeyId::parse(wanted).ok();
    let mut keys = book.operator_keys.iter();
    let found = keys.find(|key| Some(key.id) == id || (key.name == wanted && !key.is_revoked));
    found
        .ok_or_else(|| anyhow::anyhow!("no operator key in use is called {wanted}"))
        .hint("`laini operator key list` shows them")
}
