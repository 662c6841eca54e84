use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use laini_core::desk::Verdict;
use laini_core::line::Msisdn;
use laini_core::partner::{App, AppId, AppStatus, DeskCheckId, Environment, PartnerId, PersonId, Purpose};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Finding, NUMBERS_KEPT, Told, admit, masked, settings};
use crate::apps::apps_of;
use crate::privacy::Span;
use crate::{Actor, Cursor, Kept, Office, Page, PageRequest, Problem, Work, key};

/// The longest reference of a case, in characters, as the API takes it.
pub const REFERENCE_CHARS_MAX: usize = 128;
/// Receipts that are looked through for one page where several filters stand together.
const LOOKED_THROUGH_MAX: usize = 5_000;
/// Receipts whose numbers are forgotten in one unit of work.
const FORGOTTEN_AT_ONCE: usize = 200;

/// A check that somebody made at the desk: its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCheck {
    /// Its id.
    pub id: DeskCheckId,
    /// Whose desk.
    pub partner: PartnerId,
    /// Who made it.
    pub person: PersonId,
    /// In the name of which app.
    pub app: AppId,
    /// Where.
    pub environment: Environment,
    /// What for.
    pub purpose: Purpose,
    /// The number's ends.
    pub masked: String,
    /// What came of it.
    pub finding: Finding,
    /// The case's keyed hash, by which receipts of one case are found.
    case: String,
    /// Number and reference, in Base64.
    sealed: String,
    /// Whether the number is still there.
    has_number: bool,
}

/// What a receipt hides.
#[derive(Serialize, Deserialize)]
struct Hidden {
    number: Option<String>,
    reference: String,
}

impl Kept for DeskCheck {
    const KIND: RecordKind = RecordKind("desk_check");
    const NOUN: &'static str = "check of the desk";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let (partner, at) = (self.partner, self.finding.at.as_microsecond());
        let verdict = format!("{partner} {}", self.finding.judgement.verdict.word());
        let number = self.has_number.then(|| key("has_number", "all", at));
        [key("partner", partner, at), key("person", self.person, at), key("verdict", verdict, at)]
            .into_iter()
            .chain([key("case", &self.case, at)])
            .chain(number)
            .collect()
    }
}

impl DeskCheck {
    /// The reference of its case; empty where it was sealed under another installation's keys.
    pub fn reference(&self, office: &Office) -> String {
        self.open(office).map(|hidden| hidden.reference).unwrap_or_default()
    }

    /// The whole number, where it is still kept.
    pub(super) fn number(&self, office: &Office) -> Option<Zeroizing<String>> {
        self.open(office)?.number.map(Zeroizing::new)
    }

    fn open(&self, office: &Office) -> Option<Hidden> {
        let sealed = STANDARD_NO_PAD.decode(&self.sealed).ok()?;
        let opened = office.keys.office_seal().open((Self::KIND, self.id.into()), &sealed)?;
        serde_json::from_slice(&opened).ok()
    }

    /// Forgets the number of the receipt, and the digits of its SIM, which stand for the number to whoever enrolled it;
    /// the rest of it stays.
    pub(super) fn forget(mut self, work: &mut Work<'_>) -> Result<(), Problem> {
        let reference = self.reference(work.office);
        self.finding.sim = None;
        self.hide(work.office, &Hidden { number: None, reference })?;
        work.put(&self)
    }

    /// As it is told. A receipt whose number an earlier release forgot still has the digits of its SIM in the store, under
    /// no key by which it could be found: they are left out wherever it is read.
    fn told(mut self) -> Self {
        if !self.has_number {
            self.finding.sim = None;
        }
        self
    }

    fn hide(&mut self, office: &Office, hidden: &Hidden) -> Result<(), Problem> {
        let open = serde_json::to_vec(hidden).map_err(|error| Problem::Store(error.to_string()))?;
        let sealed = office.keys.office_seal().seal((Self::KIND, self.id.into()), &Zeroizing::new(open));
        self.sealed = STANDARD_NO_PAD.encode(sealed);
        self.has_number = hidden.number.is_some();
        Ok(())
    }
}

