use axum::http::Uri;
use laini_core::partner::Product;
use laini_guide::page;
use laini_server::http::HostNames;

use super::markdown::Rendered;
use crate::asking::published_path;
use crate::code::CodeLanguage;
use crate::portal::Portal;
use crate::visit::Visit;

/// What stands in examples where the reader's own consumer key goes.
const KEY: &str = "YOUR_CONSUMER_KEY";
/// How examples name the server in each language, and what stands around its address in place of that.
const SERVERS: [(&str, &str, &str); 5] = [
    ("\"$LAINI/", "\"", "/"),
    ("https://sandbox.operator.example", "", ""),
    ("os.environ[\"LAINI\"]", "\"", "\""),
    ("process.env.LAINI!", "\"", "\""),
    ("getenv(\"LAINI\")", "\"", "\""),
];
/// The page of the guide whose sections get a token and ask a check with it, in each language, and whom that asks about.
const PAGE: &str = "getting-started";
const SECTIONS: [&str; 2] = ["\n## 2. A token\n", "\n## 3. A check\n"];
const NUMBER: &str = "254722000002";

/// What examples show in place of what they make up.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Own<'a> {
    /// The consumer key of a sandbox app of the reader's.
    pub(super) key: Option<&'a str>,
    /// Where the sandbox answers.
    pub(super) address: Option<&'a str>,
    /// The language whose code stands first.
    pub(super) code: Option<CodeLanguage>,
}

impl<'a> Own<'a> {
    pub(super) fn of(visit: &Visit, address: Option<&'a str>, key: Option<&'a str>) -> Self {
        Self { key, address, code: visit.code }
    }

    /// An example with what is the reader's own.
    pub(super) fn put_into(self, text: &str) -> String {
        let text = self.key.map_or_else(|| text.to_owned(), |key| text.replace(KEY, key));
        let Some(address) = self.address else { return text };
        let put = |text: String, (named, before, after): (&str, &str, &str)| {
            text.replace(named, &format!("{before}{address}{after}"))
        };
        SERVERS.into_iter().fold(text, put)
    }
}

/// Where the sandbox answers, as far as that is set.
pub(in crate::pages) fn address(portal: &Portal) -> Option<String> {
    of_sandbox(&portal.office.settings.people.portal_url, &portal.settings.glance().hosts)
}

/// Where the pages are, unless that name does not answer the sandbox or another one is bound to it: that one then, with
/// the scheme and the port of the pages, for names part what comes in at one door.
fn of_sandbox(pages: &str, hosts: &HostNames) -> Option<String> {
    let pages = pages.trim_end_matches('/');
    let uri = pages.parse::<Uri>().unwrap_or_default();
    let is_of =
        |names: &[String]| names.iter().any(|name| uri.host().is_some_and(|own| own.eq_ignore_ascii_case(name)));
    match hosts.sandbox.first() {
        Some(name) if !is_of(&hosts.sandbox) => {
            let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}://{name}{port}", uri.scheme_str().unwrap_or("https")))
        }
        _ => (!pages.is_empty() && !is_of(&hosts.production)).then(|| pages.to_owned()),
    }
}

/// A check of this number as the guide asks it, in each of its languages, from the token on: HTML.
pub(in crate::pages) fn check_in_code(portal: &Portal, visit: &Visit, product: Product, number: &str) -> String {
    in_code(Own::of(visit, address(portal).as_deref(), None), product, number)
}

fn in_code(own: Own<'_>, product: Product, number: &str) -> String {
    let code = page(PAGE).map(|page| codes(page.text)).unwrap_or_default();
    let code = code.replace(NUMBER, number).replace(published_path(Product::Imsi), published_path(product));
    let code = code.replace("laini.imsi(", &format!("laini.{}(", product.word()));
    Rendered::of(&code, own, "").html
}

