use super::*;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn rules() -> SnapshotRules {
    let zone = TimeZone::get("Africa/Nairobi").unwrap();
    let now = "2026-11-22T09:00:00Z".parse().unwrap();
    SnapshotRules { plan: NumberPlan::KENYA, instants: Instants::new(zone, now), workers: 2 }
}

fn read(text: &[u8]) -> Result<ParsedBlock, SnapshotError> {
    let mut all = ParsedBlock::default();
    read_snapshot(
        text,
        &rules(),
        |_| Ok(()),
        |block| {
            all.rows.extend(block.rows);
            all.rejected.extend(block.rejected);
            all.newest = all.newest.max(block.newest);
            Ok::<_, SnapshotError>(())
        },
    )?;
    Ok(all)
}

#[test]
fn a_dirty_extract_is_read() {
    let text = b"\xef\xbb\xbfStatus, IMSI ,MSISDN,region,registered_AT,last_swap_at,swap_cause\r\n\
        active,639021860913909,254712601815,\"Rift \"\"Valley\"\"\",2014-07-06T06:02:05+03:00,,\r\n\
        ,639029351819093,0703082462,\"Coast, North\",2013-02-01,2021-01-30T10:46:28+03:00,port_in\r\n\
        SUSPENDED,639029351819094, +254 703 082 463 ,x,2013-02-01T00:00:00Z,,";
    let all = read(text).unwrap();
    assert_eq!(all.rejected, []);
    let numbers: Vec<u64> = all.rows.iter().map(|row| row.msisdn.as_u64()).collect();
    assert_eq!(numbers, [254_712_601_815, 254_703_082_462, 254_703_082_463]);
    assert_eq!(all.rows[0].last_swap, Some(None));
    assert_eq!(all.rows[1].last_swap.flatten().map(|s| s.cause), Some(SwapCause::PortIn));
    assert_eq!(all.rows[2].status, LineStatus::Suspended);
    assert_eq!(all.newest, Some("2021-01-30T07:46:28Z".parse().unwrap()));
}

#[test]
fn refused_rows_say_line_and_reason_and_nothing_personal() {
    let text = b"msisdn,imsi,registered_at,last_swap_at,status\n\
        254712601815,639021860913909,2014-07-06,,active\n\
        2547126,639021860913909,2014-07-06,,active\n\
        254712601816,63902,2014-07-06,,active\n\
        254712601817,639021860913909,31/02/2014,,active\n\
        254712601818,639021860913909,2030-01-01,,active\n\
        254712601819,639021860913909,2014-07-06,,sleeping\n\
        254712601820,639021860913909\n\
        254712601821,639021860913909,,,active\n\
        2547126018\xff\xff,639021860913909,2014-07-06,,active\n";
    let all = read(text).unwrap();
    assert_eq!(all.rows.len(), 1);
    let lines: Vec<(u64, bool)> = all.rejected.iter().map(|r| (r.line, r.msisdn.is_some())).collect();
    assert_eq!(lines, [(3, false), (4, true), (5, true), (6, true), (7, true), (8, true), (9, true), (10, false)]);
    for rejected in &all.rejected {
        assert!(!rejected.reason.contains("2547126018") && !rejected.reason.contains("63902"), "{}", rejected.reason);
    }
    assert!(all.rejected[3].reason.contains("future"));
}

#[test]
fn lines_are_counted_alike_whatever_ends_them() {
    let bad = "2547126,639021860913909,2014-07-06";
    for end in ["\n", "\r\n"] {
        let text = ["msisdn,imsi,registered_at,note", bad, "", bad, "x,\"two", "lines\"", bad].join(end);
        let lines: Vec<u64> = read(text.as_bytes()).unwrap().rejected.iter().map(|r| r.line).collect();
        assert_eq!(lines, [2, 4, 5, 7], "{end:?}");
    }
}

