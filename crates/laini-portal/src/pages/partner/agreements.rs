//! Agreements: their versions, drafted and sent by the operator, read and signed by both sides, ended with notice.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AgreementId, DocumentId, DocumentPurpose, LawfulBasis, PartnerId, Product, Purpose};
use laini_office::agreements::{self, AgreementRecord, AgreementState, EndsFrom, Terms};
use laini_office::{PageRequest, Problem, Work, onboarding, organisation};

use super::{Head, LOOKS, MEMBERS, OPERATES, SIGNS, home, may, named, path_of, terms_form};
use crate::answer::Answer;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::AgreementsWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/agreements", MEMBERS, show_list).in_rail(Workspace::Build, |words| words.agreements),
        Page::get("/partners/{partner}/agreements", LOOKS, show_list),
        Page::post("/partners/{partner}/agreements", OPERATES, draft, show_new),
        Page::get("/partners/{partner}/agreements/new", OPERATES, show_new),
        Page::post("/partners/{partner}/agreements/end", SIGNS, end, show_list),
        Page::get("/partners/{partner}/agreements/{agreement}", LOOKS, show),
        Page::post("/partners/{partner}/agreements/{agreement}", SIGNS, sign, show),
        Page::get("/partners/{partner}/agreements/{agreement}/edit", OPERATES, show_edit),
        Page::post("/partners/{partner}/agreements/{agreement}/edit", OPERATES, redraft, show_edit),
        Page::post("/partners/{partner}/agreements/{agreement}/send", OPERATES, send, show),
        Page::post("/partners/{partner}/agreements/{agreement}/take-back", OPERATES, take_back, show),
        Page::post("/partners/{partner}/agreements/{agreement}/remove", OPERATES, remove, show),
        Page::post("/partners/{partner}/agreements/{agreement}/on-paper", OPERATES, on_paper, show).taking_file(),
        Page::get("/partners/{partner}/agreements/{agreement}/pdf", LOOKS, pdf),
    ]
}

#[derive(Template)]
#[template(path = "partner/agreements.html")]
struct AgreementsPage {
    frame: Frame,
    words: &'static AgreementsWords,
    head: Head,
    sorting: Sorting<AgreementRow>,
    rows: Vec<AgreementRow>,
    can_draft: bool,
    /// The version that a new one is written from; `None` = from the standard agreement.
    latest: Option<AgreementId>,
    /// The notice, in days, and the day from which on the agreement can be over.
    ends: Option<(u16, String)>,
}

static VERSIONS: Table<AgreementRow> = Table {
    name: "sort",
    columns: &[
        ("version", |one, other| one.number.cmp(&other.number)),
        ("state", |one, other| one.state.cmp(other.state)),
        // Instants as people read them are in the order of time.
        ("from", |one, other| one.from.cmp(&other.from)),
        ("until", |one, other| one.until.cmp(&other.until)),
        ("signed", |one, other| by_text(&one.signed_by, &other.signed_by)),
    ],
    comes: "-version",
};

/// A version in a list.
pub(super) struct AgreementRow {
    pub(super) id: AgreementId,
    pub(super) number: u32,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) signed_by: String,
    pub(super) from: String,
    pub(super) until: String,
}

impl AgreementRow {
    pub(super) fn of(portal: &Portal, words: &AgreementsWords, record: &AgreementRecord) -> Self {
        let names: Vec<_> = record.signatures.iter().map(|by| format!("{} ({})", by.name, by.side.word())).collect();
        let signed = record.signatures.iter().map(|by| by.at).max().filter(|_| record.state == AgreementState::Signed);
        let from = record.terms.valid_from.max(signed);
        Self {
            id: record.id,
            number: record.number,
            state: words.state(record.state),
            tone: match record.state {
                AgreementState::Draft => "",
                AgreementState::Sent => "care",
                AgreementState::Signed => "go",
            },
            signed_by: names.join(", "),
            from: from.map(|at| portal.shown(at)).unwrap_or_default(),
            until: record.terms.valid_until.map(|at| portal.shown(at)).unwrap_or_default(),
        }
    }
}

