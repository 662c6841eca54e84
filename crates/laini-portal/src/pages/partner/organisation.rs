//! The organisation behind a partner: registration details, contacts, and its documents.

use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::partner::DocumentPurpose;
use laini_office::organisation::{self, Contact, Details, Document, Missing};
use laini_office::{PageRequest, Problem};

use super::documents::{DocumentRow, MIB_MAX};
use super::{Head, LOOKS, MEMBERS, SIGNS, given, home, may, named};
use crate::answer::Answer;
use crate::fields::{Fields, field};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::OrganisationWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/organisation", MEMBERS, show).in_rail(Workspace::Build, |words| words.organisation),
        Page::get("/partners/{partner}/organisation", LOOKS, show),
        Page::post("/partners/{partner}/organisation", SIGNS, change, show),
    ]
}

#[derive(Template)]
#[template(path = "partner/organisation.html")]
struct OrganisationPage {
    frame: Frame,
    words: &'static OrganisationWords,
    head: Head,
    fields: Fields,
    missing: Vec<String>,
    /// What is said of the data-protection certificate: its tone, and the words.
    certificate: (&'static str, String),
    /// Whose names and addresses are asked for: how their fields begin, and what they are called.
    contacts: [(&'static str, &'static str); 2],
    documents: Vec<DocumentRow>,
    purposes: Vec<(DocumentPurpose, &'static str)>,
    can_change: bool,
    is_saved: bool,
    mib_max: usize,
}

/// A certificate that is valid for no longer than so many days is told of.
const SOON_DAYS: i32 = 60;

pub(super) async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let named = named(work, visit)?;
        let details = organisation::details(work, named.0)?;
        let missing = organisation::missing(work, named.0)?;
        let documents = organisation::list_documents(work, named.0, PageRequest::LONGEST)?.items;
        let today = work.at.to_zoned(work.office.settings.zone.clone()).date();
        Ok((named, details, missing, documents, today))
    });
    let (named, details, missing, documents, today) = found.await?;
    let words = &visit.language.words().organisation;
    page(&OrganisationPage {
        frame: visit.frame(&portal, words.title),
        words,
        head: Head::new(&visit, named, "organisation"),
        certificate: certificate(details.data_protection_expires, today, words),
        fields: Fields::sent_or(&visit, "legal_name", || written(&details)),
        missing: missing.into_iter().map(|one| words.missing_one(one)).collect(),
        contacts: [("billing", words.billing), ("technical", words.technical)],
        documents: documents.iter().map(|one: &Document| DocumentRow::of(&portal, words, one)).collect(),
        purposes: DocumentPurpose::ALL.into_iter().zip(words.purposes).collect(),
        can_change: may(&visit, &SIGNS),
        is_saved: !visit.query("saved").is_empty(),
        mib_max: MIB_MAX,
    })
}

fn certificate(last: Option<Date>, today: Date, words: &OrganisationWords) -> (&'static str, String) {
    let Some(last) = last else { return ("", words.no_certificate.to_owned()) };
    let days = today.until(last).map_or(0, |span| span.get_days());
    match days {
        days if days < 0 => ("stop", format!("{} {last}", words.expired)),
        days if days <= SOON_DAYS => ("care", format!("{} {last} ({days} {})", words.valid_until, words.days)),
        _ => ("go", format!("{} {last}", words.valid_until)),
    }
}

fn written(details: &Details) -> Vec<(String, String)> {
    let text = |name: &str, value: &Option<String>| field(name, value.as_deref().unwrap_or_default());
    let mut fields = vec![
        text("legal_name", &details.legal_name),
        text("registration_number", &details.registration_number),
        text("kra_pin", &details.kra_pin),
        text("data_protection_number", &details.data_protection_number),
        text("postal_address", &details.postal_address),
        text("physical_address", &details.physical_address),
        text("mpesa_number", &details.mpesa_number),
    ];
    fields.extend(details.data_protection_expires.map(|last| field("data_protection_expires", last)));
    for (of, contact) in [("billing", &details.billing_contact), ("technical", &details.technical_contact)] {
        let Some(contact) = contact else { continue };
        fields.extend([
            field(format!("{of}_name"), &contact.name),
            field(format!("{of}_email"), &contact.email),
            field(format!("{of}_phone"), contact.phone.as_deref().unwrap_or_default()),
        ]);
    }
    fields
}

fn read(visit: &Visit) -> Result<Details, Problem> {
    let text = |name: &str| given(visit.field(name));
    let contact = |of: &str| {
        let (name, email) = (text(&format!("{of}_name")), text(&format!("{of}_email")));
        let is_there = name.is_some() || email.is_some();
        is_there.then(|| Contact {
            name: name.unwrap_or_default(),
            email: email.unwrap_or_default(),
            phone: text(&format!("{of}_phone")),
        })
    };
    let expires = text("data_protection_expires").map(|day| day.parse()).transpose();
    Ok(Details {
        legal_name: text("legal_name"),
        registration_number: text("registration_number"),
        kra_pin: text("kra_pin"),
        data_protection_number: text("data_protection_number"),
        data_protection_expires: expires
            .map_err(|_| Problem::invalid("data_protection_expires", "expected a day such as 2026-12-31"))?,
        postal_address: text("postal_address"),
        physical_address: text("physical_address"),
        billing_contact: contact("billing"),
        technical_contact: contact("technical"),
        mpesa_number: text("mpesa_number"),
    })
}

async fn change(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| organisation::set_details(work, visit.partner()?, read(visit)?).map(drop))
        .await?;
    Ok(Answer::see_other(format!("{}?saved=1", home(&visit, "organisation")?)))
}

impl OrganisationWords {
    /// Something that is missing, as people call it.
    pub(in crate::pages) fn missing_one(&self, missing: Missing) -> String {
        let details = [
            ("legal_name", self.legal_name),
            ("registration_number", self.registration_number),
            ("kra_pin", self.kra_pin),
            ("data_protection_number", self.data_protection_number),
            ("data_protection_expires", self.data_protection_expires),
            ("physical_address", self.physical_address),
            ("billing_contact", self.billing),
            ("technical_contact", self.technical),
        ];
        match missing {
            Missing::Detail(name) => {
                details.into_iter().find(|(field, _)| *field == name).map_or(name, |(_, label)| label).to_owned()
            }
            Missing::Expired => self.certificate_expired.to_owned(),
            Missing::Document(purpose) => format!("{}: {}", self.document, self.purpose(purpose)),
        }
    }

    /// A purpose as people call it.
    pub(super) fn purpose(&self, purpose: DocumentPurpose) -> &'static str {
        let place = DocumentPurpose::ALL.iter().position(|other| *other == purpose);
        place.map_or("", |place| self.purposes[place])
    }
}
