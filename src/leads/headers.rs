//! What people write above a column, in the languages of our users, and how what they write differently is seen alike.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::options::Field;
use super::refusal;

/// How a header is taken for a field.
#[derive(Clone, Copy)]
pub enum Rank {
    /// It is one of these, whatever stands in the column.
    Named(&'static [&'static str]),
    /// It has a word that means a phone, and the column holds phone numbers.
    Worded,
}

/// What means a field, in ranks: the first rank with a header in the list decides.
pub fn of(field: Field) -> &'static [Rank] {
    match field {
        // Several columns may hold numbers, and several may refuse: see `PHONES` and `refusal`.
        Field::Number | Field::DoNotCall => &[],
        Field::Name => &[Rank::Named(NAME), Rank::Named(FIRST_NAME)],
        Field::TimeZone => &[Rank::Named(TIME_ZONE)],
        Field::Country => &[Rank::Named(CALLING_CODE), Rank::Named(COUNTRY)],
        Field::State => &[Rank::Named(STATE)],
        Field::Extension => &[Rank::Named(EXTENSION)],
        Field::AssistantId => &[Rank::Named(&["assistantid"])],
        Field::PhoneNumberId => &[Rank::Named(&["phonenumberid"])],
    }
}

/// What means a person's phone. Columns of one group are one open question: which of the phones is meant.
pub const PHONES: [&[Rank]; 3] = [
    &[Rank::Named(EXACT_NUMBER), Rank::Named(PHONE), Rank::Named(MOBILE)],
    &[Rank::Worded],
    &[Rank::Named(ANY_NUMBER)],
];

impl Rank {
    /// Whether a header is of this rank; what stands in brackets does not matter.
    pub fn fits(self, header: &str) -> bool {
        match self {
            Self::Named(names) => {
                let (whole, outside) = (bare(header), bare(&without_brackets(header)));
                names.iter().map(|name| bare(name)).any(|name| name == whole || name == outside)
            }
            Self::Worded => names_a_phone(header),
        }
    }
}

/// Whether a header says that its numbers are not those of the people on the list, or are not to be called.
pub fn is_not_to_be_called(header: &str) -> bool {
    let own = ["from", "fromnumber", "fromphone", "callerid", "callernumber", "outboundnumber", "fromphonenumber"];
    own.contains(&bare(header).as_str()) || refusal::is_no_use(header) || refusal::refuses(header)
}

/// Whether one of its words means a phone: `Phone no. 2`, `mobile (work)`, `Tel. privat`, `Mobiltelefonnr`.
pub fn names_a_phone(header: &str) -> bool {
    let bare_words = header.split(|letter: char| !letter.is_alphanumeric() && !is_mark(letter)).map(bare);
    bare_words.into_iter().any(|word| WORDS.contains(&word.as_str()) || PARTS.iter().any(|part| word.contains(part)))
}

/// A header without what people and programs write differently: case, accents and how they are encoded, spaces,
/// underscores, hyphens, dots.
pub fn bare(header: &str) -> String {
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize_iter(header.chars());
    let letters = apart.filter(|letter| letter.is_alphanumeric() && !is_mark(*letter));
    letters.flat_map(char::to_lowercase).filter(|letter| !is_mark(*letter)).collect()
}

/// An accent that stands on its own.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

fn without_brackets(header: &str) -> String {
    let mut depth = 0_u32;
    let mut outside = String::with_capacity(header.len());
    for letter in header.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            letter if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    outside
}

/// Words that mean a phone by themselves.
const WORDS: &[&str] = &["tel", "tlf", "cell", "cel", "fon", "gsm", "msisdn", "whatsapp", "movil"];

/// What makes a word mean a phone, wherever it stands in it.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "phone", "telefon", "telephon", "rufnummer", "mobil", "handy", "celular", "cellular", "telefoon", "puhelin",
];

/// Nothing else can be meant.
const EXACT_NUMBER: &[&str] = &["phonenumber", "e164", "customerphone", "customerphonenumber"];

#[rustfmt::skip]
const PHONE: &[&str] = &[
    "phone", "phone1", "telephone", "telephonenumber", "tel", "telno", "telnumber", "phoneno", "primaryphone", "mainphone",
    "contactnumber", "msisdn", "telnr", "tél", "telefón", "telefonu", "telefon", "telefonnummer", "rufnummer", "fon", "téléphone", "numérodetéléphone",
    "numerodetelephone", "numtel", "teléfono", "telefono", "númerodeteléfono", "numerodetelefono", "telefone",
    "númerodetelefone", "numerodetelefone", "numeroditelefono", "telefoon", "telefoonnummer", "puhelin",
    "puhelinnumero", "numertelefonu", "telefonszám", "telefonníčíslo", "telefonnumarası", "sốđiệnthoại", "τηλέφωνο",
    "телефон", "номертелефона", "電話番号", "電話", "电话", "电话号码", "手机号", "手机", "전화번호", "전화", "هاتف", "טלפון",
];

