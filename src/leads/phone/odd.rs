//! What has digits in it and is no phone number: dates, amounts, words; endings that may be another number's; and
//! prefixes that are not dialed from abroad.

use super::super::findings::Kind;
use super::super::lead::Phone;
use super::clean::Written;

/// `2026-11-24`, `24.11.2026`, `11/24/26`, with or without a time of day behind it.
pub(in crate::leads) fn is_date(text: &str) -> bool {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let is_time = time.contains(':') && time.starts_with(|letter: char| letter.is_ascii_digit());
    if !(time.is_empty() || is_time) {
        return false;
    }
    ['-', '.', '/'].iter().any(|mark| {
        let parts: Vec<&str> = date.split(*mark).collect();
        let [one, two, three] = parts.as_slice() else { return false };
        let is_year = |text: &str| number(text, 4).is_some_and(|year| (1900..2100).contains(&year));
        let is_short_year = |text: &str| text.len() == 2 && number(text, 2).is_some();
        match (day_or_month(one), day_or_month(two), day_or_month(three)) {
            (_, Some(month), Some(day)) if is_year(one) => month <= 12 || day <= 12,
            (Some(day), Some(month), _) if is_year(three) || is_short_year(three) => day <= 12 || month <= 12,
            _ => false,
        }
    })
}

/// `1 December 2026`, `Tue, Dec 1, 2026`, `1-Dec-26`: a month in English letters, with a day or a year.
pub(in crate::leads) fn is_date_in_words(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_one = |names: &[&str], word: &str| word.len() >= 3 && names.iter().any(|name| name.starts_with(word));
    let (numbers, names): (Vec<_>, Vec<_>) =
        words.into_iter().partition(|word| word.bytes().all(|b| b.is_ascii_digit()));
    let months = names.iter().filter(|word| is_one(&MONTHS, word)).count();
    let others = names.iter().filter(|word| !is_one(&MONTHS, word) && !matches!(**word, "am" | "pm"));
    months == 1 && (1..=5).contains(&numbers.len()) && others.into_iter().all(|word| is_one(&DAYS, word))
}

/// `14,155,552,732`: an amount, as a spreadsheet shows one.
pub(super) fn is_amount(text: &str) -> bool {
    let mut groups = text.split(',');
    let is_group = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let head = groups.next().unwrap_or_default();
    let mut tail = groups.peekable();
    tail.peek().is_some()
        && (1..=3).contains(&head.len())
        && is_group(head)
        && tail.all(|part| part.len() == 3 && is_group(part))
}

/// `bad2`: digits that a letter stands right before.
pub(super) fn is_part_of_a_word(text: &str) -> bool {
    let digit = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(0);
    text[..digit].ends_with(char::is_alphabetic)
}

/// A number without the one or two digits behind its last hyphen, where it ends so.
pub(in crate::leads) fn without_ending(text: &str) -> Option<&str> {
    let (rest, ending) = text.trim_end().rsplit_once('-')?;
    number(ending.trim(), 2).map(|_| rest)
}

fn day_or_month(text: &str) -> Option<u32> {
    number(text, 2).filter(|number| (1..=31).contains(number))
}

/// A number of at most so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let are_digits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { text.parse().ok() } else { None }
}

/// Which rule took digits away that stand in the cell, if one did.
pub(super) fn left_out(written: &Written, phone: Phone, calling_code: i32) -> Option<Kind> {
    let (sent, code) = (phone.digits().to_string(), calling_code.to_string());
    if written.digits == sent {
        return None;
    }
    let national = sent.strip_prefix(&code)?;
    let Some(before) = written.digits.strip_suffix(national) else {
        return Some(Kind::NationalPrefix);
    };
    let without_zero = before.strip_suffix('0').unwrap_or(before);
    let access = before.strip_suffix(&*code).or_else(|| without_zero.strip_suffix(&*code));
    Some(match access {
        Some(access) if access.starts_with('0') && access.len() > 1 => Kind::InternationalPrefix,
        _ if before == "0" || before.strip_prefix(&*code) == Some("0") => Kind::TrunkZero,
        _ => Kind::NationalPrefix,
    })
    .filter(|_| !before.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_may_have_its_month_in_words() {
        for date in ["1 December 2026", "Tue, Dec 1, 2026", "1-Dec-26", "Dec-26", "Sept 3 2026 9:30 AM", "1 May"] {
            assert!(is_date_in_words(date), "{date}");
        }
        for other in ["May", "call in May 2026", "1 2 2026", "no", "March 1 April 2", "marching 1"] {
            assert!(!is_date_in_words(other), "{other}");
        }
    }

    #[test]
    fn dates_have_a_shape_that_numbers_do_not() {
        for date in [
            "2026-11-24",
            "24.11.2026",
            "11/24/2026",
            "1.2.2026",
            "24-11-26",
            "2026-11-24 10:30",
            "2026-11-24T00:00:00",
            "2026/11/24",
        ] {
            assert!(is_date(date), "{date}");
        }
        for number in [
            "415-555-0100",
            "415.555.2026",
            "030/123456",
            "20-26-11-24",
            "2026-1124",
            "01.44.22.33.44",
            "89-99-2026",
            "2026 11 24",
            "+49-30-2026",
            "24.11.1026",
        ] {
            assert!(!is_date(number), "{number}");
        }
    }

    #[test]
    fn amounts_and_words_are_no_numbers() {
        assert!(is_amount("14,155,552,732") && is_amount("1,000"));
        assert!(!is_amount("415") && !is_amount("4155550100,4155550101"));
        assert!(is_part_of_a_word("bad2") && !is_part_of_a_word("call 911") && !is_part_of_a_word("911"));
    }
}
