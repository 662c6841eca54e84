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
}

struct ProductCard {
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
        name,
        about,
        path: path(terms.product),
        price: unit_price(&portal, terms),
        set_up: Money::new(terms.set_up_minor, portal.office.settings.currency).to_string(),
        free_units: terms.free_units,
    });
    page(&ProductsPage {
        frame: visit.frame(&portal, visit.language.words().products),
        words,
        products: products.collect(),
    })
}

/// What the first check costs that is not free.
fn unit_price(portal: &Portal, terms: &PriceTerms) -> String {
    let minor = terms.bands.first().map_or(0, |band| band.unit_minor);
    Money::new(minor, portal.office.settings.currency).to_string()
}
