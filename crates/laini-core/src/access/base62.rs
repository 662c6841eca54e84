//! Letters and digits only, in blocks of 8 bytes and 11 characters: one text per value, no padding.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes blocks of 8 bytes as 11 letters and digits each.
pub(super) fn encode(blocks: &[u64]) -> String {
    let mut text = String::with_capacity(blocks.len() * 11);
    for block in blocks {
        let mut rest = *block;
        let mut digits = [b'0'; 11];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[usize::try_from(rest % 62).unwrap_or(0)];
            rest /= 62;
        }
        text.extend(digits.iter().map(|digit| char::from(*digit)));
    }
    text
}

/// Reads `N` blocks back; `None` for any other length, character or an overflowing block.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u64; N]> {
    if text.len() != N * 11 {
        return None;
    }
    let mut blocks = [0u64; N];
    for (block, digits) in blocks.iter_mut().zip(text.as_bytes().chunks_exact(11)) {
        for digit in digits {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'A'..=b'Z' => digit - b'A' + 10,
                b'a'..=b'z' => digit - b'a' + 36,
                _ => return None,
            };
            *block = block.checked_mul(62)?.checked_add(u64::from(value))?;
        }
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn every_value_has_one_text(blocks in any::<[u64; 3]>(), text in "[0-9A-Za-z]{33}|\\PC{30,34}") {
            prop_assert_eq!(decode::<3>(&encode(&blocks)), Some(blocks));
            if let Some(read) = decode::<3>(&text) {
                prop_assert_eq!(encode(&read), text);
            }
        }
    }
}
