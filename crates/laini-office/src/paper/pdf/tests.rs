use super::font::{Font, encoded, wrapped};
use crate::paper::{Block, Paper, Signature, Table};

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn invoice(rows: usize) -> Paper {
    let row = |n: usize| {
        vec![
            format!("2026-11-{:02}", n % 30 + 1),
            format!("Transfers and card payments of branch {n}, checked before each transaction"),
            "imsi".to_owned(),
            format!("{}", n * 1_017),
            format!("KES {}.00", n * 20_340),
        ]
    };
    let text = |text: &str| Block::Text(text.repeat(3));
    Paper {
        title: "Invoice 2026-00017".to_owned(),
        lead: vec!["From: Example Mobile PLC, Nairobi".to_owned(), "To: Mĩrĩ Bank Ltd – Kenyatta Avenue".to_owned()],
        blocks: vec![
            Block::Facts(vec![
                ("month".to_owned(), "November 2026".to_owned()),
                ("chain head".to_owned(), "a3".repeat(64)),
                ("a name that is much longer than the column of names".to_owned(), "→ ≤ 5 % “quoted” 李".to_owned()),
            ]),
            Block::Heading("Usage".to_owned()),
            text("Every line can be traced to rows of the ledger; amounts are before tax unless they say otherwise. "),
            Block::Table(Table {
                columns: [("day", false), ("for", false), ("product", false), ("checks", true), ("amount", true)]
                    .map(|(head, is_number)| (head.to_owned(), is_number))
                    .to_vec(),
                rows: (1..=rows).map(row).collect(),
                sums: vec![
                    ["", "sum before tax", "", "1,017,000", "KES 20,340,000.00"].map(str::to_owned).to_vec(),
                    ["", "VAT 16 %", "", "", "KES 3,254,400.00"].map(str::to_owned).to_vec(),
                ],
            }),
            Block::Signatures(vec![
                Signature {
                    side: "Example Mobile PLC".to_owned(),
                    by: "A. Wanjiru, 2026-11-28 from 10.0.0.1".to_owned(),
                },
                Signature { side: "Mĩrĩ Bank Ltd".to_owned(), by: String::new() },
            ]),
        ],
        foot: format!("Invoice 2026-00017 · SHA-256 {}", "0f".repeat(32)),
    }
}

/// The texts that a file shows, in their order.
fn texts(file: &[u8]) -> Vec<String> {
    let lines = shown(file);
    let strings = lines.lines().filter_map(|line| line.strip_suffix(" Tj").map(str::to_owned));
    strings.collect()
}

#[test]
fn the_same_paper_is_the_same_bytes_and_another_one_others() {
    let paper = invoice(60);
    assert_eq!(paper.pdf(), paper.pdf());
    assert_eq!(paper.pdf(), paper.clone().pdf());
    assert_ne!(paper.pdf(), invoice(61).pdf());
    for word in ["CreationDate", "ModDate", "/ID"] {
        assert!(!shown(&paper.pdf()).contains(word), "{word}");
    }
}

#[test]
fn a_table_breaks_over_pages_with_its_head_on_each() {
    let file = invoice(150).pdf();
    let pages = shown(&file).matches("/Type /Page\n").count();
    assert!(pages > 3, "{pages} pages");
    let texts = texts(&file);
    let heads = texts.iter().filter(|text| *text == "(checks)").count();
    assert!(heads == pages || heads == pages - 1, "{heads} heads on {pages} pages");
    for n in 1..=150 {
        let amount = format!("(KES {}.00)", n * 20_340);
        assert_eq!(texts.iter().filter(|text| **text == amount).count(), 1, "{amount}");
    }
    for page in 1..=pages {
        assert!(texts.contains(&format!("(page {page} of {pages})")), "page {page}");
    }
}

#[test]
fn a_row_that_is_longer_than_a_page_is_shown_whole() {
    let words: Vec<String> = (0..4_000).map(|n| format!("w{n}")).collect();
    let table = Table {
        columns: vec![("a".to_owned(), false), ("b".to_owned(), true)],
        rows: vec![vec![words.join(" "), "1".to_owned()]],
        sums: Vec::new(),
    };
    let paper = Paper { title: "Long".to_owned(), blocks: vec![Block::Table(table)], ..Paper::default() };
    let shown = texts(&paper.pdf()).join(" ").replace(['(', ')'], "");
    for word in &words {
        assert!(shown.split(' ').any(|found| found == word), "{word} vanished");
    }
}

#[test]
fn no_character_vanishes() {
    let table = [
        ("Ksh 20 – 50 %", "Ksh 20 \u{96} 50 %"),
        ("Mũrang’a", "Murang\u{92}a"),
        ("Ağrı Łódź Şırnak", "Agri L\u{f3}dz Sirnak"),
        ("a\u{202f}b\tc", "a b c"),
        ("≤ 5 → 6 − 1", "<= 5 -> 6 - 1"),
        ("李 🎉", "? ?"),
        ("é×€", "\u{e9}\u{d7}\u{80}"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&encoded(text)), expected, "{text}");
    }
    for c in (' '..=char::MAX).filter(|c| !('\u{7f}'..'\u{a0}').contains(c)) {
        assert!(!encoded(&c.to_string()).is_empty(), "{c:?} vanished");
    }
}

#[test]
fn no_line_is_wider_than_its_room_and_no_word_is_lost() {
    let text =
        "Data shall be processed for the purposes of clause 4 alone; Donaudampfschifffahrtsgesellschaftskapitän.";
    for width in [30.0, 61.0, 120.0, 480.0] {
        let lines = wrapped(text, Font::Bold, 9.0, width);
        assert!(lines.iter().all(|line| Font::Bold.width(line, 9.0) <= width), "{width}");
        let joined: String = lines.iter().map(|line| shown(line)).collect();
        assert_eq!(joined.replace(' ', ""), shown(&encoded(text)).replace(' ', ""));
    }
    assert_eq!(wrapped("a\n\nb", Font::Plain, 9.0, 100.0).len(), 3);
    assert_eq!(wrapped("", Font::Plain, 9.0, 100.0).len(), 1);
}

/// Widths of Adobe's metrics, of a line in each font.
#[test]
fn widths_are_those_of_the_fonts() {
    let line = encoded("AVA fi 100.00 €");
    let plain = 3 * 667 + 2 * 278 + 278 + 222 + 5 * 556 + 278 + 278 + 556;
    let close = |found: f32, thousandths: u16| (found - f32::from(thousandths) / 100.0).abs() < 0.2;
    assert!(close(Font::Plain.width(&line, 10.0), plain), "{}", Font::Plain.width(&line, 10.0));
    let bold = 722 + 667 + 722 + 2 * 278 + 333 + 278 + 5 * 556 + 278 + 278 + 556;
    assert!(close(Font::Bold.width(&line, 10.0), bold), "{}", Font::Bold.width(&line, 10.0));
}
