use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// What stands in examples where the reader's own consumer key goes.
const KEY: &str = "YOUR_CONSUMER_KEY";

/// A file of the guide as HTML.
pub(super) struct Rendered {
    pub(super) html: String,
    /// Its sections, for the list at the top.
    pub(super) sections: Vec<Section>,
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
    /// Renders `text`; examples show `key` where there is one.
    pub(super) fn of(text: &str, key: Option<&str>) -> Self {
        let text = key.map_or(text.into(), |key| text.replace(KEY, key));
        let mut sections = Vec::new();
        let (mut events, mut tabs, mut groups) = (Vec::new(), Tabs::default(), 0);
        let mut parser = Parser::new_ext(&text, Options::ENABLE_TABLES).peekable();
        while let Some(event) = parser.next() {
            if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = &event
                && let Some((_, tab)) = info.split_once(" tab=")
            {
                tabs.codes.push((tab.to_owned(), text_until(&mut parser, TagEnd::CodeBlock)));
                continue;
            }
            tabs.end(&mut groups, &mut events);
            match event {
                Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                    let title = text_until(&mut parser, TagEnd::Heading(HeadingLevel::H2));
                    let id = slug(&title);
                    let shown = escaped(&title);
                    events.push(Event::Html(format!("<h2 id=\"{id}\">{shown}</h2>\n").into()));
                    sections.push(Section { id, title });
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
        tabs.end(&mut groups, &mut events);
        let mut page = String::new();
        html::push_html(&mut page, events.into_iter());
        // What scrolls can be reached by key, and a corner of a table is no heading.
        let page = page.replace("<pre>", "<pre tabindex=\"0\">").replace("<th></th>", "<td></td>");
        Self { html: page, sections }
    }
}

impl Tabs {
    /// Writes what was gathered.
    fn end(&mut self, groups: &mut usize, events: &mut Vec<Event<'_>>) {
        if self.codes.is_empty() {
            return;
        }
        *groups += 1;
        let mut out = "<div class=\"codes\" role=\"group\">".to_owned();
        for (place, (tab, code)) in self.codes.drain(..).enumerate() {
            let (id, name) = (format!("code-{groups}-{place}"), format!("code-{groups}"));
            let (tab, checked) = (escaped(&tab), if place == 0 { " checked" } else { "" });
            out += &format!(
                "<input type=\"radio\" name=\"{name}\" id=\"{id}\" value=\"{tab}\" data-choose{checked}>\
                 <label for=\"{id}\">{tab}</label><pre><code>{}</code></pre>",
                escaped(&code)
            );
        }
        events.push(Event::Html(format!("{out}</div>\n").into()));
    }
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
    match file {
        "../../api/openapi.json" => Some("/openapi.json".to_owned()),
        _ => file
            .strip_suffix(".md")
            .filter(|stem| !stem.contains('/') && *stem != "cli")
            .map(|stem| format!("/docs/{stem}{fragment}")),
    }
}

/// The id of a section, as links in the guide spell it.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_or_nowhere() {
        for (dest, leads) in [
            ("checks.md#repeats-without-a-second-charge", Some("/docs/checks#repeats-without-a-second-charge")),
            ("../../api/openapi.json", Some("/openapi.json")),
            ("#here", Some("#here")),
            ("../decisions/0037-records-of-the-office.md", None),
            ("cli.md", None),
        ] {
            assert_eq!(own_link(dest).as_deref(), leads, "{dest}");
        }
        let html = Rendered::of("[a](x.md) and [b](../no.md)", None).html;
        assert_eq!(html, "<p><a href=\"/docs/x\">a</a> and <span>b</span></p>\n");
    }

    #[test]
    fn codes_become_tabs_with_the_readers_own_key_and_nothing_runs() {
        let text = "```sh tab=curl\ncurl -u YOUR_CONSUMER_KEY:<x>\n```\n```py tab=Python\np()\n```\n\n## What & why\n\n<script>x</script>\n";
        let rendered = Rendered::of(text, Some("test123"));
        assert!(rendered.html.contains("curl -u test123:&lt;x&gt;"), "{}", rendered.html);
        assert_eq!(rendered.html.matches("type=\"radio\"").count(), 2);
        assert!(rendered.html.contains("<h2 id=\"what--why\">What &amp; why</h2>"), "{}", rendered.html);
        assert!(!rendered.html.contains("<script>"), "{}", rendered.html);
        assert_eq!(rendered.sections.len(), 1);
    }
}
