use jiff::Timestamp;
use laini_core::billing::PriceStamp;
use laini_core::disclosure::FactSet;
use laini_core::line::{Msisdn, MsisdnError, NumberPlan};
use laini_core::partner::{AppView, Environment, Product, ProductSet, Purpose};
use laini_wire::checks::{ChecksRequest, ChecksRequestError, NUMBERS_MAX};

use crate::gateway::admit;
use crate::http::{ApiError, ForbiddenReason};

/// The longest reference of a caller, in characters.
const REFERENCE_CHARS_MAX: usize = 128;
/// The longest pseudonym that is compared.
const EXPECT_BYTES_MAX: usize = 64;

/// What a request asks for, understood and allowed.
pub(super) struct Order {
    pub(super) numbers: Vec<Msisdn>,
    pub(super) facts: FactSet,
    /// What is charged for these facts.
    pub(super) product: Product,
    pub(super) price: PriceStamp,
    pub(super) purpose: Purpose,
    pub(super) reference: Option<String>,
    pub(super) expect: Option<String>,
    pub(super) dry_run: bool,
    /// Where the result goes instead of into the answer.
    pub(super) result_url: Option<String>,
}

impl Order {
    /// Reads a body as `app` may ask.
    pub(super) fn read(body: &[u8], app: &AppView, at: Timestamp, plan: &NumberPlan) -> Result<Self, ApiError> {
        let request = ChecksRequest::parse(body).map_err(refused)?;
        let facts = facts(&request, app)?;
        // `facts` is never empty.
        let product = facts.product().unwrap_or(Product::Imsi);
        let price = admit::price(app, product, at)?;
        Ok(Self {
            numbers: numbers(&request, plan)?,
            facts,
            product,
            price,
            purpose: purpose(&request, app, at)?,
            result_url: result_url(&request)?,
            reference: reference(request.reference)?,
            expect: request.expect,
            dry_run: request.dry_run,
        })
    }

    /// The one form of this request, whatever it looked like.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut form = Vec::with_capacity(64 + 8 * self.numbers.len());
        let mut text = |text: Option<&str>| {
            let text = text.unwrap_or_default().as_bytes();
            form.extend_from_slice(&(text.len() as u64).to_be_bytes());
            form.extend_from_slice(text);
        };
        text(Some(&format!("{:?}", self.facts)));
        text(Some(self.purpose.word()));
        text(self.reference.as_deref());
        text(self.expect.as_deref());
        text(self.result_url.as_deref());
        self.numbers.iter().for_each(|number| form.extend_from_slice(&number.as_u64().to_be_bytes()));
        form
    }
}

fn refused(error: ChecksRequestError) -> ApiError {
    let numbers = |problem: &str| ApiError::InvalidField("numbers", problem.to_owned().into());
    match error {
        ChecksRequestError::NotAnObject => ApiError::InvalidPayload,
        ChecksRequestError::Missing => numbers("send number, or numbers"),
        ChecksRequestError::WrongName => numbers("the field is named number here, or numbers"),
        ChecksRequestError::Both => numbers("send number or numbers, not both"),
        ChecksRequestError::Count => numbers(&format!("send 1 to {NUMBERS_MAX} numbers")),
    }
}

/// The facts asked for; without a word, all that the app may ask in one check.
fn facts(request: &ChecksRequest, app: &AppView) -> Result<FactSet, ApiError> {
    let facts = match &request.facts {
        Some(words) => named_facts(words)?,
        None => facts_of(app.app.products)?,
    };
    let Some(expected) = &request.expect else { return Ok(facts) };
    let invalid = |problem: &'static str| Err(ApiError::InvalidField("expect", problem.into()));
    if request.number.is_none() {
        return invalid("a SIM is compared for one number at a time; send number");
    }
    if !facts.contains(FactSet::SIM) {
        return invalid("to compare a SIM, ask for the fact sim");
    }
    let fits = (1..=EXPECT_BYTES_MAX).contains(&expected.len()) && expected.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits { Ok(facts) } else { invalid("send the pseudonym as it was answered: letters and digits") }
}

fn named_facts(words: &[String]) -> Result<FactSet, ApiError> {
    let invalid = |problem: &'static str| ApiError::InvalidField("facts", problem.into());
    let mut facts = FactSet::NONE;
    for word in words {
        let fact = FactSet::parse(word).ok_or_else(|| invalid("known facts: swap, registration, sim"))?;
        facts = facts.with(fact);
    }
    if facts == FactSet::NONE {
        return Err(invalid("name at least one of swap, registration, sim, or leave the field out"));
    }
    Ok(facts)
}

fn facts_of(products: ProductSet) -> Result<FactSet, ApiError> {
    match (products.contains(Product::Imsi), products.contains(Product::Swap), products.contains(Product::Age)) {
        (true, ..) => Ok(FactSet::of(Product::Imsi)),
        (false, true, false) => Ok(FactSet::SWAP),
        (false, false, true) => Ok(FactSet::REGISTRATION),
        (false, true, true) => {
            let problem = "this app asks for one fact at a time: name swap or registration";
            Err(ApiError::InvalidField("facts", problem.into()))
        }
        (false, false, false) => Err(ApiError::NoProduct),
    }
}

fn numbers(request: &ChecksRequest, plan: &NumberPlan) -> Result<Vec<Msisdn>, ApiError> {
    let mut numbers = Vec::with_capacity(request.all_numbers().len());
    for (place, text) in request.all_numbers().iter().enumerate() {
        numbers.push(plan.parse(text).map_err(|error| {
            let place = if request.number.is_some() { String::new() } else { format!("item {place}: ") };
            let problem = match error {
                MsisdnError::Malformed { suggestion: Some(meant) } => format!("did you mean {}?", meant.digits()),
                MsisdnError::Empty | MsisdnError::Malformed { suggestion: None } => {
                    "not a number of this operator's plan".to_owned()
                }
            };
            ApiError::InvalidField("number", format!("{place}{problem}").into())
        })?);
    }
    Ok(numbers)
}

fn purpose(request: &ChecksRequest, app: &AppView, at: Timestamp) -> Result<Purpose, ApiError> {
    let named = request.purpose.as_deref().map(Purpose::parse).transpose();
    let named = named.map_err(|error| ApiError::InvalidField("purpose", error.to_string().into()))?;
    let purpose = named.unwrap_or(app.app.purpose);
    if app.app.environment == Environment::Production && !app.allows(purpose, at) {
        return Err(ApiError::Forbidden(ForbiddenReason::PurposeNotAllowed));
    }
    Ok(purpose)
}

fn result_url(request: &ChecksRequest) -> Result<Option<String>, ApiError> {
    let problem = "results are delivered for one number at a time; send number";
    match &request.result_url {
        Some(_) if request.number.is_none() => Err(ApiError::InvalidField("resultURL", problem.into())),
        result_url => Ok(result_url.clone()),
    }
}

fn reference(given: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = given else { return Ok(None) };
    let fits = (1..=REFERENCE_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let problem = "1 to 128 characters, none of them a control character";
    if fits { Ok(Some(text)) } else { Err(ApiError::InvalidField("reference", problem.into())) }
}
