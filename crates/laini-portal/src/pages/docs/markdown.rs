use laini_guide::anchor;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::diagram::Sequence;
use super::own::Own;

/// A file of the guide as HTML.
pub(super) struct Rendered {
    pub(super) html: String,
    /// Its sections, for the list at the top.
    pub(super) sections: Vec<Section>,
    /// Whether it shows code in several languages.
    pub(super) has_tabs: bool,
}

/// A section: what it is called and where it is.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
}

/// The same code in several languages, until something else comes.
#[derive(Default)]
struct Tabs {
    codes: Vec<(String, String)>,
}

impl Rendered {
    /// Renders `text`; examples show what is the reader's own, and diagrams are called `diagram`.
    pub(super) fn of(text: &str, own: Own<'_>, diagram: &str) -> Self {
        let text = own.put_into(text);
        let mut sections = Vec::new();
        let (mut events, mut tabs, mut groups, mut has_title) = (Vec::new(), Tabs::default(), 0, false);
        let mut parser = Parser::new_ext(&text, Options::ENABLE_TABLES).peekable();
        while let Some(event) = parser.next() {
            if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = &event
                && let Some((_, tab)) = info.split_once(" tab=")
            {
                tabs.codes.push((tab.to_owned(), text_until(&mut parser, TagEnd::CodeBlock)));
                continue;
            }
            tabs.end(&mut groups, own, &mut events);
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == "mermaid" => {
                    let drawing = text_until(&mut parser, TagEnd::CodeBlock);
                    events.push(Event::Html(Sequence::read(&drawing).drawn("sequence", diagram).into()));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    let title = text_until(&mut parser, TagEnd::Heading(level));
                    events.push(Event::Html(heading(level, title, &mut has_title, &mut sections).into()));
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => match own_link(&dest_url) {
                    Some(dest) => events.push(Event::Start(Tag::Link { link_type, dest_url: dest.into(), title, id })),
                    // What is in the repository alone is named, not linked.
                    None => events.push(Event::Html(CowStr::Borrowed("<span>"))),
                },
                Event::End(TagEnd::Link) => {
                    let is_plain = open_link(&events);
                    events.push(if is_plain {
                        Event::Html(CowStr::Borrowed("</span>"))
                    } else {
                        Event::End(TagEnd::Link)
                    });
                }
                Event::Start(Tag::Table(columns)) => {
                    events.push(Event::Html(CowStr::Borrowed("<div class=\"scroll\" tabindex=\"0\">")));
                    events.push(Event::Start(Tag::Table(columns)));
                }
                Event::End(TagEnd::Table) => {
                    events.extend([Event::End(TagEnd::Table), Event::Html(CowStr::Borrowed("</div>"))]);
                }
                Event::Html(raw) | Event::InlineHtml(raw) => events.push(Event::Text(raw)),
                other => events.push(other),
            }
        }
        tabs.end(&mut groups, own, &mut events);
        let mut page = String::new();
        html::push_html(&mut page, events.into_iter());
        // What scrolls can be reached by key, and a corner of a table is no heading.
        let page = page.replace("<pre>", "<pre tabindex=\"0\">").replace("<th></th>", "<td></td>");
        Self { html: page, sections, has_tabs: groups > 0 }
    }
}

impl Tabs {
    /// Writes what was gathered; the reader's language is open, or the first one.
    fn end(&mut self, groups: &mut usize, own: Own<'_>, events: &mut Vec<Event<'_>>) {
        if self.codes.is_empty() {
            return;
        }
        *groups += 1;
        let is_chosen = |(tab, _): &(String, String)| own.code.is_some_and(|code| code.name == tab);
        let open = self.codes.iter().position(is_chosen).unwrap_or(0);
        let mut out = "<div class=\"codes\" role=\"group\">".to_owned();
        for (place, (tab, code)) in self.codes.drain(..).enumerate() {
            let (id, name) = (format!("code-{groups}-{place}"), format!("code-{groups}"));
            let (tab, checked) = (escaped(&tab), if place == open { " checked" } else { "" });
            out += &format!(
                "<input type=\"radio\" name=\"{name}\" id=\"{id}\" value=\"{tab}\" data-choose{checked}>\
                 <label for=\"{id}\">{tab}</label><pre><code>{}</code></pre>",
                escaped(&code)
            );
        }
        events.push(Event::Html(format!("{out}</div>\n").into()));
    }
}

