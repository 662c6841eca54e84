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
    use super::*;

    #[test]
    fn what_would_end_a_value_or_be_computed_is_quoted() {
        let mut csv = String::new();
        push_line(&mut csv, ["a", "b, c", "say \"no\"", "", "=1+1", "two\nlines"]);
        assert_eq!(csv, "a,\"b, c\",\"say \"\"no\"\"\",,\"'=1+1\",\"two\nlines\"\r\n");
    }
}
