use super::*;
use crate::words::ENGLISH;

type Row = (&'static str, u32);

static FRUIT: Table<Row> = Table {
    name: "sort",
    columns: &[("name", |one, other| by_text(one.0, other.0)), ("many", |one, other| one.1.cmp(&other.1))],
    comes: "-many",
};

fn asked(query: &str) -> Sorting<Row> {
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Sorting::new(&FRUIT, &query, "/fruit".to_owned(), &ENGLISH.tables)
}

/// The names in the order that a query comes to, where there are more rows or not.
fn sorted(query: &str, has_more: bool) -> Vec<&'static str> {
    let mut rows = [("mango", 9), ("Banana", 7), ("apple", 7), ("lime", 1)];
    asked(query).sort(&mut rows, has_more);
    rows.map(|row| row.0).to_vec()
}

#[test]
fn a_table_is_sorted_by_one_of_its_columns_or_stays_as_it_comes() {
    let as_it_comes = ["mango", "Banana", "apple", "lime"];
    let cases = [
        ("", as_it_comes),
        ("sort=name", ["apple", "Banana", "lime", "mango"]),
        ("sort=-name", ["mango", "lime", "Banana", "apple"]),
        // Rows that are alike stay in the order in which they came, whichever end comes first.
        ("sort=many", ["lime", "Banana", "apple", "mango"]),
        ("sort=-many", as_it_comes),
        ("sort=--many", as_it_comes),
        ("sort=price", as_it_comes),
        ("sort=NAME", as_it_comes),
        ("sort=-", as_it_comes),
        ("other=name", as_it_comes),
    ];
    for (query, order) in cases {
        assert_eq!(sorted(query, false), order, "{query}");
    }
}

#[test]
fn a_part_of_the_rows_is_never_sorted_and_turned_by_the_store_alone() {
    let as_it_comes = ["mango", "Banana", "apple", "lime"];
    for query in ["sort=name", "sort=many", "sort=-many", "sort=many&after=7.1", "sort=name&after=7.1"] {
        assert_eq!(sorted(query, true), as_it_comes, "{query}");
    }
    assert_eq!(sorted("sort=name&after=7.1", false), as_it_comes);
    for (query, is_turned) in [("", false), ("sort=many", true), ("sort=-many", false), ("sort=name", false)] {
        let mut sorting = asked(query);
        assert_eq!(sorting.is_turned(), is_turned, "{query}");
        sorting.sort(&mut [], true);
        assert_eq!(sorting.head("name", "Name").href, None);
        assert_eq!(sorting.and(), if is_turned { "&sort=many" } else { "" });
        let href = sorting.number("many", "Many").href.unwrap();
        assert!(href.starts_with(if is_turned { "/fruit?sort=-many#" } else { "/fruit?sort=many#" }), "{href}");
    }
}

#[test]
fn a_head_turns_what_it_sorts_and_keeps_the_filters() {
    let sorting = asked("state=a+b%26c&sent=7&saved=1&sort=name");
    let name = sorting.head("name", "Name");
    assert_eq!(name.href.as_deref(), Some("/fruit?state=a+b%26c&sort=-name#sort-name"));
    assert_eq!(name.descends, Some(false));
    let many = sorting.number("many", "Many");
    assert_eq!(many.href.as_deref(), Some("/fruit?state=a+b%26c&sort=-many#sort-many"));
    assert_eq!(many.descends, None);
    assert_eq!(asked("").number("many", "Many").descends, Some(true));
    let html = asked("x=%22%3E%3Cb%3E").head("name", "Name").to_string();
    assert!(html.contains("href=\"/fruit?x=%22%3E%3Cb%3E&#38;sort=name#sort-name\""), "{html}");
    let html = name.to_string();
    assert!(html.starts_with("<th aria-sort=\"ascending\" id=\"sort-name\"><a class=\"sorts\""), "{html}");
    assert!(html.trim_end().ends_with("Name<span aria-hidden=\"true\">▲</span></a></th>"), "{html}");
}

#[test]
fn many_rows_come_into_the_order_that_a_stable_sort_gives() {
    for count in [0, 1, 2, 7, 100, 257] {
        let rows: Vec<Row> = (0..count).map(|at| (["pear", "fig", "kiwi"][at as usize % 3], at * 7_919 % 13)).collect();
        for query in ["sort=name", "sort=-name", "sort=many"] {
            let (mut ours, mut theirs) = (rows.clone(), rows.clone());
            asked(query).sort(&mut ours, false);
            match query {
                "sort=name" => theirs.sort_by(|one, other| by_text(one.0, other.0)),
                "sort=-name" => theirs.sort_by(|one, other| by_text(other.0, one.0)),
                _ => theirs.sort_by_key(|row| row.1),
            }
            assert_eq!(ours, theirs, "{count} rows, {query}");
        }
    }
}
