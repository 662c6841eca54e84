use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font::{Font, encoded, wrapped};

/// A4, in points of a 72nd of an inch.
const PAGE: (f32, f32) = (595.28, 841.89);
pub(super) const LEFT: f32 = 56.0;
pub(super) const RIGHT: f32 = PAGE.0 - 56.0;
pub(super) const WIDTH: f32 = RIGHT - LEFT;
const TOP: f32 = PAGE.1 - 60.0;
const BOTTOM: f32 = 76.0;
/// The foot has so many lines at most; what is longer ends in an ellipsis.
const FOOT_LINES: usize = 2;
const FOOT_SIZE: f32 = 7.5;
const FOOT_LEADING: f32 = 9.5;
/// What the number of the page takes of the foot's line.
const NUMBER_WIDTH: f32 = 90.0;

/// Pages, and where the next line goes.
pub(super) struct Sheets {
    pages: Vec<Content>,
    /// From the page's lower end, in points; what comes next hangs under it.
    y: f32,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) font: Font,
    pub(super) size: f32,
    /// From one line to the next.
    pub(super) leading: f32,
    /// 0 = black, 1 = white.
    pub(super) grey: f32,
}

impl Sheets {
    pub(super) fn new() -> Self {
        Self { pages: vec![Content::new()], y: TOP }
    }

    /// How much room there is on the page.
    pub(super) fn room(&self) -> f32 {
        self.y - BOTTOM
    }

    /// How much room there is on an empty page.
    pub(super) fn whole() -> f32 {
        TOP - BOTTOM
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(Content::new());
        self.y = TOP;
    }

    /// Turns the page where less than `height` is left, unless nothing is on it yet.
    pub(super) fn need(&mut self, height: f32) {
        if self.room() < height && self.y < TOP {
            self.turn();
        }
    }

    /// Leaves so much empty, except at the head of a page.
    pub(super) fn skip(&mut self, height: f32) {
        if self.y < TOP {
            self.y -= height;
        }
    }

    /// Takes so much of the page, which was written upon.
    pub(super) fn take(&mut self, height: f32) {
        self.y -= height;
    }

    /// Writes one line `below` where the page stands.
    pub(super) fn write(&mut self, line: &[u8], x: f32, below: f32, look: Look) {
        let y = self.y - below - look.size;
        text(self.page(), line, (x, y), look);
    }

    /// Writes a text between two edges, over as many pages as it takes.
    pub(super) fn flow(&mut self, text: &str, (x, width): (f32, f32), look: Look) {
        for line in wrapped(text, look.font, look.size, width) {
            self.need(look.leading);
            self.write(&line, x, 0.0, look);
            self.take(look.leading);
        }
    }

    /// A line across.
    pub(super) fn rule(&mut self, (from, to): (f32, f32), grey: f32) {
        let y = self.y;
        let page = self.page();
        page.set_stroke_gray(grey).set_line_width(0.5);
        page.move_to(from, y).line_to(to, y).stroke();
    }

    fn page(&mut self) -> &mut Content {
        if self.pages.is_empty() {
            self.pages.push(Content::new());
        }
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }

    /// The file: no date, no random id, so that the same pages are the same bytes.
    pub(super) fn finish(mut self, title: &str, foot: &str) -> Vec<u8> {
        let count = self.pages.len();
        for (place, page) in self.pages.iter_mut().enumerate() {
            footer(page, foot, &format!("page {} of {count}", place + 1));
        }
        let mut pdf = Pdf::new();
        let (catalog, tree, info) = (Ref::new(1), Ref::new(2), Ref::new(3));
        let fonts = [(Font::Plain, Ref::new(4)), (Font::Bold, Ref::new(5))];
        // Two objects a page, after those five.
        let of_page = |place: usize| i32::try_from(place).map_or(Ref::new(6), |place| Ref::new(6 + 2 * place));
        pdf.catalog(catalog).pages(tree).lang(TextStr("en")).viewer_preferences().display_doc_title(true);
        pdf.document_info(info).title(TextStr(title));
        pdf.pages(tree).kids((0..count).map(of_page)).count(i32::try_from(count).unwrap_or(i32::MAX));
        for (font, id) in fonts {
            pdf.type1_font(id).base_font(font.base()).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (place, content) in self.pages.into_iter().enumerate() {
            let id = of_page(place);
            let content_id = Ref::new(id.get() + 1);
            let mut page = pdf.page(id);
            page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(content_id);
            let mut resources = page.resources();
            let mut named = resources.fonts();
            for (font, id) in fonts {
                named.pair(font.name(), id);
            }
            named.finish();
            resources.finish();
            page.finish();
            pdf.stream(content_id, &content.finish());
        }
        pdf.finish()
    }
}

fn footer(page: &mut Content, foot: &str, number: &str) {
    let look = Look { font: Font::Plain, size: FOOT_SIZE, leading: FOOT_LEADING, grey: 0.4 };
    let mut lines = wrapped(foot, look.font, look.size, WIDTH - NUMBER_WIDTH);
    if lines.len() > FOOT_LINES {
        lines.truncate(FOOT_LINES);
        lines[FOOT_LINES - 1].extend(encoded("…"));
    }
    let mut y = BOTTOM - 30.0;
    page.set_stroke_gray(0.75).set_line_width(0.5);
    page.move_to(LEFT, y + 14.0).line_to(RIGHT, y + 14.0).stroke();
    let number = encoded(number);
    text(page, &number, (RIGHT - look.font.width(&number, look.size), y), look);
    for line in lines {
        text(page, &line, (LEFT, y), look);
        y -= look.leading;
    }
}

fn text(page: &mut Content, line: &[u8], (x, y): (f32, f32), look: Look) {
    if line.is_empty() {
        return;
    }
    page.set_fill_gray(look.grey);
    page.begin_text().set_text_rendering_mode(TextRenderingMode::Fill).set_font(look.font.name(), look.size);
    page.next_line(x, y).show(Str(line)).end_text();
}
