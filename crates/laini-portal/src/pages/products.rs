//! The catalogue: what each check answers and costs, and which one is needed.

use std::sync::Arc;

use askama::Template;
use laini_core::billing::Money;
use laini_core::partner::Product;
use laini_office::Problem;
use laini_office::agreements::{PriceTerms, Terms};
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::CatalogueWords;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/products", Access::Anyone, show)]
}

#[derive(Template)]
#[template(path = "public/products.html")]
struct ProductsPage {
    frame: Frame,
    words: &'static CatalogueWords,
    products: Vec<ProductCard>,
    /// What somebody wants to know, what they take, and what it costs.
    choices: Vec<(&'static str, &'static str, String)>,
}

/// What answers each of [`CatalogueWords::choices`]; `None` = it depends on what is asked.
const CHOICES: [Option<Product>; 4] = [Some(Product::Swap), Some(Product::Age), Some(Product::Imsi), None];

struct ProductCard {
    word: &'static str,
    name: &'static str,
    about: &'static str,
    path: &'static str,
    price: String,
    set_up: String,
    free_units: u64,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().catalogue;
    let terms = Terms::standard(portal.office.settings.currency);
    let path = |product| match product {
        Product::Imsi => IMSI_PATH,
        Product::Swap => SWAP_PATH,
        Product::Age => AGE_PATH,
    };
    let products = terms.prices.iter().zip(words.about).map(|(terms, (name, about))| ProductCard {
        word: terms.product.word(),
        name,
        about,
        path: path(terms.product),
        price: unit_price(&portal, terms),
        set_up: Money::new(terms.set_up_minor, portal.office.settings.currency).to_string(),
        free_units: terms.free_units,
    });
    let price = |product: Product| terms.prices.iter().find(|terms| terms.product == product);
    let price = |product: Option<Product>| match product.and_then(price) {
        Some(terms) => unit_price(&portal, terms),
        None => words.by_facts.to_owned(),
    };
    let choices = words.choices.into_iter().zip(CHOICES);
    page(&ProductsPage {
        frame: visit.frame(&portal, visit.language.words().products),
        words,
        products: products.collect(),
        choices: choices.map(|((question, take), product)| (question, take, price(product))).collect(),
    })
}

/// What the first check costs that is not free.
fn unit_price(portal: &Portal, terms: &PriceTerms) -> String {
    let minor = terms.bands.first().map_or(0, |band| band.unit_minor);
    Money::new(minor, portal.office.settings.currency).to_string()
}