#[test]
fn rows_that_a_quotation_mark_takes_in_are_refused_by_number() {
    let number = |n: u64| 254_712_601_800 + n;
    let row = |n: u64| format!("{},639021860913909,2014-07-06,", number(n));
    let header = "msisdn,imsi,registered_at,note";
    let refused = |lines: &[String], end: &str| {
        let all = read([&[header.to_owned()], lines].concat().join(end).as_bytes()).unwrap();
        let refused: Vec<_> = all.rejected.iter().map(|r| (r.line, r.msisdn.map(Msisdn::as_u64))).collect();
        for rejected in all.rejected {
            assert!(!rejected.reason.contains("2547126018"), "{}", rejected.reason);
        }
        (all.rows.len(), refused)
    };
    for end in ["\n", "\r\n"] {
        // In the last field, to the end of the file: the first row alone would be good.
        let lines = [row(1), row(2) + "\"lost", row(3), row(4)];
        let expected = (1, vec![(3, Some(number(2))), (4, Some(number(3))), (5, Some(number(4)))]);
        assert_eq!(refused(&lines, end), expected, "{end:?}");
        // In the first field, and up to the next quotation mark, which begins a field.
        let lines = ["\"".to_owned() + &row(1), row(2), row(3) + "\"a note\"", row(4)];
        let expected = (1, vec![(2, Some(number(1))), (3, Some(number(2))), (4, Some(number(3)))]);
        assert_eq!(refused(&lines, end), expected, "{end:?}");
        // The row that is taken in is torn by its own quotation marks.
        let quoted = format!("{},\"639021860913909\",2014-07-06,", number(2));
        let lines = [row(1) + "\"", quoted, row(3)];
        let expected = (1, vec![(2, Some(number(1))), (3, Some(number(2)))]);
        assert_eq!(refused(&lines, end), expected, "{end:?}");
        // Another row of the same number.
        let lines = [row(1) + "\"", row(1) + "\"", row(2)];
        assert_eq!(refused(&lines, end), (1, vec![(2, Some(number(1)))]), "{end:?}");
    }
    // A field of several lines is a field.
    let lines = [row(1) + "\"two\nlines, and commas\n\"", row(2) + "\"call\n 0722 000 000 first\""];
    assert_eq!(refused(&lines, "\n"), (2, vec![]));
    // A number that stands alone on a line is nobody's row.
    let noted = format!("{}\"Contact:\n{}\nor {},\n\"", row(1), number(2), number(3));
    assert_eq!(refused(&[noted, row(4)], "\n"), (2, vec![]));
    let noted_first = "note,msisdn,imsi,registered_at\n\"two\nlines\",254712601801,639021860913909,2014-07-06\n";
    assert_eq!(read(noted_first.as_bytes()).unwrap().rows.len(), 1);
}

#[test]
fn a_header_must_name_what_is_needed_once() {
    let error = |text: &[u8]| read(text).unwrap_err().to_string();
    assert!(error(b"").contains("is empty"));
    assert!(error(b"msisdn,registered_at\n").contains("no column `imsi`"));
    assert!(error(b"msisdn,imsi,registered_at,MSISDN\n").contains("`msisdn` twice"));
    assert_eq!(read(b"msisdn,imsi,registered_at").unwrap().rows, []);
}

#[test]
fn an_error_of_the_taker_stops_the_reading() {
    let mut text = b"msisdn,imsi,registered_at\n".to_vec();
    for n in 0..300_000 {
        text.extend_from_slice(format!("2547{n:08},639021860913909,2014-07-06\n").as_bytes());
    }
    let stopped = read_snapshot(text.as_slice(), &rules(), |_| Ok(()), |_| Err(SnapshotError::Empty));
    assert!(matches!(stopped, Err(SnapshotError::Empty)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Twenty rows a case, so 10⁵ generated rows: each is a row or a reason, and none is lost (a
    /// byte-order mark apart, which the CSV reader drops where a block begins with one).
    #[test]
    fn any_rows_are_rows_or_reasons(cells in prop::collection::vec("[^\"\n\r\u{feff}]{0,30}|254[0-9]{9},[0-9]{15},20[0-9]{2}-[01][0-9]-[0-3][0-9],,active", 20)) {
        let text = format!("msisdn,imsi,registered_at,last_swap_at,status\n{}\n", cells.join("\n"));
        let all = read(text.as_bytes()).unwrap();
        let blank = cells.iter().filter(|cell| cell.is_empty()).count();
        prop_assert_eq!(all.rows.len() + all.rejected.len() + blank, cells.len());
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut text = b"msisdn,imsi,registered_at\n".to_vec();
        text.extend(bytes);
        let _ = read(&text);
    }
}