/// What somebody says to look a number up, as they typed it.
#[derive(Clone)]
pub struct TypedCheck {
    /// The number, in any form.
    pub number: String,
    /// The id of the app in whose name is asked.
    pub app: String,
    /// The purpose's word.
    pub purpose: String,
    /// The case.
    pub reference: String,
    /// The SIM that was enrolled; empty = none is expected.
    pub expect: String,
}

/// The same, once it was read.
#[derive(Clone)]
pub struct AboutCheck {
    /// The number.
    pub number: Msisdn,
    /// In the name of this app.
    pub app: App,
    /// What for.
    pub purpose: Purpose,
    /// The case.
    pub reference: String,
    /// The SIM that was enrolled.
    pub expect: Option<String>,
}

/// The reference of a case, as it is asked with.
pub fn a_reference(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REFERENCE_CHARS_MAX || text.chars().any(char::is_control) {
        let expected =
            format!("the reference of the case is needed, {REFERENCE_CHARS_MAX} characters in one line at most");
        return Err(Problem::invalid("reference", expected));
    }
    Ok(text.to_owned())
}

/// Reads what somebody typed, lets them look the number up, and counts it: see [`admit`].
pub fn begin_check(work: &mut Work<'_>, partner: PartnerId, typed: &TypedCheck) -> Result<AboutCheck, Problem> {
    let number = work.office.settings.plan.parse_spaced(&typed.number);
    let number = number.map_err(|error| Problem::invalid("number", error.to_string()))?;
    let purpose = Purpose::parse(&typed.purpose).map_err(|error| Problem::invalid("purpose", error.to_string()))?;
    let reference = a_reference(&typed.reference)?;
    let app = AppId::parse(&typed.app).map_err(|_| Problem::invalid("app", "expected the id of an app"))?;
    let app = usable_app(work, partner, app)?;
    let expect = Some(typed.expect.clone()).filter(|expect| !expect.is_empty());
    admit(work, partner, &[number])?;
    Ok(AboutCheck { number, app, purpose, reference, expect })
}

/// An app of the partner that works.
pub(super) fn usable_app(work: &Work<'_>, partner: PartnerId, id: AppId) -> Result<App, Problem> {
    let mut apps = apps_of(work, partner)?.into_iter().map(|of| of.app);
    let found = apps.find(|app| app.id == id && app.status == AppStatus::Active);
    found.ok_or(Problem::invalid("app", "choose one of your apps that works"))
}

/// Judges what was told of a number by the partner's thresholds, and keeps the receipt.
pub fn keep_check(
    work: &mut Work<'_>,
    partner: PartnerId,
    about: &AboutCheck,
    told: Told,
) -> Result<DeskCheck, Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let today = work.office.settings.zone.to_datetime(work.at).date();
    let thresholds = settings(work, partner)?.thresholds;
    let mut check = DeskCheck {
        id: DeskCheckId::from_random(work.office.entropy.next_u64()),
        partner,
        person,
        app: about.app.id,
        environment: about.app.environment,
        purpose: about.purpose,
        masked: masked(about.number),
        finding: Finding::of(told, work.at, today, &thresholds),
        case: case(work.office, partner, &about.reference),
        sealed: String::new(),
        has_number: true,
    };
    let hidden = Hidden { number: Some(about.number.digits()), reference: about.reference.clone() };
    check.hide(work.office, &hidden)?;
    work.put(&check)?;
    Ok(check)
}

/// A receipt of this partner's desk.
pub fn check(work: &mut Work<'_>, partner: PartnerId, id: DeskCheckId) -> Result<DeskCheck, Problem> {
    let found = work.get::<DeskCheck>(id)?;
    if found.partner == partner { Ok(found.told()) } else { Err(Problem::NotFound(DeskCheck::NOUN)) }
}

