use laini_office::{Page, PageRequest, Problem};

use crate::answer::Answer;

/// Rows of a file at most.
pub(crate) const ROWS_MAX: usize = 20_000;

/// What a file has of a list: its pages one after the other, and whether there is more than fits.
pub(crate) fn gathered<T>(
    is_turned: bool,
    mut of_page: impl FnMut(PageRequest) -> Result<Page<T>, Problem>,
) -> Result<(Vec<T>, bool), Problem> {
    let (mut rows, mut request) = (Vec::new(), PageRequest { is_turned, ..PageRequest::LONGEST });
    for _ in 0..ROWS_MAX / PageRequest::LIMIT_MAX {
        let found = of_page(request)?;
        rows.extend(found.items);
        request.after = found.next;
        if request.after.is_none() {
            return Ok((rows, false));
        }
    }
    Ok((rows, true))
}

/// The file of this name: the head, and what `push` writes of each row.
pub(crate) fn file<'h, T>(
    name: &str,
    head: impl IntoIterator<Item = &'h str>,
    rows: &[T],
    push: impl Fn(&mut String, &T),
) -> Answer {
    let mut csv = String::new();
    push_line(&mut csv, head);
    for row in rows {
        push(&mut csv, row);
    }
    Answer::file("text/csv; charset=utf-8", name.to_owned(), csv)
}

/// A line of comma-separated values (RFC 4180). What a spreadsheet would take for a formula is led by a quote.
pub(crate) fn push_line<'a>(csv: &mut String, values: impl IntoIterator<Item = &'a str>) {
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            csv.push(',');
        }
        let is_formula = value.starts_with(['=', '+', '-', '@', '\t']);
        if is_formula || value.contains([',', '"', '\r', '\n']) {
            csv.push('"');
            csv.push_str(if is_formula { "'" } else { "" });
            csv.push_str(&value.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(value);
        }
    }
    csv.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use laini_office::Cursor;

    use super::*;

    #[test]
    fn a_file_has_the_pages_of_a_list_until_they_end_or_it_is_full() {
        let list = |rows: usize| {
            gathered(false, move |request: PageRequest| {
                let after = request.after.map(|after| after.to_string());
                let first = after.map_or(0, |after| after.trim_end_matches(".0").parse().unwrap());
                let end = rows.min(first + request.limit);
                let next = (end < rows).then(|| Cursor::parse(&format!("{end}.0")).unwrap());
                Ok(Page { items: (first..end).collect(), next })
            })
            .unwrap()
        };
        assert_eq!(list(0), (Vec::new(), false));
        assert_eq!(list(501), ((0..501).collect(), false));
        assert_eq!(list(ROWS_MAX), ((0..ROWS_MAX).collect(), false));
        assert_eq!(list(ROWS_MAX + 1), ((0..ROWS_MAX).collect(), true));
    }

    #[test]
    fn what_would_end_a_value_or_be_computed_is_quoted() {
        let mut csv = String::new();
        push_line(&mut csv, ["a", "b, c", "say \"no\"", "", "=1+1", "two\nlines"]);
        assert_eq!(csv, "a,\"b, c\",\"say \"\"no\"\"\",,\"'=1+1\",\"two\nlines\"\r\n");
    }
}
