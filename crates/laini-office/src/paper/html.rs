use std::fmt::Write as _;

use super::{Block, Paper, Table};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #ddd;vertical-align:top}\
.n{text-align:right;font-variant-numeric:tabular-nums}tfoot td{border-bottom:0;font-weight:600}\
dt{color:#555}dd{margin:0 0 .5rem}footer{margin-top:3rem;color:#555;font-size:.8rem;overflow-wrap:anywhere}\
@media print{body{margin:0;max-width:none}}";

/// The whole page. The same paper gives the same bytes.
pub(super) fn page(paper: &Paper) -> String {
    let title = escaped(&paper.title);
    let head = format!("<head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>");
    format!("<!doctype html>\n<html lang=\"en\">{head}\n<body>{}</body></html>\n", fragment(paper))
}

/// What stands on it.
pub(super) fn fragment(paper: &Paper) -> String {
    let mut text = format!("<h1>{}</h1>\n", escaped(&paper.title));
    for line in &paper.lead {
        let _ = writeln!(text, "<p>{}</p>", escaped(line));
    }
    paper.blocks.iter().for_each(|one| block(&mut text, one));
    let _ = writeln!(text, "<footer>{}</footer>", escaped(&paper.foot));
    text
}

fn block(page: &mut String, block: &Block) {
    let _ = match block {
        Block::Heading(text) => writeln!(page, "<h2>{}</h2>", escaped(text)),
        Block::Text(text) => writeln!(page, "<p>{}</p>", escaped(text)),
        Block::Facts(facts) => {
            let facts =
                facts.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value)));
            writeln!(page, "<dl>{}</dl>", facts.collect::<String>())
        }
        Block::Table(of) => writeln!(page, "{}", table(of)),
        Block::Signatures(signatures) => {
            let lines = signatures.iter().map(|one| {
                let by = if one.by.is_empty() { "not signed yet" } else { &one.by };
                format!("<dt>{}</dt><dd>{}</dd>", escaped(&one.side), escaped(by))
            });
            writeln!(page, "<dl class=\"signatures\">{}</dl>", lines.collect::<String>())
        }
    };
}

fn table(table: &Table) -> String {
    let cell = |tag: &str, place: usize, text: &str| {
        let class = if table.columns.get(place).is_some_and(|(_, is_number)| *is_number) { " class=\"n\"" } else { "" };
        format!("<{tag}{class}>{}</{tag}>", escaped(text))
    };
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(place, text)| cell("td", place, text));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let heads = table.columns.iter().enumerate().map(|(place, (text, _))| cell("th", place, text));
    format!(
        "<table><thead><tr>{}</tr></thead><tbody>\n{}</tbody><tfoot>\n{}</tfoot></table>",
        heads.collect::<String>(),
        table.rows.iter().map(row).collect::<String>(),
        table.sums.iter().map(row).collect::<String>(),
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
