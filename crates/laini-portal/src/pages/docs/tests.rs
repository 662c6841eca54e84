use laini_core::billing::Currency;
use laini_guide::page;
use laini_office::agreements::Terms;

use crate::figures::{amount, count};

/// The sections of the page of errors: each code with what stands under it.
fn errors() -> Vec<(&'static str, &'static str)> {
    let text = page("errors").unwrap().text;
    text.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect()
}

/// Every code that is answered.
fn codes() -> Vec<&'static str> {
    let source = include_str!("../../../../laini-wire/src/error.rs");
    let codes =
        source.lines().filter_map(|line| line.trim().strip_suffix("\";")?.rsplit_once('"')).map(|(_, code)| code);
    codes.filter(|code| code.starts_with(|c: char| c.is_ascii_digit())).collect()
}

#[test]
fn every_code_that_is_answered_has_a_page_that_says_all_of_it() {
    let (codes, errors) = (codes(), errors());
    assert!(codes.len() > 30, "{codes:?}");
    for code in &codes {
        assert!(errors.iter().any(|(named, _)| named == code), "{code} has no page");
    }
    for (code, text) in errors {
        assert!(codes.contains(&code), "nothing is answered with {code}");
        let row = |name: &str| {
            let row = text.lines().find_map(|line| line.strip_prefix(&format!("| {name} | "))?.strip_suffix(" |"));
            row.unwrap_or_else(|| panic!("{code} does not say: {name}"))
        };
        let cause = text.lines().find_map(|line| line.strip_prefix("**HTTP ")?.split_once(".** "));
        let (status, cause) = cause.unwrap_or_else(|| panic!("{code} names no status and cause"));
        assert!(status.len() == 3 && cause.len() > 10, "{code}: {status}, {cause}");
        assert!(row("what to do").len() > 5, "{code}");
        assert!(["yes", "no"].iter().any(|word| row("repeat?").starts_with(word)), "{code}: {}", row("repeat?"));
        let charged = row("charged?");
        assert!(["yes", "no", "unknown"].iter().any(|word| charged.starts_with(word)), "{code}: {charged}");
        let seen = row("seen in the sandbox with");
        let names = seen.starts_with("no number: ") || seen.contains("any number") || seen.contains("own world");
        assert!(names || seen.starts_with(|c: char| c.is_ascii_digit()), "{code}: {seen}");
    }
}

#[test]
fn prices_in_the_guide_are_those_of_the_standard_agreement() {
    let terms = Terms::standard(Currency::KES);
    let text = page("which-check").unwrap().text;
    for (terms, name) in terms.prices.iter().zip(["[IMSI]", "[Swap]", "[Age on network]"]) {
        let minor = terms.bands[0].unit_minor;
        let row = text.lines().find(|line| line.starts_with('|') && line.contains(&format!("{name}(#"))).unwrap();
        assert!(row.contains(&format!("| KES {}.{:02} |", minor / 100, minor % 100)), "{row}");
    }
    let details = page("more-details").unwrap().text;
    for (terms, name) in terms.prices.iter().zip(["IMSI", "Swap", "Age on network"]) {
        let minor = terms.bands[0].unit_minor;
        let once = match (terms.set_up_minor, terms.free_units) {
            (0, 0) => "none".to_owned(),
            (set_up, free) => format!("{} once; the first {} checks are free", amount(set_up, "KES"), count(free)),
        };
        let row = format!("| {name} | KES {}.{:02} | {once} |", minor / 100, minor % 100);
        assert!(details.lines().any(|line| line == row), "{row}");
    }
    let swap = &terms.prices[1];
    assert_eq!((swap.set_up_minor, swap.free_units), (5_000_000, 200_000));
    assert!(text.contains("KES 50,000.00, with 200,000 checks free"));
}

#[test]
fn links_within_the_guide_lead_somewhere() {
    let mut checked = 0;
    for document in laini_guide::GUIDE {
        for link in document.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let Some((file, section)) = link.split_once('#') else { continue };
            let of = if file.is_empty() { Some(document) } else { file.strip_suffix(".md").and_then(page) };
            let Some(of) = of else { continue };
            let href = format!("{}#{section}", of.href);
            let has = laini_guide::headings(of).iter().any(|heading| laini_guide::anchor(heading) == section);
            assert!(has, "{} links to {href}, which is not there", document.name);
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}
