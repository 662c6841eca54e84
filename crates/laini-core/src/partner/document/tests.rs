use super::*;

fn pdf_of(body: &str) -> Vec<u8> {
    format!("%PDF-1.7\n1 0 obj\n{body}\nendobj\nstartxref\n9\n%%EOF\n").into_bytes()
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], &kind, body, &[0; 4]].concat()
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &head), chunk(*b"IDAT", &[1, 2, 3]), chunk(*b"IEND", &[])].concat()
}

fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let size = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    let length = u16::try_from(size.len() + 2).unwrap().to_be_bytes();
    [
        &b"\xff\xd8\xff\xe0\x00\x04AB"[..],
        &[0xff, 0xc0],
        &length,
        &size,
        b"\xff\xda\x00\x03\x01",
        b"data\xff\x00more\xff\xd0more",
        b"\xff\xd9",
    ]
    .concat()
}

fn with(mut bytes: Vec<u8>, more: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(more);
    bytes
}

fn without_last(bytes: &[u8], count: usize) -> Vec<u8> {
    bytes[..bytes.len() - count].to_vec()
}

#[test]
fn whole_documents_are_taken() {
    let good = [
        ("certificate.pdf", pdf_of("<< >>"), DocumentFormat::Pdf),
        ("Certificate.PDF", with(pdf_of("<< >>"), b"\r\n\0"), DocumentFormat::Pdf),
        ("scan.png", png_of(2_480, 3_508), DocumentFormat::Png),
        ("scan.jpg", jpeg_of(2_480, 3_508), DocumentFormat::Jpeg),
        ("scan.jpeg", jpeg_of(1, 1), DocumentFormat::Jpeg),
        ("largest.png", png_of(10_000, 5_000), DocumentFormat::Png),
    ];
    for (name, bytes, format) in good {
        assert_eq!(DocumentFormat::inspect(name, &bytes), Ok(format), "{name}");
    }
}

#[test]
fn bad_documents_are_refused() {
    use DocumentError as E;
    let script = b"#!/bin/sh\nrm -rf /\n".to_vec();
    let html = b"<!doctype html><script>alert(1)</script>".to_vec();
    let zip = b"PK\x03\x04zip".to_vec();
    let bad = [
        ("nothing.pdf", Vec::new(), E::Empty),
        ("a script named.pdf", script.clone(), E::OtherFormat("PDF")),
        ("a script named.png", script.clone(), E::OtherFormat("PNG")),
        ("a script named.jpg", script, E::OtherFormat("JPEG")),
        ("a page named.pdf", html.clone(), E::OtherFormat("PDF")),
        ("a PDF named.png", pdf_of("<< >>"), E::OtherFormat("PNG")),
        ("a PNG named.jpg", png_of(1, 1), E::OtherFormat("JPEG")),
        ("a JPEG named.pdf", jpeg_of(1, 1), E::OtherFormat("PDF")),
        ("program.exe", b"MZ".to_vec(), E::OtherFormat("PDF, JPEG or PNG")),
        ("picture.svg", html.clone(), E::OtherFormat("PDF, JPEG or PNG")),
        ("no name at all", pdf_of("<< >>"), E::OtherFormat("PDF, JPEG or PNG")),
        ("certificate.pdf.html", pdf_of("<< >>"), E::OtherFormat("PDF, JPEG or PNG")),
        ("bytes before.pdf", [&b"GIF89a"[..], &pdf_of("<< >>")].concat(), E::OtherFormat("PDF")),
        ("a page before.pdf", [html.clone(), pdf_of("<< >>")].concat(), E::OtherFormat("PDF")),
        ("an archive behind.pdf", with(pdf_of("<< >>"), &zip), E::Trailing("PDF")),
        ("an archive behind.png", with(png_of(1, 1), &zip), E::Trailing("PNG")),
        ("a page behind.jpg", with(jpeg_of(1, 1), &html), E::Trailing("JPEG")),
        ("cut off.pdf", without_last(&pdf_of("<< >>"), 8), E::Damaged("PDF")),
        ("only a head.pdf", b"%PDF-1.7\n".to_vec(), E::Damaged("PDF")),
        ("no table.pdf", b"%PDF-1.7\n%%EOF".to_vec(), E::Damaged("PDF")),
        ("cut off.png", without_last(&png_of(1, 1), 1), E::Damaged("PNG")),
        ("cut off early.png", png_of(1, 1)[..30].to_vec(), E::Damaged("PNG")),
        ("no picture.png", [&png_of(1, 1)[..33], &chunk(*b"IEND", &[])].concat(), E::Damaged("PNG")),
        ("no head.png", [&b"\x89PNG\r\n\x1a\n"[..], &chunk(*b"IDAT", &[1])].concat(), E::Damaged("PNG")),
        ("cut off.jpg", without_last(&jpeg_of(1, 1), 2), E::Damaged("JPEG")),
        ("only a head.jpg", b"\xff\xd8\xff\xe0".to_vec(), E::Damaged("JPEG")),
        ("no picture.jpg", b"\xff\xd8\xff\xd9".to_vec(), E::Damaged("JPEG")),
        ("a bomb.png", png_of(100_000, 100_000), E::TooManyDots),
        ("a bomb whose dots overflow.png", png_of(u32::MAX, u32::MAX), E::TooManyDots),
        ("a bomb.jpg", jpeg_of(65_535, 65_535), E::TooManyDots),
        ("no dots.png", png_of(0, 5), E::Damaged("picture")),
        ("a script inside.pdf", pdf_of("<< /S /JavaScript /JS (app.alert(1)) >>"), E::Active),
        ("starts a program.pdf", pdf_of("<< /S /Launch /F (cmd.exe) >>"), E::Active),
        ("too large.pdf", with(pdf_of("<< >>"), &vec![b' '; DocumentFormat::BYTES_MAX]), E::TooLarge),
    ];
    for (name, bytes, why) in &bad {
        assert_eq!(DocumentFormat::inspect(name, bytes), Err(*why), "{name}");
    }
    println!("family=\"bad documents\" cases={} failures=0 seed=none", bad.len());
}

#[test]
fn a_document_that_is_cut_anywhere_is_refused() {
    for (name, whole) in [("a.pdf", pdf_of("<< >>")), ("a.png", png_of(3, 4)), ("a.jpg", jpeg_of(3, 4))] {
        // What may be missing at the end of a PDF is its last line's end.
        let needed = if name == "a.pdf" { whole.len() - 1 } else { whole.len() };
        for length in 0..needed {
            assert!(DocumentFormat::inspect(name, &whole[..length]).is_err(), "{name} of {length} bytes");
        }
    }
}
