use super::{Agreement, App, Environment, Product, WordError};

/// Whether an app can call a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProductState {
    /// It can.
    On,
    /// It is ticked, and something is missing.
    Pending,
    /// It is not ticked.
    Off,
}

impl ProductState {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Pending => "pending",
            Self::Off => "off",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = [Self::On, Self::Pending, Self::Off].into_iter().find(|state| state.word() == word);
        found.ok_or(WordError { expected: "on, pending, off" })
    }
}

/// How `product` stands for `app` under its partner's agreement, and why.
pub fn product_state(app: &App, agreement: Option<&Agreement>, product: Product) -> (ProductState, &'static str) {
    let is_covered = agreement.is_some_and(|agreement| agreement.prices.iter().any(|(priced, _)| *priced == product));
    match (app.products.contains(product), app.environment) {
        (true, Environment::Sandbox) => (ProductState::On, "the sandbox needs no agreement"),
        (true, Environment::Production) if is_covered => (ProductState::On, "the agreement covers it"),
        (true, Environment::Production) if agreement.is_none() => {
            (ProductState::Pending, "it waits for an agreement; sign one with the operator")
        }
        (true, Environment::Production) => {
            (ProductState::Pending, "it waits for an agreement that covers it; ask the operator to amend yours")
        }
        (false, Environment::Production) if !is_covered => {
            (ProductState::Off, "it is not ticked, and the agreement does not cover it")
        }
        (false, _) => (ProductState::Off, "it is not ticked"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::access::{AddressRules, ConsumerKey};
    use crate::billing::{Currency, Money, Price};
    use crate::disclosure::Windows;
    use crate::partner::{AgreementId, AppId, AppLimits, AppProfile, AppStatus, PartnerId, ProductSet, Purpose};

    fn app(environment: Environment, products: &[Product]) -> App {
        App {
            id: AppId::from_stored(1),
            partner: PartnerId::from_stored(1),
            name: String::new(),
            environment,
            products: products.iter().copied().collect::<ProductSet>(),
            status: AppStatus::Active,
            token_epoch: 0,
            consumer_key: ConsumerKey::mint(environment, [0; 3]),
            secrets: Vec::new(),
            profile: AppProfile::default(),
            purpose: Purpose::default(),
            limits: AppLimits::default(),
            client_certificate: None,
            allowed_addresses: AddressRules::default(),
        }
    }

    #[test]
    fn what_is_ticked_and_covered_is_on() {
        let agreement = Agreement {
            id: AgreementId::from_stored(1),
            partner: PartnerId::from_stored(1),
            valid_from: Timestamp::UNIX_EPOCH,
            valid_until: None,
            windows: Windows::default(),
            prices: vec![(Product::Imsi, Price::flat(1, Money::new(2_000, Currency::KES)))],
            pass_hashed_imsi: false,
            purposes: Purpose::ALL.to_vec(),
            exact_times: false,
        };
        let (sandbox, production) = (Environment::Sandbox, Environment::Production);
        for (environment, ticked, agreed, state) in [
            (sandbox, true, false, ProductState::On),
            (sandbox, false, true, ProductState::Off),
            (production, true, true, ProductState::On),
            (production, true, false, ProductState::Pending),
            (production, false, true, ProductState::Off),
            (production, false, false, ProductState::Off),
        ] {
            let app = app(environment, if ticked { &[Product::Imsi] } else { &[] });
            let told = product_state(&app, agreed.then_some(&agreement), Product::Imsi);
            assert_eq!(told.0, state, "{environment:?} {ticked} {agreed}");
        }
        let swap = app(production, &[Product::Swap]);
        let (state, why) = product_state(&swap, Some(&agreement), Product::Swap);
        assert_eq!((state, why.contains("amend")), (ProductState::Pending, true));
    }
}
