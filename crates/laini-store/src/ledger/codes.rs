use laini_core::billing::Outcome;
use laini_core::partner::{Environment, Product, Purpose};
use laini_core::store::{DeliveryState, RepeatWindow};

/// Every environment.
pub const ENVIRONMENTS: [Environment; 2] = [Environment::Sandbox, Environment::Production];

// Codes instead of words: 40 bytes and four allocations less per row. They are never reused.

/// The code of a product.
pub fn product_code(product: Product) -> i16 {
    match product {
        Product::Imsi => 1,
        Product::Swap => 2,
        Product::Age => 3,
    }
}

/// The code of an environment.
pub fn environment_code(environment: Environment) -> i16 {
    match environment {
        Environment::Sandbox => 1,
        Environment::Production => 2,
    }
}

/// The code of a purpose.
pub fn purpose_code(purpose: Purpose) -> i16 {
    match purpose {
        Purpose::FraudPrevention => 1,
        Purpose::Onboarding => 2,
        Purpose::ChequeConfirmation => 3,
    }
}

/// The code of an outcome.
pub fn outcome_code(outcome: Outcome) -> i16 {
    match outcome {
        Outcome::Answered => 1,
        Outcome::Repeated => 2,
        Outcome::NotServed => 3,
        Outcome::Unknown => 4,
        Outcome::Withheld => 5,
        Outcome::Reversal => 6,
    }
}

/// The window that lasts so many seconds.
pub fn repeat_window(seconds: i64) -> RepeatWindow {
    let is_long = seconds == RepeatWindow::SameRequestId.length().as_secs();
    if is_long { RepeatWindow::SameRequestId } else { RepeatWindow::NoRequestId }
}

/// What comes next for a delivery, as its row holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryCode;

impl DeliveryCode {
    /// It is tried again.
    pub const DUE: i16 = 1;
    /// It arrived.
    pub const DELIVERED: i16 = 2;
    /// It was given up.
    pub const DEAD: i16 = 3;

    /// The code, and the instant until which nothing is done, where there is one.
    pub fn of(state: DeliveryState) -> (i16, Option<jiff::Timestamp>) {
        match state {
            DeliveryState::Due(at) => (Self::DUE, Some(at)),
            DeliveryState::Delivered => (Self::DELIVERED, None),
            DeliveryState::Dead => (Self::DEAD, None),
        }
    }

    /// Reads it back; `None` = no such code.
    pub fn state(code: i16, due: jiff::Timestamp) -> Option<DeliveryState> {
        match code {
            Self::DUE => Some(DeliveryState::Due(due)),
            Self::DELIVERED => Some(DeliveryState::Delivered),
            Self::DEAD => Some(DeliveryState::Dead),
            _ => None,
        }
    }
}
