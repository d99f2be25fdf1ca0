//! Numbers with their units: the table of what people read, and what holds for all.

use proptest::prelude::*;

use super::number::{Written, plain, read};
use super::*;

const UNITS: [Unit; 6] = [Unit::Ratio, Unit::Seconds, Unit::Count, Unit::PerSecond, Unit::Bytes, Unit::BytesPerSecond];

#[test]
fn values_are_shown_with_their_unit() {
    for (unit, value, shown) in [
        (Unit::Ratio, 0.18, "18.0 %"),
        (Unit::Ratio, 0.005, "0.50 %"),
        (Unit::Ratio, 0.000032, "0.0032 %"),
        (Unit::Ratio, 0.0, "0 %"),
        (Unit::Ratio, 1.0, "100 %"),
        (Unit::Seconds, 3.74, "3.74 s"),
        (Unit::Seconds, 0.08, "80.0 ms"),
        (Unit::Seconds, 0.0000027, "2.70 µs"),
        (Unit::Seconds, 5e-7, "500 ns"),
        (Unit::Seconds, 119.0, "119 s"),
        (Unit::Seconds, 604_800.0, "7.00 d"),
        (Unit::Count, 12_300.0, "12.3 k"),
        (Unit::Count, 9_999.0, "9999"),
        (Unit::Count, 9_999.7, "10.0 k"),
        (Unit::Count, 41.0, "41"),
        (Unit::Count, -3.0, "-3"),
        (Unit::Count, 2.5e18, "2.50 E"),
        (Unit::Count, 1.7e300, "1.70e282 E"),
        (Unit::PerSecond, 41.0, "41/s"),
        (Unit::Bytes, 536_870_912.0, "512 MiB"),
        (Unit::Bytes, 1023.9999, "1024 B"),
        (Unit::Bytes, 18_446_744_073_709_551_615.0, "no limit"),
        (Unit::Count, 18_446_744_073_709_551_615.0, "no limit"),
        (Unit::Bytes, 9_223_372_036_854_771_712.0, "no limit"),
        (Unit::Seconds, f64::NAN, "not a number"),
        (Unit::Seconds, f64::INFINITY, "infinite"),
        (Unit::Ratio, f64::NEG_INFINITY, "minus infinite"),
    ] {
        assert_eq!(unit.show(value), shown, "{value}");
    }
}

#[test]
fn a_value_and_its_limit_have_as_many_digits_as_tell_them_apart() {
    for (unit, value, limit, shown, beside) in [
        (Unit::Ratio, 0.99993, 0.99995, "99.993 %", "99.995 %"),
        (Unit::Ratio, 0.99891, 0.999, "99.89 %", "99.90 %"),
        (Unit::Ratio, 0.000032, 0.00001, "0.0032 %", "0.0010 %"),
        (Unit::Seconds, 0.000012, 0.00001, "12.0 µs", "10.0 µs"),
        (Unit::Seconds, 0.0000027, 5e-7, "2.70 µs", "500 ns"),
        (Unit::Seconds, 0.9999, 1.0, "999.9 ms", "1.000 s"),
        (Unit::Count, 9_995.7, 9_996.0, "9995.7", "9996"),
        (Unit::Count, 0.0, 0.0, "0", "0"),
        (Unit::Seconds, 3.0, 0.8, "3.00 s", "800 ms"),
    ] {
        let (one, other) = unit.beside(value, limit);
        assert_eq!((one.as_str(), other.as_str()), (shown, beside), "{value} {limit}");
    }
}