/// A heading; the first is the page's own, and there is one h1: what is written as a further one is a section.
fn heading(level: HeadingLevel, title: String, has_title: &mut bool, sections: &mut Vec<Section>) -> String {
    let (id, shown) = (anchor(&title), escaped(&title));
    if level == HeadingLevel::H1 && !*has_title {
        *has_title = true;
        return format!("<h1>{shown}</h1>\n");
    }
    let level = level.max(HeadingLevel::H2);
    let html = format!("<{level} id=\"{id}\">{shown}</{level}>\n");
    if level == HeadingLevel::H2 {
        sections.push(Section { id, title });
    }
    html
}

/// Whether the link that ends was written as plain text.
fn open_link(events: &[Event<'_>]) -> bool {
    let start = events.iter().rev().find_map(|event| match event {
        Event::Start(Tag::Link { .. }) => Some(false),
        Event::Html(html) if &**html == "<span>" => Some(true),
        _ => None,
    });
    start.unwrap_or(false)
}

/// All text up to the end of what has begun.
fn text_until<'a>(parser: &mut impl Iterator<Item = Event<'a>>, end: TagEnd) -> String {
    let mut text = String::new();
    for event in parser {
        match event {
            Event::End(found) if found == end => break,
            Event::Text(part) | Event::Code(part) => text += &part,
            _ => {}
        }
    }
    text
}

/// Where a link of the guide leads on these pages; `None` = nowhere.
fn own_link(dest: &str) -> Option<String> {
    if dest.starts_with('#') || dest.starts_with('/') || dest.starts_with("https://") {
        return Some(dest.to_owned());
    }
    let (file, fragment) = dest.split_once('#').map_or((dest, String::new()), |(file, id)| (file, format!("#{id}")));
    // Other papers name the guide from where they lie.
    let file = file.rsplit_once("docs/guide/").map_or(file, |(_, name)| name);
    match file {
        "../../api/openapi.json" => Some("/openapi.json".to_owned()),
        "../../api/postman.json" => Some("/postman.json".to_owned()),
        _ => file
            .strip_suffix(".md")
            .filter(|stem| !stem.contains('/') && *stem != "cli")
            .map(|stem| format!("/docs/{stem}{fragment}")),
    }
}

/// Text as it stands in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::CodeLanguage;

    #[test]
    fn links_lead_to_pages_or_nowhere() {
        for (dest, leads) in [
            ("checks.md#repeats-without-a-second-charge", Some("/docs/checks#repeats-without-a-second-charge")),
            ("../../api/openapi.json", Some("/openapi.json")),
            ("../../api/postman.json", Some("/postman.json")),
            ("docs/guide/desk.md", Some("/docs/desk")),
            ("../../../docs/guide/privacy.md", Some("/docs/privacy")),
            ("#here", Some("#here")),
            ("../decisions/0037-records-of-the-office.md", None),
            ("cli.md", None),
        ] {
            assert_eq!(own_link(dest).as_deref(), leads, "{dest}");
        }
        let html = Rendered::of("[a](x.md) and [b](../no.md)", Own::default(), "").html;
        assert_eq!(html, "<p><a href=\"/docs/x\">a</a> and <span>b</span></p>\n");
    }

    #[test]
    fn codes_become_tabs_with_the_readers_own_key_and_nothing_runs() {
        let text = "```sh tab=curl\ncurl -u YOUR_CONSUMER_KEY:<x>\n```\n```py tab=Python\np()\n```\n\n## What & why\n\n<script>x</script>\n";
        let rendered = Rendered::of(text, Own { key: Some("test123"), ..Own::default() }, "");
        assert!(rendered.html.contains("curl -u test123:&lt;x&gt;"), "{}", rendered.html);
        assert_eq!(rendered.html.matches("type=\"radio\"").count(), 2);
        assert!(rendered.html.contains("value=\"curl\" data-choose checked"), "{}", rendered.html);
        let python = Own { code: CodeLanguage::parse("python"), ..Own::default() };
        let html = Rendered::of(text, python, "").html;
        assert!(html.contains("value=\"Python\" data-choose checked"), "{html}");
        assert_eq!(html.matches(" checked").count(), 1, "{html}");
        // A language in which this code is not written leaves the first one open.
        let java = Own { code: CodeLanguage::parse("java"), ..Own::default() };
        assert!(Rendered::of(text, java, "").html.contains("value=\"curl\" data-choose checked"));
        assert!(rendered.html.contains("<h2 id=\"what--why\">What &amp; why</h2>"), "{}", rendered.html);
        assert!(!rendered.html.contains("<script>"), "{}", rendered.html);
        assert_eq!(rendered.sections.len(), 1);
    }
}