#[rustfmt::skip]
const MOBILE: &[&str] = &[
    "mobile", "mobilephone", "mobilenumber", "mobileno", "cell", "cellphone", "cellnumber", "cellular", "handy",
    "handynummer", "mobil", "mobiltelefon", "mobiltelefonnummer", "mobilnummer", "ceptelefonu", "telefonkomórkowy", "mobiel", "portable", "móvil", "movil", "celular", "cellulare",
    "telemóvel", "telemovel", "komórka", "携帯", "携帯電話", "携帯番号", "휴대폰", "мобильный", "whatsapp", "whatsappnumber",
    "gsm",
];

/// A number of something: the phone's, where nothing better is there. A customer's number is often that of an account.
#[rustfmt::skip]
const ANY_NUMBER: &[&str] = &[
    "homephone", "workphone", "businessphone", "number", "customernumber", "nummer", "numero", "número", "numéro", "numer", "номер", "番号", "号码", "번호",
];

#[rustfmt::skip]
const NAME: &[&str] = &[
    "name", "fullname", "customername", "contactname", "customer", "kunde", "kundenname", "nombre", "nombrecompleto",
    "nom", "nomcomplet", "nome", "nomecompleto", "nominativo", "naam", "navn", "namn", "nimi", "imię", "imięinazwisko",
    "имя", "фио", "名前", "氏名", "姓名", "이름", "isim", "adsoyad",
];

const FIRST_NAME: &[&str] = &["firstname", "vorname", "prénom", "prenom", "givenname", "voornaam"];

#[rustfmt::skip]
const TIME_ZONE: &[&str] = &[
    "timezone", "tz", "zoneinfo", "ianatimezone", "zeitzone", "fuseauhoraire", "zonahoraria", "husohorario",
    "fusohorário", "fusohorario", "fusoorario", "tijdzone", "tidszon", "tidszone", "strefaczasowa", "часовойпояс",
    "タイムゾーン", "时区", "時区",
];

#[rustfmt::skip]
const CALLING_CODE: &[&str] = &[
    "phonecode", "callingcode", "countrycallingcode", "dialcode", "dialingcode", "diallingcode", "countrydialcode",
    "phonecountrycode", "phonecountry", "isd", "isdcode", "ländervorwahl", "landesvorwahl", "indicatifpays",
    "indicatiftéléphonique", "códigodepaís", "códigodopaís", "prefijointernacional", "prefissointernazionale",
];

#[rustfmt::skip]
const COUNTRY: &[&str] = &[
    "country", "countrycode", "countryname", "countryregion", "countryiso", "isocountry", "isocountrycode",
    "mailingcountry", "billingcountry", "shippingcountry", "homecountry", "homecountryregion", "businesscountry",
    "businesscountryregion", "addresscountry", "addresscountrycode", "nation", "land", "ländercode", "länderkürzel",
    "landcode", "pays", "codepays", "país", "paese", "nazione", "kraj", "país/region", "страна", "ülke", "χώρα", "국가",
    "国", "国名", "国家", "quốcgia", "země", "ország", "țară",
];

#[rustfmt::skip]
const STATE: &[&str] = &[
    "state", "stateprovince", "stateregion", "stateprovinceregion", "provincestate", "province", "statecode",
    "provincecode", "usstate", "homestate", "homestateprovince", "businessstate", "businessstateprovince",
    "mailingstate", "mailingstateprovince", "billingstate", "billingstateprovince", "shippingstate",
    "shippingprovince", "billingprovince", "addressstate", "estado", "uf", "estadouf", "entidadfederativa",
];

const EXTENSION: &[&str] =
    &["extension", "ext", "phoneextension", "durchwahl", "nebenstelle", "extensión", "ramal", "anexo"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_alike_however_they_are_written() {
        assert_eq!(bare("Te\u{301}le\u{301}phone"), bare("Téléphone"));
        assert_eq!(bare(" MÓVIL_2 "), "movil2");
        assert_eq!(bare("Номер телефона"), bare("номертелефона"));
    }

    #[test]
    fn a_phone_is_named_by_a_word() {
        for header in ["Phone no. (work)", "phone number 2", "Tel. privat", "Mobiltelefonnr", "cell_2", "Te\u{301}l"] {
            assert!(names_a_phone(header), "{header}");
        }
        for header in ["customer number", "hotel", "cancelled", "Number", "telegram", "fondness"] {
            assert!(!names_a_phone(header), "{header}");
        }
    }
}
