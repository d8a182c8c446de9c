//! The ways in which a list itself says that somebody is not to be called: a column that answers yes or no, a status,
//! words in the number's own cell. In the languages in which headers are known; punctuation decides nothing.

use std::ops::Range;
use std::sync::LazyLock;

use super::headers::{bare, names_a_phone};
use super::phone::odd::{is_date, is_date_in_words};

/// What a column says about being called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sense {
    /// Yes means: do not call.
    Refusal,
    /// Yes means: may be called.
    Consent,
    /// Words, some of which mean: do not call.
    Status,
}

/// What a row says about being called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing against it.
    Call,
    /// Not to be called.
    Refused,
    /// Nobody knows.
    Unclear,
}

impl Sense {
    /// What a header means, if it means anything of the kind.
    pub fn of(header: &str) -> Option<Self> {
        let name = bare(header);
        if is_one_of(&CONSENT, &name) {
            Some(Self::Consent)
        } else if is_one_of(&STATUS, &name) {
            Some(Self::Status)
        } else {
            let about_calls = !words(header).iter().any(|(_, word)| OTHER_CHANNELS.contains(&word.as_str()));
            (about_calls && refuses(header)).then_some(Self::Refusal)
        }
    }

    /// What a cell under such a header says.
    pub fn answer(self, cell: &str) -> Answer {
        let cell = cell.trim();
        let word = bare(cell);
        let is_yes =
            is_one_of(&YES, &word) || matches!(cell, "✓" | "✔" | "☑" | "✅") || is_date(cell) || is_date_in_words(cell);
        let is_no = cell.is_empty() || is_one_of(&NO, &word);
        match self {
            Self::Status if refuses(cell) => Answer::Refused,
            Self::Status => Answer::Call,
            Self::Refusal if is_yes || refuses(cell) => Answer::Refused,
            Self::Refusal if is_no => Answer::Call,
            Self::Consent if is_no || refuses(cell) => Answer::Refused,
            Self::Consent if is_yes => Answer::Call,
            Self::Refusal | Self::Consent => Answer::Unclear,
        }
    }
}

/// Whether a text says that somebody is not to be called.
pub fn refuses(text: &str) -> bool {
    !refusals(text).is_empty()
}

/// Where a text says that somebody is not to be called.
pub fn refusals(text: &str) -> Vec<Range<usize>> {
    found(text, &REFUSALS)
}

/// Whether a text says that a number is no use: a fax, out of service, somebody else's.
pub fn is_no_use(text: &str) -> bool {
    !found(text, &NO_USE).is_empty()
}

/// The words of a cell that mean no kind of phone, no extension, and not that a number is no use.
pub fn unknown_words(text: &str) -> Vec<String> {
    let no_use = found(text, &NO_USE);
    let known = |(range, word): &(Range<usize>, String)| {
        let is_read = no_use.iter().any(|phrase| phrase.start <= range.start && range.end <= phrase.end);
        is_read || word.chars().count() == 1 || is_one_of(&LABELS, word) || names_a_phone(word)
    };
    words(text).into_iter().filter(|word| !known(word)).map(|(_, word)| word).collect()
}

/// The words of a text, bare, with where they stand.
fn words(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    let mut before_is_lower = false;
    for (at, letter) in text.char_indices() {
        let is_mark = matches!(letter, '\u{300}'..='\u{36f}');
        if letter.is_alphabetic() || is_mark {
            let end = at + letter.len_utf8();
            match words.last_mut() {
                // `DoNotCall` is three words.
                Some((range, _)) if range.end == at && !(before_is_lower && letter.is_uppercase()) => range.end = end,
                _ => words.push((at..end, String::new())),
            }
        }
        before_is_lower = letter.is_lowercase();
    }
    for (range, word) in &mut words {
        *word = bare(&text[range.clone()]);
    }
    words
}

/// Where one of the phrases stands in a text. A phrase is a row of words; one without spaces between its words, as in
/// Japanese, stands anywhere.
fn found(text: &str, phrases: &[Vec<String>]) -> Vec<Range<usize>> {
    let words = words(text);
    let mut ranges = Vec::new();
    for phrase in phrases {
        let is_row = |row: &[(Range<usize>, String)]| row.iter().zip(phrase).all(|((_, word), wanted)| word == wanted);
        let rows = words.windows(phrase.len()).filter(|row| is_row(row));
        ranges.extend(rows.map(|row| row[0].0.start..row[row.len() - 1].0.end));
        if let [joined] = phrase.as_slice()
            && !joined.is_ascii()
            && joined.chars().all(|letter| letter > '\u{2e80}')
        {
            ranges.extend(words.iter().filter(|(_, word)| word.contains(joined)).map(|(range, _)| range.clone()));
        }
    }
    ranges
}

