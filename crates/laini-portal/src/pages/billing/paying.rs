//! What pays beside a transfer for an invoice: top-ups of a balance, certificates of withheld tax, and what payments are
//! known by.

use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::partner::{CertificateId, PartnerId, PaymentId};
use laini_office::payments::statement::ungrouped;
use laini_office::payments::{self, Certificate, CertificateState, NewCertificate, Payer, Payment};
use laini_office::prepaid::{self, TAX_BASIS_POINTS, TAX_BASIS_POINTS_MAX, TopUp};
use laini_office::{Cursor, Page as Listed, PageRequest, Problem, Work};

use super::{BOTH, BOTH_ACT, OWN, STAFF_ACT, base, may};
use crate::answer::Answer;
use crate::fields::{Fields, field};
use crate::figures::{amount, money, typed_above_zero};
use crate::frame::Frame;
use crate::page::Page;
use crate::pages::partner::Head;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::PayingWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/billing/paying", OWN, show),
        Page::post("/billing/certificates", OWN, register, show),
        Page::get("/partners/{partner}/billing/paying", BOTH, show),
        Page::post("/partners/{partner}/billing/certificates", BOTH_ACT, register, show),
        Page::post("/partners/{partner}/billing/certificates/{certificate}/accept", STAFF_ACT, accept, show),
        Page::post("/partners/{partner}/billing/certificates/{certificate}/refuse", STAFF_ACT, refuse, show),
        Page::post("/partners/{partner}/billing/top-ups", STAFF_ACT, top_up, show),
        Page::post("/partners/{partner}/billing/references", STAFF_ACT, set_references, show),
    ]
}

/// The lists of the page: their words in the address of the next page.
const TOP_UPS: &str = "top_ups";
const CERTIFICATES: &str = "certificates";

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "billing/paying.html")]
struct PayingPage {
    frame: Frame,
    words: &'static PayingWords,
    base: String,
    partner: PartnerId,
    head: Head,
    is_member: bool,
    is_done: bool,
    can_register: bool,
    can_settle: bool,
    /// What is left of the balance; `None` = there is none.
    left: Option<String>,
    top_ups: Vec<TopUpRow>,
    more_top_ups: Option<String>,
    /// Payments with money that is free: the id, what it is called, and whether it was chosen.
    free: Vec<(PaymentId, String, bool)>,
    top_up: Fields,
    certificates: Vec<CertificateRow>,
    more_certificates: Option<String>,
    certificate: Fields,
    references: Vec<String>,
    references_text: String,
}

struct TopUpRow {
    at: String,
    payment: PaymentId,
    gross: String,
    tax: String,
    net: String,
}

struct CertificateRow {
    id: CertificateId,
    number: String,
    on: Date,
    amount: String,
    invoice: Option<u64>,
    state: &'static str,
    tone: &'static str,
    refused_because: String,
    /// Whether the operator says something to it.
    waits: bool,
    /// Whether that is what comes next.
    is_next: bool,
}

/// What is read for the page.
struct Read {
    of: (PartnerId, String),
    standing: Option<prepaid::Standing>,
    top_ups: Listed<TopUp>,
    /// Payments, and what of each is free, in minor units.
    payments: Vec<(Payment, i64)>,
    certificates: Listed<Certificate>,
    payer: Payer,
}

/// The page of a list that is asked for by its word.
fn asked(visit: &Visit, list: &str) -> Result<PageRequest, Problem> {
    let after = Some(visit.query(list)).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
    Ok(PageRequest { after, ..PageRequest::FIRST })
}

