use std::cmp::Ordering;

use askama::Template;

use crate::visit::Visit;
use crate::words::TableWords;

/// A column by which a table is sorted: its word in the address, and which of two rows comes first.
pub(crate) type By<T> = (&'static str, fn(&T, &T) -> Ordering);

/// What stands behind the question mark and is no filter: which page it is, and what was just done.
const NO_FILTERS: [&str; 5] = ["after", "done", "retried", "saved", "sent"];

/// A table that can be sorted, as its page declares it.
pub(crate) struct Table<T: 'static> {
    /// What it is called in the address; also the beginning of its columns' ids. One of its own for each table of a
    /// page.
    pub(crate) name: &'static str,
    /// The columns there are.
    pub(crate) columns: &'static [By<T>],
    /// The order in which its rows come: a column, led by `-` where it descends; empty where it is none of them.
    pub(crate) comes: &'static str,
}

/// How a table is sorted: `?sort=column`, or `?sort=-column` where that descends. What is none of its columns is the
/// order in which its rows come.
pub(crate) struct Sorting<T: 'static> {
    table: &'static Table<T>,
    asked: Option<Order>,
    /// Whether what is known here is a part of the rows: these come in the order of the store alone, or turned round.
    is_part: bool,
    here: String,
    /// The filters of the page, encoded.
    filters: String,
    words: &'static TableWords,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    column: &'static str,
    descends: bool,
}

impl Order {
    fn turned(self) -> Self {
        Self { descends: !self.descends, ..self }
    }
}

impl<T: 'static> Table<T> {
    fn order(&self, asked: &str) -> Option<Order> {
        let (word, descends) = asked.strip_prefix('-').map_or((asked, false), |word| (word, true));
        let column = self.columns.iter().map(|(column, _)| *column).find(|column| *column == word)?;
        Some(Order { column, descends })
    }
}

