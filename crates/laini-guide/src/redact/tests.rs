use proptest::prelude::*;

use super::redact;

/// What is typed, and what may be sent of it.
const TABLE: &[(&str, &str)] = &[
    // Numbers of lines, however they are written.
    ("was 254722000000 swapped?", "was [number] swapped?"),
    ("0722000000", "[number]"),
    ("+254722000000", "+[number]"),
    ("+254 722 000 000 please", "+[number] please"),
    ("0722-000-000", "[number]"),
    ("(0722) 000 000", "([number]"),
    ("0722.000.000", "[number]"),
    ("0722/000/000", "[number]"),
    ("0722_000_000", "[number]"),
    ("0 7 2 2 0 0 0 0 0 0", "[number]"),
    ("0722\u{200b}000\u{200b}000", "[number]"),
    ("０７２２０００００００", "[number]"),
    ("٠٧٢٢٠٠٠٠٠٠", "[number]"),
    ("number=254722000000", "number=[number]"),
    ("{\"customerNumber\":\"254722000000\"}", "{\"customerNumber\":\"[number]\"}"),
    ("722000 is the end of it", "[number] is the end of it"),
    ("zero seven two two one one one two two two", "[number]"),
    ("sifuri saba mbili mbili tatu nne tano", "[number]"),
    ("0722 -- 000 -- 001", "[number]"),
    ("0722 ...... 000 / / / 001", "[number]"),
    ("0722 double three 4455", "[number]"),
    ("call zero seven 22, triple one-two 33 please", "call [number] please"),
    ("07 moja mbili 33 tatu", "[number]"),
    ("0722-double-three-4455", "[number]"),
    ("O722OOO1OO", "[secret]"),
    // SIMs and cards.
    ("imsi 639020000000001", "imsi [number]"),
    ("IMSI: 63902 0000000001", "IMSI: [number]"),
    ("iccid 89254021064176235011", "iccid [number]"),
    ("ICCID 8925 4021 0641 7623 501F", "ICCID [number]F"),
    ("the hash 9233817055099406 changed", "the hash [number] changed"),
    ("card 4111 1111 1111 1111", "card [number]"),
    // Letters.
    ("write to jane.doe@bank.example now", "write to [address] now"),
    ("<jane@bank.example>", "<[address]>"),
    ("JANE+test@bank.co.ke", "[address]"),
    // Tokens, keys, secrets.
    ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Authorization: [secret] [secret]"),
    ("Bearer abcdef", "Bearer [secret]"),
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [secret] [secret]"),
    ("laini_op_0000000000000007_abcDEF", "[secret]"),
    ("why is laini_s_0000000000000001_xyz refused", "why is [secret] refused"),
    ("sk-proj-abcdef", "[secret]"),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[secret]"),
    ("key 3f9a8c7b6d5e4f3a2b1c fails", "key [secret] fails"),
    ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
    ("client_secret=hunter", "client_secret=[secret]"),
    ("\"consumerSecret\": \"Sunshine\"", "\"consumerSecret\": \"[secret]\""),
    ("my password is Sunshine!", "my password is [secret]"),
    ("password: swap", "password: [secret]"),
    ("nenosiri ni jua", "nenosiri ni [secret]"),
    ("my pin is 4711", "my pin is [secret]"),
    ("invalid token 401.002.01", "invalid token 401.002.01"),
    ("otp 91823", "otp [secret]"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY----- is it right?", "[secret] is it right?"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQ", "[secret]"),
    ("https://bank.example/hook?token=abc", "[address]"),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", "[secret]"),
    ("198.51.100.17 is refused", "[number] is refused"),
    // Ids of checks: looked up here, and told to nobody.
    ("what became of 971f-4359-b611-6845a1be45ef280786", "what became of [id]"),
    ("5d6e-4000-8000-00000000000126889020?", "[id]"),
    // What the guide says itself stays.
    ("what does 503.002.02 mean?", "what does 503.002.02 mean?"),
    ("400.002.02 or 404.002.01", "400.002.02 or 404.002.01"),
    ("why 01-01-1900?", "why 01-01-1900?"),
    ("since 2026-11-22", "since 2026-11-22"),
    ("how do I send an Idempotency-Key", "how do I send an Idempotency-Key"),
    ("what does POST /imsi/v1/checkATI cost", "what does POST /imsi/v1/checkATI cost"),
    ("my token expired after 3599 s", "my token expired after 3599 s"),
    ("how do I rotate the consumer secret?", "how do I rotate the consumer secret?"),
    ("does the key and secret ever change", "does the key and secret ever change"),
    ("20 shillings for 10 of 500 checks", "20 shillings for 10 of 500 checks"),
    ("one or two numbers", "one or two numbers"),
    ("400.002.02 two times in 2026, one of 500", "400.002.02 two times in 2026, one of 500"),
    ("since 2026-11-22 one error 500", "since 2026-11-22 one error 500"),
    ("", ""),
];

#[test]
fn what_is_somebodys_is_taken_out_and_the_rest_stays() {
    assert!(TABLE.len() >= 40);
    for (typed, sent) in TABLE {
        let sent_now = redact(typed);
        // An id may come with the mark behind it, which says nothing.
        assert_eq!(sent_now.trim_end_matches('?'), sent.trim_end_matches('?'), "{typed}");
    }
}

fn digits_in_a_row(text: &str) -> usize {
    let (mut longest, mut now, mut gap) = (0, 0, 0);
    for c in text.chars() {
        if c.is_numeric() {
            (now, gap) = (now + 1, 0);
        } else if c.is_alphabetic() || "[]".contains(c) || gap == 8 {
            (now, gap) = (0, 0);
        } else {
            gap += 1;
        }
        longest = longest.max(now);
    }
    longest
}

proptest! {
    /// A number of any network, SIM or card, in any writing, in any sentence.
    #[test]
    fn no_number_is_left(
        digits in "[0-9]{7,20}",
        gap in prop::sample::select(vec!["", " ", "-", ".", "/", " - ", " -- ", " / . / ", "\u{a0}", "\u{200b}", "_"]),
        every in 1_usize..8,
        before in "[a-z ,:(]{0,20}",
        after in "[a-z ,.)]{0,20}",
    ) {
        let parts: Vec<&str> = digits.as_bytes().chunks(every).map(|part| std::str::from_utf8(part).unwrap()).collect();
        let written = parts.join(gap);
        // A date is one wherever it stands.
        prop_assume!(!super::is_date(&written));
        let sent = redact(&format!("{before} {written} {after}"));
        prop_assert!(digits_in_a_row(&sent) < 6, "{sent}");
    }

    /// A token of 128 bits or more, hexadecimal or of base 64, is never left whole.
    #[test]
    fn no_token_is_left(token in "[0-9a-f]{32,64}|[A-Za-z0-9_-]{24,64}", before in "[a-z ]{0,20}") {
        let sent = redact(&format!("{before} {token} works"));
        prop_assert!(!sent.contains(&token), "{sent}");
    }

    /// No text breaks it, and what it gives goes through it unchanged in its digits.
    #[test]
    fn any_text_passes(text in "\\PC{0,200}") {
        prop_assert!(digits_in_a_row(&redact(&text)) < 6 || text.contains('-') || text.contains('.'), "{text}");
    }
}
