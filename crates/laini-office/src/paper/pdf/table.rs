use super::font::{Font, wrapped};
use super::sheet::{LEFT, Look, Sheets, WIDTH};
use crate::paper::Table;

const CELL: Look = Look { font: Font::Plain, size: 8.5, leading: 11.0, grey: 0.0 };
const HEAD: Look = Look { font: Font::Bold, ..CELL };
/// Above and below the lines of a cell.
const PADDING: f32 = 3.0;
/// Between two columns.
const GAP: f32 = 10.0;
/// A column of text is squeezed to this at most, where there is any other way.
const NARROWEST: f32 = 40.0;

/// Where a column stands.
struct Column {
    x: f32,
    width: f32,
    is_number: bool,
}

/// Draws a table; where it breaks over a page, its head is repeated.
pub(super) fn draw(sheets: &mut Sheets, table: &Table) {
    let columns = columns(table);
    let heads: Vec<&str> = table.columns.iter().map(|(head, _)| head.as_str()).collect();
    let head = Row::new(&columns, &heads, HEAD);
    // A head that fills the page leaves no room for rows.
    let repeated = (head.height() < Sheets::whole() / 3.0).then_some(&head);
    sheets.need(head.height() + 2.0 * CELL.leading + 2.0 * PADDING);
    head.draw(sheets, &columns, None);
    for row in &table.rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        Row::new(&columns, &cells, CELL).draw(sheets, &columns, repeated);
    }
    for (place, row) in table.sums.iter().enumerate() {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let row = Row::new(&columns, &cells, HEAD);
        if place == 0 {
            sheets.need(row.height());
            sheets.rule((LEFT, LEFT + WIDTH), 0.0);
        }
        row.draw(sheets, &columns, repeated);
    }
}

/// The lines of each cell.
struct Row {
    cells: Vec<Vec<Vec<u8>>>,
    look: Look,
}

impl Row {
    fn new(columns: &[Column], cells: &[&str], look: Look) -> Self {
        let cells = columns.iter().zip(cells).map(|(column, text)| wrapped(text, look.font, look.size, column.width));
        Self { cells: cells.collect(), look }
    }

    fn lines(&self) -> usize {
        self.cells.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn height(&self) -> f32 {
        height(self.lines(), self.look)
    }

    /// Draws it on one page if it fits on any, else over several.
    fn draw(&self, sheets: &mut Sheets, columns: &[Column], head: Option<&Self>) {
        let (mut done, lines) = (0, self.lines());
        let on_a_new_page = Sheets::whole() - head.map_or(0.0, Self::height);
        while done < lines {
            let rest = height(lines - done, self.look);
            let fits = rest <= sheets.room();
            let is_splittable = rest > on_a_new_page && sheets.room() >= height(1, self.look);
            if !fits && !is_splittable {
                sheets.turn();
                if let Some(head) = head {
                    head.draw(sheets, columns, None);
                }
            }
            let mut here = lines - done;
            while here > 1 && height(here, self.look) > sheets.room() {
                here -= 1;
            }
            self.draw_lines(sheets, columns, done, here);
            done += here;
        }
    }

    fn draw_lines(&self, sheets: &mut Sheets, columns: &[Column], from: usize, count: usize) {
        for (column, cell) in columns.iter().zip(&self.cells) {
            let mut below = PADDING;
            for line in cell.iter().skip(from).take(count) {
                let slack = column.width - self.look.font.width(line, self.look.size);
                let x = if column.is_number { column.x + slack } else { column.x };
                sheets.write(line, x, below, self.look);
                below += self.look.leading;
            }
        }
        sheets.take(height(count, self.look));
        sheets.rule((LEFT, LEFT + WIDTH), if self.look.font == Font::Bold { 0.3 } else { 0.85 });
    }
}

fn height(lines: usize, look: Look) -> f32 {
    f32::from(u16::try_from(lines).unwrap_or(u16::MAX)) * look.leading + 2.0 * PADDING
}

/// Columns of numbers are as wide as what stands in them; those of text share the rest.
fn columns(table: &Table) -> Vec<Column> {
    let natural: Vec<f32> = (0..table.columns.len()).map(|place| natural(table, place)).collect();
    let count = u16::try_from(natural.len()).unwrap_or(u16::MAX);
    let room = (WIDTH - GAP * f32::from(count.saturating_sub(1))).max(1.0);
    let is_number = |place: usize| table.columns.get(place).is_some_and(|(_, is_number)| *is_number);
    let of = |numbers: bool| (0..natural.len()).filter(move |place| is_number(*place) == numbers);
    let numbers: f32 = of(true).map(|place| natural[place]).sum();
    let texts = f32::from(u16::try_from(of(false).count()).unwrap_or(u16::MAX));
    let for_texts = room - numbers;
    // A column that wants less than its share has what it wants; the wide ones share what is left.
    let share = for_texts / texts.max(1.0);
    let is_modest = |place: &usize| natural[*place] <= share;
    let modest: f32 = of(false).filter(is_modest).map(|place| natural[place]).sum();
    let wide: f32 = of(false).filter(|place| !is_modest(place)).map(|place| natural[place]).sum();
    let width = |place: usize| match is_number(place) {
        // Too many numbers for the page: all are squeezed alike.
        _ if for_texts < texts * NARROWEST || texts == 0.0 => natural[place] * room / natural.iter().sum::<f32>(),
        true => natural[place],
        false if wide == 0.0 => natural[place] * for_texts / modest,
        false if is_modest(&place) => natural[place],
        false => natural[place] * (for_texts - modest) / wide,
    };
    let mut x = LEFT;
    let columns = (0..natural.len()).map(|place| {
        let column = Column { x, width: width(place), is_number: is_number(place) };
        x += column.width + GAP;
        column
    });
    columns.collect()
}

/// As wide as the widest of what stands in it.
fn natural(table: &Table, place: usize) -> f32 {
    let width = |text: &String, look: Look| look.font.width(&super::font::encoded(text), look.size);
    let head = table.columns.get(place).map_or(0.0, |(head, _)| width(head, HEAD));
    let rows = table.rows.iter().filter_map(|row| row.get(place)).map(|text| width(text, CELL));
    let sums = table.sums.iter().filter_map(|row| row.get(place)).map(|text| width(text, HEAD));
    // A hair more, so that rounding breaks no line; a long text is to wrap.
    rows.chain(sums).fold(head, f32::max).min(WIDTH) + 0.5
}