impl<T: 'static> Sorting<T> {
    /// Sorts rows that are all known, as the visit to the page `here` asks.
    pub(crate) fn of(table: &'static Table<T>, visit: &Visit, here: impl Into<String>, rows: &mut [T]) -> Self {
        let mut sorting = Self::first(table, visit, here);
        sorting.sort(rows, false);
        sorting
    }

    /// What the visit to the page `here` asks, of rows that are still to be found, from the first on.
    pub(crate) fn first(table: &'static Table<T>, visit: &Visit, here: impl Into<String>) -> Self {
        Self { is_part: false, ..Self::asked(table, visit, here) }
    }

    /// What the visit to the page `here` asks, of rows of which the page that is asked for is still to be found.
    pub(crate) fn asked(table: &'static Table<T>, visit: &Visit, here: impl Into<String>) -> Self {
        Self::new(table, &visit.query, here.into(), &visit.language.words().tables)
    }

    fn new(table: &'static Table<T>, query: &[(String, String)], here: String, words: &'static TableWords) -> Self {
        let of = |name: &str| query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let mut filters = form_urlencoded::Serializer::new(String::new());
        for (name, value) in query {
            if name != table.name && !NO_FILTERS.contains(&name.as_str()) {
                filters.append_pair(name, value);
            }
        }
        let (asked, is_part) = (table.order(of(table.name)), !of("after").is_empty());
        Self { table, asked, is_part, here, filters: filters.finish(), words }
    }

    /// Whether the store is to give its rows from the other end.
    pub(crate) fn is_turned(&self) -> bool {
        self.asked.is_some() && self.asked == self.comes().map(Order::turned)
    }

    /// Sorts what was found; where that is a part of the rows, it stays in the order of the store.
    pub(crate) fn sort(&mut self, rows: &mut [T], has_more: bool) {
        self.is_part |= has_more;
        if self.is_part && !self.is_turned() {
            self.asked = None;
        }
        let Some(Order { column, descends }) = self.asked.filter(|_| !self.is_part) else { return };
        let Some((_, compare)) = self.table.columns.iter().find(|(known, _)| *known == column) else { return };
        let order = sorted(rows.len(), &|one, other| {
            let (one, other) = if descends { (other, one) } else { (one, other) };
            rows.get(one).zip(rows.get(other)).map_or(Ordering::Equal, |(one, other)| compare(one, other))
        });
        arrange(rows, &order);
    }

    /// The head of a column of words: from the first to the last at first.
    pub(crate) fn head(&self, column: &'static str, label: &'static str) -> SortedHead {
        self.head_of(column, label, "", false)
    }

    /// The head of a column of instants: the newest first at first.
    pub(crate) fn time(&self, column: &'static str, label: &'static str) -> SortedHead {
        self.head_of(column, label, "", true)
    }

    /// The head of a column of figures: the largest first at first.
    pub(crate) fn number(&self, column: &'static str, label: &'static str) -> SortedHead {
        self.head_of(column, label, "number", true)
    }

    /// What goes on in the address of a file or of the next page: `&sort=-column`, or nothing.
    pub(crate) fn and(&self) -> String {
        self.value().map(|value| format!("&{}={value}", self.table.name)).unwrap_or_default()
    }

    /// The same, where nothing else goes on: `?sort=-column`, or nothing.
    pub(crate) fn query(&self) -> String {
        self.value().map(|value| format!("?{}={value}", self.table.name)).unwrap_or_default()
    }

    /// The hidden field of a form of filters that keeps the order; the name and the value are words of ours.
    pub(crate) fn hidden(&self) -> String {
        let field = |value| format!("<input type=\"hidden\" name=\"{}\" value=\"{value}\">", self.table.name);
        self.value().map(field).unwrap_or_default()
    }

    fn value(&self) -> Option<String> {
        self.asked.map(|Order { column, descends }| format!("{}{column}", if descends { "-" } else { "" }))
    }

    fn comes(&self) -> Option<Order> {
        self.table.order(self.table.comes)
    }

    fn head_of(
        &self,
        column: &'static str,
        label: &'static str,
        class: &'static str,
        descends_first: bool,
    ) -> SortedHead {
        let is_sorted = self.asked.or(self.comes()).filter(|order| order.column == column);
        let next = is_sorted.map_or(Order { column, descends: descends_first }, Order::turned);
        let can = self.table.order(column).is_some() && (!self.is_part || is_sorted.is_some());
        let sign = if next.descends { "-" } else { "" };
        let and = if self.filters.is_empty() { "" } else { "&" };
        let (here, filters, name) = (&self.here, &self.filters, self.table.name);
        SortedHead {
            label,
            class,
            id: format!("{name}-{column}"),
            href: can.then(|| format!("{here}?{filters}{and}{name}={sign}{column}#{name}-{column}")),
            descends: is_sorted.map(|order| order.descends),
            title: if is_sorted.is_some() { self.words.turn } else { self.words.sort },
        }
    }
}

/// The places of so many rows in their order; those that are equal keep theirs. Compiled once and not for each table.
fn sorted(rows: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

/// Puts rows into an order, which names the place of each.
fn arrange<T>(rows: &mut [T], order: &[usize]) {
    let place_of = |at: usize| order.get(at).copied().unwrap_or(at);
    for at in 0..rows.len() {
        let mut from = place_of(at);
        // What stood there was swapped away already, to where its own place is taken from.
        while from < at {
            from = place_of(from);
        }
        rows.swap(at, from);
    }
}

/// The head of a column: a link that sorts by it, and an arrow where it does.
#[derive(Template)]
#[template(path = "parts/sorted_head.html")]
pub(crate) struct SortedHead {
    label: &'static str,
    class: &'static str,
    id: String,
    href: Option<String>,
    /// Whether the table is sorted by it, and descends.
    descends: Option<bool>,
    title: &'static str,
}

/// Which of two texts comes first, as people look for them.
pub(crate) fn by_text(one: &str, other: &str) -> Ordering {
    one.to_lowercase().cmp(&other.to_lowercase()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
