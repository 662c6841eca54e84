use jiff::civil::Date;
use laini_core::partner::{DocumentPurpose, KraPin};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// The longest text of a detail, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// Paybill and till numbers have so many digits.
const PAYBILL_DIGITS: std::ops::RangeInclusive<usize> = 5..=7;

/// What an organisation is registered as, and how it is reached. Everything may be missing at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// Its name in the register of companies.
    pub legal_name: Option<String>,
    /// Its number there.
    pub registration_number: Option<String>,
    /// Its KRA PIN.
    pub kra_pin: Option<String>,
    /// Its number in the register of data controllers.
    pub data_protection_number: Option<String>,
    /// The last day on which that registration is valid.
    pub data_protection_expires: Option<Date>,
    /// Where letters go.
    pub postal_address: Option<String>,
    /// Where it is.
    pub physical_address: Option<String>,
    /// Who gets invoices.
    pub billing_contact: Option<Contact>,
    /// Who is called when something fails.
    pub technical_contact: Option<Contact>,
    /// The M-PESA paybill or till that it pays from.
    pub mpesa_number: Option<String>,
}

/// Somebody to turn to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What they are called.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their telephone number, where it is known.
    #[serde(default)]
    pub phone: Option<String>,
}

/// Something without which no agreement is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A detail, by the name of its field.
    Detail(&'static str),
    /// The data-protection registration has expired.
    Expired,
    /// A document.
    Document(DocumentPurpose),
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl Missing {
    /// The word for it: a field's name, or `document:` and a purpose.
    pub fn word(self) -> String {
        match self {
            Self::Detail(field) => field.to_owned(),
            Self::Expired => "data_protection_expires".to_owned(),
            Self::Document(purpose) => format!("document:{}", purpose.word()),
        }
    }
}

impl Details {
    /// The details with spaces around them gone, where each is well-formed.
    pub fn checked(self) -> Result<Self, Problem> {
        let contact = |field, contact: Option<Contact>| contact.map(|contact| contact.checked(field)).transpose();
        let pin = self.kra_pin.map(|pin| KraPin::parse(&pin).map(|pin| pin.to_string())).transpose();
        let mpesa = text("mpesa_number", self.mpesa_number)?;
        let is_number =
            |text: &String| PAYBILL_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if mpesa.as_ref().is_some_and(|text| !is_number(text)) {
            return Err(Problem::invalid("mpesa_number", "a paybill or till number has 5 to 7 digits"));
        }
        Ok(Self {
            legal_name: text("legal_name", self.legal_name)?,
            registration_number: text("registration_number", self.registration_number)?,
            kra_pin: pin.map_err(|error| Problem::invalid("kra_pin", error.to_string()))?,
            data_protection_number: text("data_protection_number", self.data_protection_number)?,
            data_protection_expires: self.data_protection_expires,
            postal_address: text("postal_address", self.postal_address)?,
            physical_address: text("physical_address", self.physical_address)?,
            billing_contact: contact("billing_contact", self.billing_contact)?,
            technical_contact: contact("technical_contact", self.technical_contact)?,
            mpesa_number: mpesa,
        })
    }

    /// What is missing on a day.
    pub fn missing(&self, today: Date, has_document: impl Fn(DocumentPurpose) -> bool) -> Vec<Missing> {
        let details = [
            ("legal_name", self.legal_name.is_some()),
            ("registration_number", self.registration_number.is_some()),
            ("kra_pin", self.kra_pin.is_some()),
            ("data_protection_number", self.data_protection_number.is_some()),
            ("data_protection_expires", self.data_protection_expires.is_some()),
            ("physical_address", self.physical_address.is_some()),
            ("billing_contact", self.billing_contact.is_some()),
            ("technical_contact", self.technical_contact.is_some()),
        ];
        let mut missing: Vec<Missing> =
            details.into_iter().filter(|(_, is_there)| !is_there).map(|(field, _)| Missing::Detail(field)).collect();
        if self.data_protection_expires.is_some_and(|last| last < today) {
            missing.push(Missing::Expired);
        }
        let documents = [DocumentPurpose::Incorporation, DocumentPurpose::TaxPin, DocumentPurpose::DataProtection];
        missing.extend(documents.into_iter().filter(|purpose| !has_document(*purpose)).map(Missing::Document));
        missing
    }
}

impl Contact {
    fn checked(self, field: &'static str) -> Result<Self, Problem> {
        let needed = |of| text(field, Some(of))?.ok_or_else(|| Problem::invalid(field, "name and e-mail are needed"));
        let (name, email) = (needed(self.name)?, needed(self.email)?);
        laini_core::partner::EmailAddress::parse(&email).map_err(|error| Problem::invalid(field, error.to_string()))?;
        Ok(Self { name, email, phone: text(field, self.phone)? })
    }
}

/// A text of one line; an empty one is none.
fn text(field: &'static str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(Problem::invalid(field, format!("one line of at most {TEXT_CHARS_MAX} characters is expected")));
    }
    Ok(Some(text))
}