/// The codes of the sections without what is said of them: of each language one, which is whole.
fn codes(text: &str) -> String {
    let mut codes: Vec<(&str, String)> = Vec::new();
    for section in SECTIONS.iter().filter_map(|heading| text.split_once(heading)) {
        let section = section.1.split("\n## ").next().unwrap_or_default();
        // Every other part stands between fences: what it is written in, and the code itself.
        for (info, code) in section.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')) {
            match codes.iter_mut().find(|(known, _)| *known == info) {
                Some((_, before)) => *before += &format!("\n{code}"),
                None => codes.push((info, code.to_owned())),
            }
        }
    }
    codes.into_iter().fold(String::new(), |all, (info, code)| format!("{all}```{info}\n{code}```\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_show_the_readers_own_key_and_server_where_they_are_known() {
        let text = page("getting-started").unwrap().text;
        let own = Own { key: Some("test123"), address: Some("https://laini.mobile.example"), code: None };
        let shown = own.put_into(text);
        for made_up in ["YOUR_CONSUMER_KEY", "$LAINI", "sandbox.operator.example", "environ[\"LAINI\"]", "env.LAINI!"] {
            assert!(text.contains(made_up) && !shown.contains(made_up), "{made_up}");
        }
        for said in [
            "\"https://laini.mobile.example/imsi/v1/checkATI\"",
            ".base_url(\"https://laini.mobile.example\")",
            "base = \"https://laini.mobile.example\"",
            "$base = \"https://laini.mobile.example\";",
        ] {
            assert!(shown.contains(said), "{said}");
        }
        assert_eq!(Own::default().put_into(text), text);
    }

    #[test]
    fn a_check_is_shown_in_every_language_of_the_guide_about_the_number_that_was_asked() {
        let own = Own { key: None, address: Some("http://127.0.0.1:8080"), code: None };
        let html = in_code(own, Product::Swap, "254722000007");
        assert_eq!(html.matches("type=\"radio\"").count(), 6, "{html}");
        assert_eq!(html.matches("254722000007").count(), 6, "{html}");
        assert!(html.contains("laini.swap(&quot;254722000007&quot;)"), "{html}");
        assert!(html.contains("http://127.0.0.1:8080/imsi/v2/checkATI"), "{html}");
        assert!(!html.contains("/imsi/v1/") && !html.contains("<p>"), "{html}");
        // Each is whole: it gets its token first, and asks the reader's own server.
        for code in html.split("<pre").skip(1) {
            assert!(code.contains("http://127.0.0.1:8080") && code.contains("YOUR_CONSUMER_KEY"), "{code}");
            let (token, check) = (code.find("client_credentials"), code.find("/imsi/v2/checkATI"));
            let gets_token = token.is_some() && token < check;
            assert!(gets_token || code.contains("Tokens are fetched and renewed by the SDK"), "{code}");
        }
        assert!(html.contains("String base = &quot;http://127.0.0.1:8080&quot;;"), "{html}");
    }

    #[test]
    fn examples_ask_a_name_that_answers_the_sandbox() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let hosts = |sandbox: &[&str]| HostNames { sandbox: names(sandbox), production: names(&["api.mobile.test"]) };
        let of = |pages: &str, sandbox: &[&str]| of_sandbox(pages, &hosts(sandbox)).unwrap_or_default();
        let two = ["sandbox.mobile.test", "try.mobile.test"];
        for (pages, sandbox, expected) in [
            ("https://portal.mobile.test/", &two[..], "https://sandbox.mobile.test"),
            ("http://portal.mobile.test:8080", &two, "http://sandbox.mobile.test:8080"),
            ("https://api.mobile.test", &two, "https://sandbox.mobile.test"),
            ("https://Try.mobile.test/", &two, "https://Try.mobile.test"),
            ("", &two, "https://sandbox.mobile.test"),
            ("https://portal.mobile.test/", &[], "https://portal.mobile.test"),
            ("https://api.mobile.test", &[], ""),
            ("", &[], ""),
        ] {
            assert_eq!(of(pages, sandbox), expected, "{pages} {sandbox:?}");
        }
    }
}