fn read(work: &mut Work<'_>, visit: &Visit) -> Result<Read, Problem> {
    let partner = payments::known_partner(work, visit.partner()?)?;
    let id = partner.id;
    let payments = payments::of_partner(work, id, PageRequest::FIRST)?.items;
    let free = prepaid::free(work, id, &payments)?;
    Ok(Read {
        standing: prepaid::standing(work, id)?,
        top_ups: prepaid::top_ups(work, id, asked(visit, TOP_UPS)?)?,
        payments: payments.into_iter().zip(free).collect(),
        certificates: payments::certificates(work, id, asked(visit, CERTIFICATES)?)?,
        payer: payments::references(work, id)?,
        of: (id, partner.name),
    })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().paying;
    let read = portal.work(&visit, read).await?;
    let currency = portal.office.settings.currency;
    let can_settle = may(&visit, STAFF_ACT);
    let kept = || vec![field("tax", percent(TAX_BASIS_POINTS))];
    let top_up = Fields::sent_or(&visit, "tax", kept);
    let free = |(payment, free_minor): &(Payment, i64)| {
        let free = Some(*free_minor).filter(|free| *free > 0)?;
        let free = format!("{} {}", amount(free, &payment.currency), words.free);
        let told = [payment.on.to_string(), payment.reference.clone(), free];
        let told: Vec<_> = told.into_iter().filter(|part| !part.is_empty()).collect();
        Some((payment.id, told.join(" · "), top_up.of("payment") == payment.id.to_string()))
    };
    let free = read.payments.iter().filter_map(free).collect();
    let mut certificates: Vec<_> =
        read.certificates.items.iter().map(|certificate| CertificateRow::of(certificate, words)).collect();
    // What has waited longest is last.
    if let Some(next) = certificates.iter_mut().rfind(|row| row.waits && can_settle) {
        next.is_next = true;
    }
    let sent = visit.form.iter().any(|(name, _)| name == "references");
    page(&PayingPage {
        frame: visit.frame(&portal, words.title),
        words,
        base: base(&visit),
        partner: read.of.0,
        head: Head::new(&visit, read.of, "billing"),
        is_member: visit.actor().partner().is_some(),
        is_done: !visit.query("done").is_empty(),
        can_register: may(&visit, BOTH_ACT),
        can_settle,
        left: read.standing.map(|standing| money(standing.left)),
        top_ups: read.top_ups.items.iter().map(|one| TopUpRow::of(one, &portal, currency)).collect(),
        more_top_ups: read.top_ups.next.map(|next| next.to_string()),
        free,
        top_up,
        certificates,
        more_certificates: read.certificates.next.map(|next| next.to_string()),
        certificate: Fields::sent_or(&visit, "number", Vec::new),
        references_text: if sent { visit.field("references").to_owned() } else { read.payer.references.join("\n") },
        references: read.payer.references,
    })
}

impl PayingPage {
    /// Whether a certificate waits for whoever looks.
    fn has_next(&self) -> bool {
        self.certificates.iter().any(|row| row.is_next)
    }
}

impl TopUpRow {
    fn of(top_up: &TopUp, portal: &Portal, currency: Currency) -> Self {
        let shown = |minor| money(Money::new(minor, currency));
        Self {
            at: portal.shown(top_up.at),
            payment: top_up.payment,
            gross: shown(top_up.gross_minor),
            tax: shown(top_up.tax_minor),
            net: shown(top_up.net_minor),
        }
    }
}

impl CertificateRow {
    fn of(certificate: &Certificate, words: &PayingWords) -> Self {
        let (place, tone, why) = match &certificate.state {
            CertificateState::Registered => (0, "care", ""),
            CertificateState::Accepted => (1, "go", ""),
            CertificateState::Refused { reason } => (2, "stop", reason.as_str()),
        };
        Self {
            id: certificate.id,
            number: certificate.number.clone(),
            on: certificate.on,
            amount: amount(certificate.amount_minor, &certificate.currency),
            invoice: certificate.invoice,
            state: words.states[place],
            tone,
            refused_because: why.to_owned(),
            waits: certificate.state == CertificateState::Registered,
            is_next: false,
        }
    }
}

async fn register(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let register = |work: &mut Work<'_>, visit: &Visit| {
        let on = visit.field("on").parse();
        let new = NewCertificate {
            number: visit.field("number").to_owned(),
            amount_minor: typed_above_zero(visit.field("amount"), work.office.settings.currency)?.minor,
            on: on.map_err(|_| Problem::invalid("on", "expected a day such as 2026-11-22"))?,
            invoice: invoice(visit.field("invoice"))?,
        };
        payments::register(work, visit.partner()?, &new).map(drop)
    };
    portal.work(&visit, register).await?;
    Ok(back(&visit, "certificates"))
}

