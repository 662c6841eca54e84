/// The two fonts, which every reader of PDF has: nothing is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Font {
    Plain,
    Bold,
}

/// Widths in thousandths of the size, of the characters 32 to 126 (Adobe's metrics of Helvetica).
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];

/// The characters 128 to 159 of the encoding; a space where there is none.
const MIDDLE: [char; 32] = [
    '€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ', ' ', '‘', '’', '“', '”', '•', '–',
    '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
];

/// Letters with marks that the encoding lacks, and the plain ones that stand for them.
const UNMARKED: [(&str, char); 28] = [
    ("ĀĂĄ", 'A'),
    ("āăą", 'a'),
    ("ĆĈĊČ", 'C'),
    ("ćĉċč", 'c'),
    ("ĎĐ", 'D'),
    ("ďđ", 'd'),
    ("ĒĔĖĘĚ", 'E'),
    ("ēĕėęě", 'e'),
    ("ĜĞĠĢ", 'G'),
    ("ĝğġģ", 'g'),
    ("ĨĪĬĮİ", 'I'),
    ("ĩīĭįı", 'i'),
    ("ĹĻĽĿŁ", 'L'),
    ("ĺļľŀł", 'l'),
    ("ŃŅŇ", 'N'),
    ("ńņň", 'n'),
    ("ŌŎŐ", 'O'),
    ("ōŏő", 'o'),
    ("ŔŖŘ", 'R'),
    ("ŕŗř", 'r'),
    ("ŚŜŞȘ", 'S'),
    ("śŝşș", 's'),
    ("ŢŤŦȚ", 'T'),
    ("ţťŧț", 't'),
    ("ŨŪŬŮŰŲ", 'U'),
    ("ũūŭůűų", 'u'),
    ("ŹŻ", 'Z'),
    ("źż", 'z'),
];

impl Font {
    /// The name under which pages use it.
    pub(super) fn name(self) -> pdf_writer::Name<'static> {
        match self {
            Self::Plain => pdf_writer::Name(b"F1"),
            Self::Bold => pdf_writer::Name(b"F2"),
        }
    }

    /// The name under which readers know it.
    pub(super) fn base(self) -> pdf_writer::Name<'static> {
        match self {
            Self::Plain => pdf_writer::Name(b"Helvetica"),
            Self::Bold => pdf_writer::Name(b"Helvetica-Bold"),
        }
    }

    /// How wide a text in the encoding is, in points.
    pub(super) fn width(self, text: &[u8], size: f32) -> f32 {
        let thousandths: u32 = text.iter().map(|byte| u32::from(self.advance(*byte))).sum();
        f32::from(u16::try_from(thousandths / 10).unwrap_or(u16::MAX)) * size / 100.0
    }

    fn advance(self, byte: u8) -> u16 {
        let table = match self {
            Self::Plain => &PLAIN,
            Self::Bold => &BOLD,
        };
        let plain = byte.checked_sub(32).and_then(|place| table.get(usize::from(place)));
        plain.copied().unwrap_or_else(|| self.advance_of_high(byte))
    }

    /// Of the characters 127 to 255.
    fn advance_of_high(self, byte: u8) -> u16 {
        let either = |plain, bold| if self == Self::Plain { plain } else { bold };
        match byte {
            0x82 | 0x91 | 0x92 => either(222, 278),
            0x84 | 0x93 | 0x94 => either(333, 500),
            0x85 | 0x89 | 0x8c | 0x97 | 0x99 | 0xc6 => 1000,
            0x9c => 944,
            0x88 | 0x8b | 0x98 | 0x9b | 0xa1 | 0xa8 | 0xad | 0xaf | 0xb2..=0xb4 | 0xb8 | 0xb9 => 333,
            0x8a | 0x9f | 0xc8..=0xcb | 0xdd | 0xde => 667,
            0xc0..=0xc5 => either(667, 722),
            0x8e | 0xbf | 0xdf | 0xf8 => 611,
            0x95 => 350,
            0x9a | 0xe7 | 0xfd | 0xff => either(500, 556),
            0x9e => 500,
            0xa0 | 0xb7 | 0xcc..=0xcf | 0xec..=0xef => 278,
            0xa6 => either(260, 280),
            0xa9 | 0xae => 737,
            0xaa => 370,
            0xba => 365,
            0xac | 0xb1 | 0xd7 | 0xf7 => 584,
            0xb0 => 400,
            0xb6 => either(537, 556),
            0xbc..=0xbe => 834,
            0xc7 | 0xd0 | 0xd1 | 0xd9..=0xdc => 722,
            0xd2..=0xd6 | 0xd8 => 778,
            0xe6 => 889,
            0xb5 | 0xf0..=0xf6 | 0xf9..=0xfc | 0xfe => either(556, 611),
            _ => 556,
        }
    }
}

/// A text in the encoding of the fonts (`WinAnsiEncoding`). What it lacks becomes what is nearest, or `?`: nothing
/// vanishes.
pub(super) fn encoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' | '\u{a0}'..='\u{ff}' => bytes.push(u8::try_from(u32::from(c)).unwrap_or(b'?')),
            c if let Some(place) = MIDDLE.iter().position(|known| *known == c) => {
                bytes.push(u8::try_from(place).map_or(b'?', |place| 128 + place));
            }
            c => bytes.extend_from_slice(nearest(c).as_bytes()),
        }
    }
    bytes
}

fn nearest(c: char) -> String {
    let text = match c {
        c if c.is_whitespace() || c.is_control() => " ",
        '\u{2010}' | '\u{2011}' | '\u{2212}' => "-",
        '\u{2190}' => "<-",
        '\u{2192}' => "->",
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        '\u{2260}' => "!=",
        '\u{2032}' | '\u{2bc}' | '\u{2bb}' => "'",
        '\u{2033}' => "\"",
        c => {
            return UNMARKED.iter().find(|(marked, _)| marked.contains(c)).map_or('?', |(_, plain)| *plain).to_string();
        }
    };
    text.to_owned()
}

/// A text in lines of at most `width` points: broken between words, and within one that is wider than a line.
pub(super) fn wrapped(text: &str, font: Font, size: f32, width: f32) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line: Vec<u8> = Vec::new();
        for word in encoded(paragraph).split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            let mut longer = line.clone();
            if !longer.is_empty() {
                longer.push(b' ');
            }
            longer.extend_from_slice(word);
            if font.width(&longer, size) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for byte in word {
                line.push(*byte);
                if line.len() > 1 && font.width(&line, size) > width {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, vec![*byte]));
                }
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(Vec::new());
    }
    lines
}
