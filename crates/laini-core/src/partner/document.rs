use super::WordError;

/// What a document is, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentFormat {
    /// A PDF.
    Pdf,
    /// A photograph or scan.
    Jpeg,
    /// A picture.
    Png,
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentPurpose {
    /// That the organisation exists.
    Incorporation,
    /// Its KRA PIN.
    TaxPin,
    /// That it is registered with the data-protection commissioner.
    DataProtection,
    /// An agreement that was signed on paper.
    SignedAgreement,
    /// Something else.
    Other,
}

/// Why bytes are not taken as a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// Too many bytes.
    #[error("it is larger than 10 MiB; scan it with fewer dots per inch")]
    TooLarge,
    /// Neither of the formats, or its name says another one.
    #[error("it is no {0}; save it as PDF, JPEG or PNG, under a name that says which")]
    OtherFormat(&'static str),
    /// Something follows its end.
    #[error("something follows the end of the {0}; save it anew and send only that")]
    Trailing(&'static str),
    /// It breaks off, or its parts do not fit together.
    #[error("the {0} is incomplete or damaged; save it anew")]
    Damaged(&'static str),
    /// A picture that would fill the memory of whoever opens it.
    #[error("the picture has more than 50 million dots; scan it with fewer dots per inch")]
    TooManyDots,
    /// A PDF that does something.
    #[error("the PDF holds scripts or starts programs; print it into a new PDF")]
    Active,
}

impl DocumentPurpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::Incorporation, Self::TaxPin, Self::DataProtection, Self::SignedAgreement, Self::Other];

    /// The word in requests and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Incorporation => "incorporation",
            Self::TaxPin => "tax_pin",
            Self::DataProtection => "data_protection",
            Self::SignedAgreement => "signed_agreement",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let expected = "incorporation, tax_pin, data_protection, signed_agreement, other";
        Self::ALL.into_iter().find(|purpose| purpose.word() == word).ok_or(WordError { expected })
    }
}

impl DocumentFormat {
    /// The largest document.
    pub const BYTES_MAX: usize = 10 * 1024 * 1024;
    /// The most dots of a picture.
    const DOTS_MAX: u64 = 50_000_000;
    /// A PDF says so often where it ends, at its end.
    const PDF_END_BYTES: usize = 1_024;

    /// The type in HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The end of its names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
        }
    }

    /// What the end of a file's name says.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "pdf" => Some(Self::Pdf),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    /// Whether these bytes are a whole document of the format that the name says, and nothing else besides. Nothing is
    /// decompressed.
    pub fn inspect(name: &str, bytes: &[u8]) -> Result<Self, DocumentError> {
        let format = Self::of_name(name).ok_or(DocumentError::OtherFormat("PDF, JPEG or PNG"))?;
        match bytes.len() {
            0 => return Err(DocumentError::Empty),
            n if n > Self::BYTES_MAX => return Err(DocumentError::TooLarge),
            _ => {}
        }
        match format {
            Self::Pdf => pdf(bytes),
            Self::Jpeg => jpeg(bytes),
            Self::Png => png(bytes),
        }?;
        Ok(format)
    }

    fn dots(width: u32, height: u32) -> Result<(), DocumentError> {
        match u64::from(width) * u64::from(height) {
            0 => Err(DocumentError::Damaged("picture")),
            dots if dots > Self::DOTS_MAX => Err(DocumentError::TooManyDots),
            _ => Ok(()),
        }
    }
}

fn pdf(bytes: &[u8]) -> Result<(), DocumentError> {
    let word = DocumentFormat::Pdf.word();
    if !(bytes.starts_with(b"%PDF-1.") || bytes.starts_with(b"%PDF-2.")) {
        return Err(DocumentError::OtherFormat(word));
    }
    let last = |needle: &[u8]| bytes.windows(needle.len()).rposition(|found| found == needle);
    let end = last(b"%%EOF").ok_or(DocumentError::Damaged(word))?;
    let start = last(b"startxref").ok_or(DocumentError::Damaged(word))?;
    if start > end || end - start > DocumentFormat::PDF_END_BYTES {
        return Err(DocumentError::Damaged(word));
    }
    if !bytes[end + 5..].iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
        return Err(DocumentError::Trailing(word));
    }
    let is_active = [&b"/JavaScript"[..], b"/Launch"].iter().any(|name| last(name).is_some());
    if is_active { Err(DocumentError::Active) } else { Ok(()) }
}

fn png(bytes: &[u8]) -> Result<(), DocumentError> {
    let word = DocumentFormat::Png.word();
    let damaged = DocumentError::Damaged(word);
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n").ok_or(DocumentError::OtherFormat(word))?;
    let (mut is_first, mut has_data) = (true, false);
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(damaged)?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or(damaged)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| damaged)?;
        let body = after.get(..length).ok_or(damaged)?;
        // Behind the body stands a checksum.
        rest = after.get(length..).and_then(|after| after.get(4..)).ok_or(damaged)?;
        if is_first != (kind == b"IHDR") {
            return Err(damaged);
        }
        is_first = false;
        match kind {
            b"IHDR" => {
                let (width, after) = body.split_first_chunk::<4>().ok_or(damaged)?;
                let height = after.first_chunk::<4>().ok_or(damaged)?;
                DocumentFormat::dots(u32::from_be_bytes(*width), u32::from_be_bytes(*height))?;
            }
            b"IDAT" => has_data = true,
            b"IEND" if !has_data => return Err(damaged),
            b"IEND" if rest.is_empty() => return Ok(()),
            b"IEND" => return Err(DocumentError::Trailing(word)),
            _ => {}
        }
    }
}

fn jpeg(bytes: &[u8]) -> Result<(), DocumentError> {
    let word = DocumentFormat::Jpeg.word();
    let damaged = DocumentError::Damaged(word);
    let mut rest = bytes.strip_prefix(b"\xff\xd8").ok_or(DocumentError::OtherFormat(word))?;
    let (mut has_size, mut has_scan) = (false, false);
    loop {
        let (marker, after) = rest.split_first_chunk::<2>().ok_or(damaged)?;
        match *marker {
            [0xff, 0xff] => rest = &rest[1..],
            [0xff, 0xd9] if !(has_size && has_scan) => return Err(damaged),
            [0xff, 0xd9] if after.is_empty() => return Ok(()),
            [0xff, 0xd9] => return Err(DocumentError::Trailing(word)),
            [0xff, kind] => {
                let length = usize::from(u16::from_be_bytes(*after.first_chunk::<2>().ok_or(damaged)?));
                let body = after.get(2..length.max(2)).ok_or(damaged)?;
                rest = after.get(length.max(2)..).ok_or(damaged)?;
                if matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
                    let [_, high, low, wide, narrow, ..] = *body else { return Err(damaged) };
                    let size = |a, b| u32::from(u16::from_be_bytes([a, b]));
                    DocumentFormat::dots(size(wide, narrow), size(high, low))?;
                    has_size = true;
                }
                if kind == 0xda {
                    has_scan = true;
                    // What follows is the picture, up to the next marker that is none of its own.
                    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
                    let next = rest.windows(2).position(is_marker).ok_or(damaged)?;
                    rest = &rest[next..];
                }
            }
            _ => return Err(damaged),
        }
    }
}

#[cfg(test)]
mod tests;