fn is_one_of(names: &[Vec<String>], word: &str) -> bool {
    names.iter().any(|name| name.concat() == word)
}

/// Lines of phrases, parted by commas, in the form in which words are compared.
fn phrases(lines: &str) -> Vec<Vec<String>> {
    let phrase = |text: &str| text.split_whitespace().map(bare).collect::<Vec<_>>();
    lines.split([',', '\n']).map(phrase).filter(|phrase| !phrase.is_empty()).collect()
}

/// Words that make an opt-out one of another channel: it says nothing about calls.
const OTHER_CHANNELS: [&str; 8] = ["email", "mail", "mails", "newsletter", "fax", "sms", "text", "texts"];

static REFUSALS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "do not call, do not phone, do not dial, do not contact, don t call, don t contact, dont call, dont contact
        donotcall, donotcontact, donotphone, never call, never contact, not to be called, no calls, no contact, stop calling
        dnc, dncl, dncc, d n c, dnd, deceased, dead, died, passed away, opt out, opted out, optout, optedout, opt outs
        unsubscribe, unsubscribed, blacklist, blacklisted, blocklist, blocklisted, do not disturb, refused contact
        nicht anrufen, nicht kontaktieren, nicht mehr anrufen, keine anrufe, kein anruf, verstorben, gestorben, gesperrt
        anrufsperre, werbesperre, kontaktsperre, abgemeldet, widerrufen, widersprochen
        ne pas appeler, ne pas contacter, ne plus appeler, ne plus contacter, ne pas rappeler, décédé, décédée, désinscrit
        désabonné, bloctel, no llamar, no contactar, fallecido, fallecida, dado de baja, lista robinson
        não ligar, não contactar, não contatar, não telefonar, não chamar, falecido, falecida, descadastrado
        non chiamare, non contattare, deceduto, deceduta, disiscritto, niet bellen, niet contacteren, bel me niet
        overleden, uitgeschreven, ring ikke, ikke ring, ikke kontakt, ring inte, ring ej, kontakta inte, afdød, avliden
        død, död, älä soita, kuollut, nie dzwonić, nie kontaktować, zmarł, zmarła, zmarły, nevolat, nekontaktovat, zemřel
        ne hívja, elhunyt, μην καλείτε, απεβίωσε, не звонить, не беспокоить, умер, умерла, отписан, отписался
        aramayın, vefat, không gọi, đã mất, لا تتصل, متوفى, לא להתקשר, נפטר
        電話禁止, 架電禁止, 架電不可, 連絡不要, 連絡禁止, 死亡, 逝去, 配信停止
        勿打, 请勿致电, 請勿致電, 请勿联系, 不要打电话, 勿扰, 拒绝来电, 已故, 去世, 退订, 전화금지, 연락금지, 수신거부, 사망",
    )
});

static NO_USE: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "fax, telefax, facsimile, faks, faksi, fax no, disconnected, disconnect, out of service, not in service, no longer in service
        wrong number, wrong, incorrect, invalid, bad number, bad, not working, nonworking, non working, no good, not in use
        do not use, don t use, dont use, old number, old, former, obsolete, unused, pager
        falsche nummer, falsch, ungültig, nicht vergeben, nicht erreichbar, abgeschaltet, abgemeldet, nicht verwenden
        nicht benutzen, nicht nutzen, alte nummer, veraltet, faux numéro, mauvais numéro, télécopie, télécopieur, hors service
        non attribué, ne pas utiliser, ancien, número equivocado, equivocado, fuera de servicio, desconectado, no usar
        número errado, errado, fora de serviço, desligado, não usar, numero sbagliato, sbagliato, non usare, disattivato
        verkeerd nummer, niet gebruiken, buiten gebruik, forkert nummer, feil nummer, fel nummer, använd inte, brug ikke
        ikke bruk, väärä numero, błędny numer, zły numer, nie używać, nieaktualny, nepoužívat, ne használja
        факс, неверный номер, не использовать, не обслуживается, yanlış numara, ファックス, ファクス, 使用不可, 不通
        传真, 傳真, 空号, 停机, 错号, 팩스, 결번",
    )
});

static YES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "1, yes, y, true, t, x, on, checked, ja, j, wahr, oui, o, vrai, sí, s, verdadero, sim, verdadeiro, vero, waar
        tak, prawda, ano, igen, kyllä, joo, да, истина, evet, có, ναι, نعم, כן, はい, 有, 是, 真, 예, 네",
    )
});

static NO: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "0, no, n, false, f, off, unchecked, nein, falsch, non, faux, falso, não, nee, onwaar, nej, nei, ei, nie, fałsz
        ne, nem, нет, ложь, hayır, không, όχι, لا, לא, いいえ, 無, 否, 假, 아니오",
    )
});

