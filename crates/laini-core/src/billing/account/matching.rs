/// How many numbers are looked for in one text.
const NUMBERS_MAX: usize = 8;
/// The longest number that an invoice can have, in digits.
const DIGITS_MAX: usize = 18;

/// What a payer wrote as its reference, in the form in which references are compared: capital letters and digits
/// alone.
pub fn normal_reference(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// The invoices that a payer's text names: `INV-17`, `invoice no. 17`, `#17`; digits alone count where they are the
/// whole text.
pub fn invoice_numbers(text: &str) -> Vec<u64> {
    let text = text.trim();
    if let Some(number) = number(text) {
        return vec![number];
    }
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut rest = lower.as_str();
    while let Some(begins) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[begins..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| begins + end);
        let is_new = |number: &u64| !found.contains(number);
        if let Some(number) = number(&rest[begins..digits]).filter(is_new).filter(|_| names_invoice(&rest[..begins])) {
            found.push(number);
        }
        if found.len() == NUMBERS_MAX {
            break;
        }
        rest = &rest[digits..];
    }
    found
}

/// Whether what stands before a number says that it is an invoice's.
fn names_invoice(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '-', '_', '/', '.', ':', '#']);
    let before = before.strip_suffix("number").or_else(|| before.strip_suffix("no")).unwrap_or(before);
    let word = before.trim_end_matches([' ', '-', '_', '/', '.', ':', '#']);
    let word = word.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    matches!(word, "inv" | "invoice" | "invoices")
}

fn number(digits: &str) -> Option<u64> {
    let fits = (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}