/// Which receipts; all that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct HistoryFilter {
    /// Of this case.
    pub reference: Option<String>,
    /// Of this person.
    pub person: Option<PersonId>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Asked before this instant.
    pub before: Option<Timestamp>,
}

/// The receipts of a partner's desk, newest first. A page may be short and have a next one all the same.
pub fn history(
    work: &mut Work<'_>,
    partner: PartnerId,
    filter: &HistoryFilter,
    page: PageRequest,
) -> Result<Page<DeskCheck>, Problem> {
    let case = filter.reference.as_deref().map(|reference| case(work.office, partner, reference));
    let fits = |check: &DeskCheck| {
        check.partner == partner
            && case.as_ref().is_none_or(|case| *case == check.case)
            && filter.person.is_none_or(|person| person == check.person)
            && filter.verdict.is_none_or(|verdict| verdict == check.finding.judgement.verdict)
            && filter.before.is_none_or(|before| check.finding.at < before)
    };
    let (index, value) = match (&case, filter.person, filter.verdict) {
        (Some(case), ..) => ("case", case.clone()),
        (None, Some(person), _) => ("person", person.to_string()),
        (None, None, Some(verdict)) => ("verdict", format!("{partner} {}", verdict.word())),
        (None, None, None) => ("partner", partner.to_string()),
    };
    let begin = filter.before.filter(|_| !page.is_turned).map(|before| Cursor(before.as_microsecond(), RecordId(0)));
    let (mut items, mut after) = (Vec::new(), page.after.or(begin));
    let mut looked_through = 0;
    loop {
        let limit = (page.limit - items.len()).max(1);
        let found = work.find::<DeskCheck>(index, &value, true, PageRequest { after, limit, ..page })?;
        looked_through += found.items.len();
        items.extend(found.items.into_iter().filter(fits).map(DeskCheck::told));
        after = found.next;
        if after.is_none() || items.len() >= page.limit || looked_through >= LOOKED_THROUGH_MAX {
            return Ok(Page { items, next: after });
        }
    }
}

/// Those receipts of a page that keep this number since some time of the span; and where the next page begins.
pub(super) fn receipts_about(
    work: &mut Work<'_>,
    number: Msisdn,
    span: Span,
    page: PageRequest,
) -> Result<(Vec<DeskCheck>, Option<Cursor>), Problem> {
    let (ends, digits) = (masked(number), number.digits());
    let found = work.find::<DeskCheck>("has_number", "all", false, page)?;
    let mut receipts = found.items;
    // Its ends first: they are not sealed.
    receipts.retain(|receipt| {
        let is_of_span = span.contains(receipt.finding.at) && receipt.masked == ends;
        is_of_span && receipt.number(work.office).is_some_and(|kept| *kept == digits)
    });
    Ok((receipts, found.next))
}

/// Forgets the numbers of receipts that were kept long enough; of how many.
pub fn forget_numbers(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    let page = PageRequest { limit: FORGOTTEN_AT_ONCE, ..PageRequest::FIRST };
    let mut forgotten = 0;
    loop {
        let count = office.run(&Actor::System, at, |work| {
            let oldest = work.find::<DeskCheck>("has_number", "all", false, page)?.items;
            let mut count = 0;
            for check in oldest.into_iter().filter(|check| check.finding.at + NUMBERS_KEPT <= at) {
                check.forget(work)?;
                count += 1;
            }
            Ok(count)
        })?;
        forgotten += count;
        if count < FORGOTTEN_AT_ONCE {
            return Ok(forgotten);
        }
    }
}

/// A case is the same whatever its capitals and the blanks around it.
fn case(office: &Office, partner: PartnerId, reference: &str) -> String {
    let reference = reference.trim().to_lowercase();
    let hash = office.keys.office_seal().hash(format!("case {partner} {reference}").as_bytes());
    STANDARD_NO_PAD.encode(&hash[..16])
}