static CONSENT: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "consent, call consent, phone consent, consent to call, consent to contact, tcpa consent, has consent, consent given
        consented, opt in, opted in, is opted in, may call, may contact, ok to call, can call, call allowed, contact allowed
        einwilligung, zustimmung, werbeeinwilligung, anruf erlaubt, consentement, consentimiento, consentimento, consenso
        toestemming, samtykke, samtycke, suostumus, zgoda, souhlas, hozzájárulás, согласие, onay, συγκατάθεση, موافقة
        הסכמה, 同意, 동의",
    )
});

static STATUS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "status, lead status, call status, contact status, phone status, status code, disposition, call disposition
        last disposition, call result, lead stage, statut, estado, estatus, stato, situação, stav, státusz, статус, durum
        κατάσταση, حالة, סטטוס, ステータス, 状態, 状态, 狀態, 상태",
    )
});

/// What people write beside a number to say which one it is, or what is an extension.
static LABELS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    phrases(
        "mob, home, work, office, private, direct, business, main, personal, landline, number, nr, num, primary, secondary
        cell, cel, tel, tlf, fon, gsm, or, and, voice, line, whatsapp, callto
        privat, privée, dienstlich, geschäftlich, büro, festnetz, zuhause, zentrale, firma, oder, und, direkt
        perso, personnel, fixe, domicile, bureau, travail, ou, et, casa, trabajo, oficina, particular, fijo, ufficio, fisso
        escritório, trabalho, residencial, comercial, fixo, privé, thuis, werk, kantoor, vast, hjem, arbejde, jobb, hem, koti, työ
        dom, praca, praha, дом, раб, моб, сот, рабочий, домашний, 自宅, 会社, 携帯
        press, then, dann, puis, luego, ext, extn, extension, extensión, xtn, int, anexo, ramal, poste, durchwahl, nebenstelle, nst, dw, доб",
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_that_its_column_is_about_being_called() {
        for header in ["Do Not Call", "do_not_call", "DoNotCall", "dnc", "DNC Flag", "Do Not Contact", "Opted Out"] {
            assert_eq!(Sense::of(header), Some(Sense::Refusal), "{header}");
        }
        for header in ["Unsubscribed", "Deceased", "IsDeceased", "Nicht anrufen", "Décédé", "No llamar", "不要打电话"]
        {
            assert_eq!(Sense::of(header), Some(Sense::Refusal), "{header}");
        }
        for header in ["Consent", "TCPA Consent", "Opt-in", "Einwilligung", "同意"] {
            assert_eq!(Sense::of(header), Some(Sense::Consent), "{header}");
        }
        for header in ["status", "Lead Status", "Статус"] {
            assert_eq!(Sense::of(header), Some(Sense::Status), "{header}");
        }
        for header in ["Name", "Phone", "Email Opt Out", "Fax Opt Out", "City", "Calls"] {
            assert_eq!(Sense::of(header), None, "{header}");
        }
    }

    #[test]
    fn yes_no_and_what_is_neither() {
        for cell in ["1", "true", "YES", "x", "Ja", "sí", "2026-11-24", "24.11.2026 10:30", "✓", "do not call"] {
            assert_eq!(Sense::Refusal.answer(cell), Answer::Refused, "{cell}");
        }
        for cell in ["", " ", "0", "FALSE", "no", "Nein", "нет"] {
            assert_eq!(Sense::Refusal.answer(cell), Answer::Call, "{cell}");
            assert_eq!(Sense::Consent.answer(cell), Answer::Refused, "{cell}");
        }
        for cell in ["maybe", "2", "ask Bob"] {
            assert_eq!(Sense::Refusal.answer(cell), Answer::Unclear, "{cell}");
        }
        assert_eq!(Sense::Consent.answer("yes"), Answer::Call);
        for cell in ["DNC", "DNCL", "Deceased", "Do Not Contact", "Lead - opted out", "已故"] {
            assert_eq!(Sense::Status.answer(cell), Answer::Refused, "{cell}");
        }
        for cell in ["NEW", "called", "", "SALE", "1"] {
            assert_eq!(Sense::Status.answer(cell), Answer::Call, "{cell}");
        }
    }

    #[test]
    fn words_count_and_punctuation_does_not() {
        for text in ["(do not call)", "DO-NOT-CALL!", "do_not_call", "D.N.C. 415", "Deceased - 415", "請勿致電 415"]
        {
            assert!(refuses(text), "{text}");
        }
        for text in ["(disconnected)", "wrong number", "Fax: 415", "out-of-service", "(fax)", "alte Nummer"] {
            assert!(is_no_use(text) && !refuses(text), "{text}");
        }
        assert_eq!(unknown_words("Tel. (work) 415 x123, ask for Bob"), ["ask", "for", "bob"]);
    }
}
