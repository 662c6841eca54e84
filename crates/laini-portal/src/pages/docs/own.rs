use laini_core::partner::Product;
use laini_guide::page;

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
/// The section of the guide that asks a check in each language, and whom it asks about.
const SECTION: (&str, &str) = ("getting-started", "\n## 3. A check\n");
const NUMBER: &str = "254722000002";

/// What examples show in place of what they make up.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Own<'a> {
    /// The consumer key of a sandbox app of the reader's.
    pub(super) key: Option<&'a str>,
    /// Where this server is.
    pub(super) address: Option<&'a str>,
    /// The language whose code stands first.
    pub(super) code: Option<CodeLanguage>,
}

impl<'a> Own<'a> {
    pub(super) fn of(portal: &'a Portal, visit: &Visit, key: Option<&'a str>) -> Self {
        Self { key, address: address(portal), code: visit.code }
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

/// Where this server is, as far as that is set.
pub(in crate::pages) fn address(portal: &Portal) -> Option<&str> {
    let set = portal.office.settings.people.portal_url.trim_end_matches('/');
    (!set.is_empty()).then_some(set)
}

/// A check of this number as the guide asks it, in each of its languages: HTML.
pub(in crate::pages) fn check_in_code(portal: &Portal, visit: &Visit, product: Product, number: &str) -> String {
    in_code(Own::of(portal, visit, None), product, number)
}

fn in_code(own: Own<'_>, product: Product, number: &str) -> String {
    let code = page(SECTION.0).and_then(|page| codes(page.text)).unwrap_or_default();
    let code = code.replace(NUMBER, number).replace(published_path(Product::Imsi), published_path(product));
    let code = code.replace("laini.imsi(", &format!("laini.{}(", product.word()));
    Rendered::of(&code, own, "").html
}

/// The codes of the section, without what is said of them.
fn codes(text: &str) -> Option<&str> {
    let (_, section) = text.split_once(SECTION.1)?;
    let section = section.split("\n## ").next()?;
    section.get(section.find("```")?..section.rfind("```")? + 3)
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
    }
}