async fn show_list(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let named = named(work, visit)?;
        let records = agreements::list_agreements(work, named.0, PageRequest::LONGEST)?.items;
        let is_in_force = work.book()?.agreements_of(named.0).at(work.at).is_ok();
        let ends = if is_in_force { Some(agreements::ends_from(work, named.0)?) } else { None };
        Ok((named, records, ends))
    });
    let (named, records, ends) = found.await?;
    let words = &visit.language.words().agreements;
    let can_draft = may(&visit, &OPERATES) && records.iter().all(|record| record.state == AgreementState::Signed);
    let ends = ends.filter(|_| may(&visit, &SIGNS));
    let mut rows: Vec<_> = records.iter().map(|record| AgreementRow::of(&portal, words, record)).collect();
    let here = super::path_of(named.0, "agreements");
    page(&AgreementsPage {
        sorting: Sorting::of(&VERSIONS, &visit, here, &mut rows),
        frame: visit.frame(&portal, words.title),
        words,
        head: Head::new(&visit, named, "agreements"),
        can_draft,
        latest: records.first().map(|record| record.id),
        rows,
        ends: ends.map(|EndsFrom { notice_days, at }| (notice_days, portal.shown(at))),
    })
}

#[derive(Template)]
#[template(path = "partner/agreement_form.html")]
struct FormPage {
    frame: Frame,
    words: &'static AgreementsWords,
    head: Head,
    action: String,
    fields: Fields,
    currency: String,
    products: [Product; 3],
    purposes: Vec<(Purpose, &'static str)>,
    bases: Vec<(LawfulBasis, &'static str)>,
}

impl FormPage {
    fn new(
        portal: &Portal,
        visit: &Visit,
        named: (PartnerId, String),
        (title, action): (String, String),
        terms: &Terms,
    ) -> Self {
        let words = &visit.language.words().agreements;
        let settings = &portal.office.settings;
        Self {
            frame: visit.frame(portal, title),
            words,
            head: Head::new(visit, named, "agreements"),
            action,
            fields: Fields::sent_or(visit, "notice_days", || terms_form::written(terms, &settings.zone)),
            currency: settings.currency.as_str().to_owned(),
            products: Product::ALL,
            purposes: Purpose::ALL.into_iter().zip(words.purposes).collect(),
            bases: LawfulBasis::ALL.into_iter().zip(words.bases).collect(),
        }
    }
}

async fn show_new(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let from = AgreementId::parse(visit.query("from")).ok();
    let found = portal.work(&visit, move |work, visit| {
        let named = named(work, visit)?;
        let mut terms = match from {
            Some(from) => agreements::agreement(work, named.0, from)?.terms,
            None => Terms::standard(work.office.settings.currency),
        };
        // What begins anew begins later than what is there.
        terms.valid_from = None;
        Ok((named, terms))
    });
    let (named, terms) = found.await?;
    let title = visit.language.words().agreements.new_version.to_owned();
    let action = path_of(named.0, "agreements");
    page(&FormPage::new(&portal, &visit, named, (title, action), &terms))
}

async fn show_edit(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let named = named(work, visit)?;
        let record = agreements::agreement(work, named.0, id)?;
        Ok((named, record))
    });
    let (named, record) = found.await?;
    let title = format!("{} {}", visit.language.words().agreements.version, record.number);
    let action = format!("{}/edit", of(named.0, id));
    page(&FormPage::new(&portal, &visit, named, (title, action), &record.terms))
}

async fn draft(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let record = portal.work(&visit, |work, visit| {
        let terms = terms_form::read(visit, work.office.settings.currency, &work.office.settings.zone)?;
        agreements::draft(work, visit.partner()?, terms)
    });
    let record = record.await?;
    Ok(Answer::see_other(of(record.partner, record.id)))
}

