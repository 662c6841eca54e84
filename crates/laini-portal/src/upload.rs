use bytes::Bytes;
use memchr::memmem;

/// Parts of a form, beyond which it is none of ours.
const PARTS_MAX: usize = 32;

/// A file that came with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// What it is called on the machine that it came from.
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// The fields of a form, and the file that came with it.
pub(crate) type FormWithFile = (Vec<(String, String)>, Option<Upload>);

/// What separates the parts of a form, as its `Content-Type` says; `None` = it is no form with a file.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (media_type, rest) = content_type.split_once(';')?;
    let value = media_type.trim().eq_ignore_ascii_case("multipart/form-data").then(|| rest.trim())?;
    let value = value.strip_prefix("boundary=")?.trim_matches('"');
    (1..=70).contains(&value.len()).then_some(value)
}

/// Reads a form with a file as browsers send it (RFC 7578); `None` = it is damaged. A file that nobody chose is none.
pub(crate) fn parse(boundary: &str, body: &Bytes) -> Option<FormWithFile> {
    let delimiter = format!("\r\n--{boundary}");
    let (mut fields, mut file, mut at) = (Vec::new(), None, 0);
    for _ in 0..=PARTS_MAX {
        match part(&delimiter, body, at).ok()? {
            None => return None,
            Some(Part::End) => return Some((fields, file)),
            Some(Part::Field(field, next)) => {
                fields.extend(field);
                at = next;
            }
            Some(Part::File(name, begins)) => {
                let ends = begins + memmem::find(&body[begins..], delimiter.as_bytes())?;
                file = Some(Upload { name, bytes: body.slice(begins..ends) });
                at = ends;
            }
        }
    }
    None
}

/// A part of a form.
pub(crate) enum Part {
    /// None: the form ends.
    End,
    /// A field, nothing where it is a file that nobody chose; and where the delimiter after it begins.
    Field(Option<(String, String)>, usize),
    /// A file: what it is called, and where its content begins.
    File(String, usize),
}

/// A form that is none, however much of it is still to come.
pub(crate) struct Damaged;

/// The part after the delimiter at `at`; before the first one there is no line break. `None` = more of it must come.
pub(crate) fn part(delimiter: &str, body: &[u8], at: usize) -> Result<Option<Part>, Damaged> {
    let delimiter = delimiter.as_bytes();
    let marks = if at == 0 { &delimiter[2..] } else { delimiter };
    let rest = &body[at..];
    // Two more: a line break, or the end.
    if rest.len() < marks.len() + 2 {
        return if marks.starts_with(&rest[..rest.len().min(marks.len())]) { Ok(None) } else { Err(Damaged) };
    }
    let rest = rest.strip_prefix(marks).ok_or(Damaged)?;
    if rest.starts_with(b"--") {
        return Ok(Some(Part::End));
    }
    let rest = rest.strip_prefix(b"\r\n").ok_or(Damaged)?;
    let Some(head_bytes) = memmem::find(rest, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&rest[..head_bytes]).map_err(|_| Damaged)?;
    let begins = body.len() - rest.len() + head_bytes + 4;
    let (name, file) = (parameter(head, "name").ok_or(Damaged)?, parameter(head, "filename"));
    if let Some(file) = file.clone().filter(|file| !file.is_empty()) {
        return Ok(Some(Part::File(file, begins)));
    }
    let Some(length) = memmem::find(&body[begins..], delimiter) else { return Ok(None) };
    let ends = begins + length;
    let value = std::str::from_utf8(&body[begins..ends]).map_err(|_| Damaged)?;
    Ok(Some(Part::Field(file.is_none().then(|| (name, value.to_owned())), ends)))
}

/// A parameter of the part's disposition. Browsers write quotes and line breaks in it with per cent signs.
fn parameter(head: &str, name: &str) -> Option<String> {
    let disposition = head
        .lines()
        .find(|line| line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:")));
    let wanted = format!("; {name}=\"");
    let (_, value) = disposition?.split_once(wanted.as_str())?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(parts: &[(&str, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (head, content) in parts {
            body.extend_from_slice(format!("--x-1\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x-1--\r\n");
        Bytes::from(body)
    }

    #[test]
    fn fields_and_the_file_are_told_apart() {
        let file: &[u8] = b"%PDF\r\n\r\n--x-2 \xff\x00";
        let head = "name=\"file\"; filename=\"a; name=%22b.pdf\"\r\nContent-Type: application/pdf";
        let body = form(&[("name=\"purpose\"", "tax_pin".as_bytes()), (head, file)]);
        let (fields, upload) = parse("x-1", &body).unwrap();
        assert_eq!(fields, [("purpose".to_owned(), "tax_pin".to_owned())]);
        let upload = upload.unwrap();
        assert_eq!((upload.name.as_str(), &*upload.bytes), ("a; name=\"b.pdf", file));
        let (_, none) = parse("x-1", &form(&[("name=\"file\"; filename=\"\"", b"")])).unwrap();
        assert_eq!(none, None);
    }

    #[test]
    fn what_breaks_off_is_no_form() {
        let whole = form(&[("name=\"csrf\"", b"abc"), ("name=\"file\"; filename=\"a.pdf\"", b"%PDF")]);
        for end in 0..whole.len() - 4 {
            assert_eq!(parse("x-1", &whole.slice(..end)), None, "{end}");
        }
        assert_eq!(parse("x-2", &whole), None);
        let many = form(&vec![("name=\"a\"", b"b".as_slice()); PARTS_MAX + 2]);
        assert_eq!(parse("x-1", &many), None);
    }

    #[test]
    fn the_boundary_stands_in_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKitFormBoundaryX"), Some("----WebKitFormBoundaryX"));
        assert_eq!(boundary("Multipart/Form-Data; boundary=\"x-1\""), Some("x-1"));
        for other in ["multipart/form-data", "application/json", "multipart/form-data; boundary=", "text/plain; a=b"] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