/// The invoice that tax was withheld from; `None` = none is named.
fn invoice(text: &str) -> Result<Option<u64>, Problem> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Problem::invalid("invoice", "expected an invoice's number")),
    }
}

async fn accept(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("certificate", CertificateId::parse)?;
    portal.work(&visit, move |work, visit| payments::accept(work, visit.partner()?, id).map(drop)).await?;
    Ok(back(&visit, "certificates"))
}

async fn refuse(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("certificate", CertificateId::parse)?;
    let refuse = move |work: &mut Work<'_>, visit: &Visit| {
        payments::refuse(work, visit.partner()?, id, visit.field("reason")).map(drop)
    };
    portal.work(&visit, refuse).await?;
    Ok(back(&visit, "certificates"))
}

async fn top_up(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let top_up = |work: &mut Work<'_>, visit: &Visit| {
        let payment = PaymentId::parse(visit.field("payment")).map_err(|_| Problem::NotFound("payment"))?;
        let taken = Some(visit.field("amount")).filter(|text| !text.is_empty());
        let taken = taken.map(|text| typed_above_zero(text, work.office.settings.currency)).transpose()?;
        let tax = basis_points(visit.field("tax"))?;
        prepaid::top_up(work, visit.partner()?, payment, taken.map(|money| money.minor), tax).map(drop)
    };
    portal.work(&visit, top_up).await?;
    Ok(back(&visit, "top-ups"))
}

async fn set_references(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let set = |work: &mut Work<'_>, visit: &Visit| {
        let lines = visit.field("references").lines().map(str::trim).filter(|line| !line.is_empty());
        let references: Vec<String> = lines.map(str::to_owned).collect();
        payments::set_references(work, visit.partner()?, &references).map(drop)
    };
    portal.work(&visit, set).await?;
    Ok(back(&visit, "references"))
}

fn back(visit: &Visit, section: &str) -> Answer {
    Answer::see_other(format!("{}/billing/paying?done=1#{section}", base(visit)))
}

/// A rate in per cent as people type it, in hundredths of a per cent: an amount has as many decimals.
fn basis_points(text: &str) -> Result<u32, Problem> {
    let told = ungrouped(text).and_then(|plain| Money::parse_amount(&plain, Currency::KES).ok());
    let rate = told.and_then(|rate| u32::try_from(rate.minor).ok());
    let rate = rate.ok_or(Problem::invalid("tax", "expected a rate in per cent such as 16"))?;
    if rate > TAX_BASIS_POINTS_MAX {
        let most = percent(TAX_BASIS_POINTS_MAX);
        return Err(Problem::invalid("tax", format!("expected at most {most} per cent")));
    }
    Ok(rate)
}

/// Hundredths of a per cent as people type them.
fn percent(basis_points: u32) -> String {
    match basis_points % 100 {
        0 => (basis_points / 100).to_string(),
        rest => format!("{}.{rest:02}", basis_points / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_typed_in_per_cent_and_counted_in_hundredths() {
        for (text, points) in [("16", 1_600), ("16.5", 1_650), ("0", 0), ("7.25", 725), ("100", 10_000)] {
            assert_eq!(basis_points(text), Ok(points), "{text}");
            assert_eq!(basis_points(&percent(points)), Ok(points), "{text}");
        }
        for text in ["", "a lot", "-1", "16 %", "1.234", "99999999999", "100.01", "1600"] {
            assert!(matches!(basis_points(text), Err(Problem::Invalid { field: "tax", .. })), "{text}");
        }
        assert_eq!((percent(1_600), percent(725)), ("16".to_owned(), "7.25".to_owned()));
        assert_eq!(basis_points("1600"), Err(Problem::invalid("tax", "expected at most 100 per cent")));
    }
}
