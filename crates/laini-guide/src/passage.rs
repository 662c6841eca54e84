use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::page::Page;

/// A section of a page, as plain text.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Where it is, with the section behind `#`.
    pub href: String,
    /// What the page is called.
    pub page: String,
    /// What the section is called.
    pub heading: String,
    /// Its paragraphs, items and rows of tables.
    pub blocks: Vec<String>,
}

/// The section of a page that a heading begins, as it stands behind `#`.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The headings of a page, its own first.
pub fn headings(page: &Page) -> Vec<String> {
    let (mut all, mut heading) = (Vec::new(), None);
    for event in Parser::new_ext(page.text, Options::ENABLE_TABLES) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => all.extend(heading.take()),
            (Event::Text(part) | Event::Code(part), Some(heading)) => *heading += &part,
            _ => {}
        }
    }
    all
}

/// The passages of a page, one for each of its headings.
pub fn passages(page: &Page) -> Vec<Passage> {
    let begin =
        |heading: String, href: String| Passage { href, page: page.title.to_owned(), heading, blocks: Vec::new() };
    let mut all = vec![begin(page.title.to_owned(), page.href.to_owned())];
    let (mut text, mut is_code, mut is_first) = (String::new(), false, true);
    for event in Parser::new_ext(page.text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => is_code = is_left_out(&kind),
            Event::End(TagEnd::CodeBlock) if is_code => (is_code, text) = (false, String::new()),
            Event::End(TagEnd::Heading(level)) => {
                let heading = std::mem::take(&mut text).trim().to_owned();
                // The first heading is the page's own.
                if level == HeadingLevel::H1 && is_first {
                    all[0].heading = heading;
                } else {
                    all.push(begin(heading.clone(), format!("{}#{}", page.href, anchor(&heading))));
                }
                is_first = false;
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::CodeBlock) => {
                let block = std::mem::take(&mut text);
                let block = block.trim().trim_end_matches(['·', ' ']);
                if let Some(passage) = all.last_mut().filter(|_| block.chars().any(char::is_alphanumeric)) {
                    passage.blocks.push(block.to_owned());
                }
            }
            Event::End(TagEnd::TableCell) => text += " · ",
            Event::Text(part) | Event::Code(part) => text += &part,
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    all.retain(|passage| !passage.blocks.is_empty());
    all
}

/// The same code in six languages says nothing six times, and a diagram is drawn.
fn is_left_out(kind: &CodeBlockKind<'_>) -> bool {
    matches!(kind, CodeBlockKind::Fenced(info) if info.contains(" tab=") || &**info == "mermaid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Group;

    #[test]
    fn a_page_falls_into_its_sections() {
        let text = "# The page\n\nFirst *words*\nof it.\n\n## A & b\n\n- one\n- two `2`\n\n| a | b |\n|---|---|\n| c | d |\n\n\
                    ```sh\nlaini x\n```\n\n```py tab=Python\nno()\n```\n\n## Empty\n";
        let page = Page { href: "/docs/p", name: "p", title: "P", group: Group::Api, text };
        let found = passages(&page);
        let found: Vec<_> =
            found.iter().map(|one| (one.href.as_str(), one.heading.as_str(), one.blocks.join("|"))).collect();
        assert_eq!(
            found,
            [
                ("/docs/p", "The page", "First words of it.".to_owned()),
                ("/docs/p#a--b", "A & b", "one|two 2|a · b|c · d|laini x".to_owned()),
            ]
        );
    }
}