async fn redraft(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let partner = visit.partner()?;
            agreements::agreement(work, partner, id)?;
            let terms = terms_form::read(visit, work.office.settings.currency, &work.office.settings.zone)?;
            agreements::redraft(work, partner, id, terms).map(drop)
        })
        .await?;
    back(&visit)
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "partner/agreement.html")]
struct AgreementPage {
    frame: Frame,
    words: &'static AgreementsWords,
    head: Head,
    id: AgreementId,
    /// Where the version is, and where the others are.
    here: String,
    list: String,
    state: &'static str,
    is_draft: bool,
    is_sent: bool,
    /// The text that is signed, and under it who signed it.
    text: String,
    /// SHA-256 of the PDF.
    digest: Option<String>,
    can_sign: bool,
    can_operate: bool,
    /// The scanned copy.
    scan: Option<DocumentId>,
    mib_max: usize,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let named = named(work, visit)?;
        let record = agreements::agreement(work, named.0, id)?;
        let paper = agreements::paper(work, &record)?;
        Ok((named, record, paper.fragment()))
    });
    let (named, record, text) = found.await?;
    let words = &visit.language.words().agreements;
    let side = onboarding::side(&visit.actor());
    let has_signed = record.signature_of(side).is_some();
    page(&AgreementPage {
        frame: visit.frame(&portal, format!("{} {}", words.version, record.number)),
        words,
        id,
        here: of(named.0, id),
        list: home(&visit, "agreements")?,
        head: Head::new(&visit, named, "agreements"),
        state: words.state(record.state),
        is_draft: record.state == AgreementState::Draft,
        is_sent: record.state == AgreementState::Sent,
        text,
        digest: record.text.as_ref().map(|text| agreements::digest_in_words(&text.pdf)),
        can_sign: may(&visit, &SIGNS) && !has_signed && record.state == AgreementState::Sent,
        can_operate: may(&visit, &OPERATES),
        scan: record.scan,
        mib_max: super::documents::MIB_MAX,
    })
}

async fn sign(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let address = visit.context.address.to_string();
            agreements::sign(work, (visit.partner()?, id), visit.field("digest"), &address).map(drop)
        })
        .await?;
    back(&visit)
}

type Steps = fn(&mut Work<'_>, PartnerId, AgreementId) -> Result<AgreementRecord, Problem>;

async fn step(portal: &Arc<Portal>, visit: &Arc<Visit>, step: Steps) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal.work(visit, move |work, visit| step(work, visit.partner()?, id).map(drop)).await?;
    back(visit)
}

async fn send(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    step(&portal, &visit, agreements::send).await
}

async fn take_back(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    step(&portal, &visit, agreements::take_back).await
}

async fn remove(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal.work(&visit, move |work, visit| agreements::remove_draft(work, visit.partner()?, id)).await?;
    Ok(Answer::see_other(home(&visit, "agreements")?))
}

/// Keeps the scanned copy among the partner's documents, and takes note that both sides signed it.
async fn on_paper(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let partner = visit.partner()?;
            agreements::agreement(work, partner, id)?;
            let file = visit.file.as_ref().ok_or(Problem::invalid("document", "choose the scanned copy"))?;
            let purpose = DocumentPurpose::SignedAgreement;
            let scan = organisation::add_document(work, partner, purpose, &file.name, &file.bytes)?.id;
            agreements::sign_on_paper(work, (partner, id), scan).map(drop)
        })
        .await?;
    back(&visit)
}

async fn end(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let at = terms_form::midnight("at", visit.field("at"), &work.office.settings.zone)?;
            agreements::end(work, visit.partner()?, at, visit.field("reason")).map(drop)
        })
        .await?;
    Ok(Answer::see_other(home(&visit, "agreements")?))
}

async fn pdf(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    let bytes = portal.work(&visit, move |work, visit| {
        let record = agreements::agreement(work, visit.partner()?, id)?;
        agreements::text_pdf(work, &record)
    });
    Ok(Answer::file("application/pdf", format!("agreement-{id}.pdf"), bytes.await?))
}

fn of(partner: PartnerId, id: AgreementId) -> String {
    format!("{}/{id}", path_of(partner, "agreements"))
}

/// Back to the version that a form was sent from.
fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(of(visit.partner()?, visit.id("agreement", AgreementId::parse)?)))
}

impl AgreementsWords {
    /// A state as people call it.
    pub(in crate::pages) fn state(&self, state: AgreementState) -> &'static str {
        match state {
            AgreementState::Draft => self.states[0],
            AgreementState::Sent => self.states[1],
            AgreementState::Signed => self.states[2],
        }
    }
}