#[test]
fn a_number_in_a_file_may_have_its_unit() {
    for (text, value, unit) in [
        ("0.8", 0.8, None),
        ("-3", -3.0, None),
        ("1e3", 1000.0, None),
        ("10_000", 10_000.0, None),
        ("99.95%", 0.9995, Some(Written::Share)),
        ("99.95 %", 0.9995, Some(Written::Share)),
        ("250ms", 0.25, Some(Written::Time)),
        ("12 µs", 12e-6, Some(Written::Time)),
        ("7d", 604_800.0, Some(Written::Time)),
        ("512MiB", 536_870_912.0, Some(Written::Bytes)),
        ("512Mi", 536_870_912.0, Some(Written::Bytes)),
        ("1EiB", 1_152_921_504_606_846_976.0, Some(Written::Bytes)),
        ("1.5k", 1500.0, Some(Written::Count)),
        ("2kB", 2000.0, Some(Written::Bytes)),
    ] {
        assert_eq!(read(text), Ok((value, unit)), "{text}");
    }
    for wrong in ["", "abc", "5 parsecs", "1e999", "NaN", "%"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

/// The number that a text says, in the unit's own measure.
fn said(unit: Unit, text: &str) -> f64 {
    let text = text.trim_end_matches("/s");
    let text = text.trim();
    let (number, scale) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match (unit, scale) {
        (_, "") | (_, "s") | (_, "B") | (_, "(of 1)") => 1.0,
        (_, "%") => 0.01,
        (_, "ns") => 1e-9,
        (_, "µs") => 1e-6,
        (_, "ms") => 1e-3,
        (_, "min") => 60.0,
        (_, "h") => 3_600.0,
        (_, "d") => 86_400.0,
        (_, "k") => 1e3,
        (_, "M") => 1e6,
        (_, "G") => 1e9,
        (_, "T") => 1e12,
        (_, "P") => 1e15,
        (_, "E") => 1e18,
        (_, "KiB") => 1024.0,
        (_, "MiB") => 1024_f64.powi(2),
        (_, "GiB") => 1024_f64.powi(3),
        (_, "TiB") => 1024_f64.powi(4),
        (_, "PiB") => 1024_f64.powi(5),
        (_, "EiB") => 1024_f64.powi(6),
        other => panic!("{other:?} in {text}"),
    };
    number.parse::<f64>().unwrap() * factor
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn two_numbers_read_alike_only_if_they_are_and_never_the_other_way_round(
        unit in 0..UNITS.len(),
        limit in prop_oneof![-1e-9..1e-9, -2.0..2.0, -1e5..1e5, -1e20..1e20, proptest::num::f64::NORMAL],
        apart in prop_oneof![Just(0.0), -1e-12..1e-12, -1e-6..1e-6, -1e-3..1e-3, -1.0..1.0],
        ulps in 0..3_u64,
    ) {
        let unit = UNITS[unit];
        let (limit, apart): (f64, f64) = (limit, apart);
        let value = f64::from_bits((limit * (1.0 + apart)).to_bits() ^ ulps);
        prop_assume!(value.is_finite() && limit.is_finite());
        let (one, other) = unit.beside(value, limit);
        prop_assert_eq!(one == other, value == limit, "{} {}: {} {}", value, limit, one, other);
        let order = said(unit, &one).partial_cmp(&said(unit, &other)).unwrap();
        prop_assert!(order == value.partial_cmp(&limit).unwrap() || order.is_eq(), "{} {}: {} {}", value, limit, one, other);
        prop_assert!(one.chars().count() <= 32 && other.chars().count() <= 32, "{} {}", one, other);
    }

    #[test]
    fn a_number_alone_fits_its_cell_and_is_zero_only_if_it_is(
        unit in 0..UNITS.len(),
        value in prop_oneof![-1e-9..1e-9, -2.0..2.0, -1e5..1e5, -1e20..1e20, proptest::num::f64::NORMAL],
    ) {
        let unit = UNITS[unit];
        let shown = unit.show(value);
        prop_assert!(shown.chars().count() <= 16, "{}", shown);
        prop_assert_eq!(shown.starts_with("0 ") || shown == "0" || shown == "0/s", value == 0.0, "{} {}", value, shown);
        prop_assert_eq!(plain(value).parse::<f64>().unwrap(), value);
    }
}
