//! What people write above a column, in the languages of our users: lower case, letters and digits only.

use super::options::Field;

/// What means a field, in ranks: the first rank with a header in the list decides.
pub fn of(field: Field) -> &'static [&'static [&'static str]] {
    match field {
        Field::Number => &[EXACT_NUMBER, PHONE, MOBILE, ANY_NUMBER],
        Field::Name => &[NAME, FIRST_NAME],
        Field::TimeZone => &[TIME_ZONE],
        Field::Extension => &[EXTENSION],
        Field::AssistantId => &[&["assistantid"]],
        Field::PhoneNumberId => &[&["phonenumberid"]],
    }
}

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

const EXTENSION: &[&str] =
    &["extension", "ext", "phoneextension", "durchwahl", "nebenstelle", "extensión", "ramal", "anexo"];
