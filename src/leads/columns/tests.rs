//! Headers as people write them, and the columns that they make.

use super::*;

fn columns(headers: &str, said: &[&str]) -> Result<Columns, ColumnsError> {
    let headers: Vec<String> = headers.split(',').map(str::to_owned).collect();
    let said: Vec<Column> = said.iter().map(|text| text.parse().unwrap()).collect();
    Columns::new(&headers, &[], &said)
}

fn number_of(headers: &str) -> String {
    let columns = columns(headers, &[]).unwrap();
    columns.headers()[columns.find(Field::Number).unwrap()].clone()
}

#[test]
fn the_number_is_found_by_its_header_in_any_case_and_language() {
    for header in [
        "number",
        "Phone",
        "PHONE_NUMBER",
        "Phone Number",
        "phone-number",
        " Mobile ",
        "Tel.",
        "Telefon",
        "Rufnummer",
        "Handy",
        "Téléphone",
        "MÓVIL",
        "teléfono",
        "Celular",
        "numero",
        "Telefone",
        "電話番号",
        "Телефон",
        "cell phone",
    ] {
        assert_eq!(number_of(&format!("Order,{header},City")), header.trim());
    }
}

#[test]
fn the_likelier_of_two_columns_is_taken() {
    assert_eq!(number_of("number,phone"), "phone");
    assert_eq!(number_of("Handy,Telefon"), "Telefon");
    assert_eq!(number_of("phone,phone_number"), "phone_number");
    assert_eq!(number_of("customer number,Phone"), "Phone");
    assert_eq!(number_of("phone,Phone"), "phone");
    assert!(columns("phone,Telefon", &["number=Telefon"]).is_ok());
}

/// The column that is taken, and those that could have been.
fn chosen(headers: &str, rows: &[&str]) -> Result<(String, Vec<String>), ColumnsError> {
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
    let columns = Columns::new(&cells(headers), &rows, &[])?;
    let rivals = columns.rivals().map(str::to_owned).collect();
    Ok((columns.headers()[columns.find(Field::Number).unwrap()].clone(), rivals))
}

#[test]
fn what_stands_in_a_column_tells_it_from_others_named_like_it() {
    let found = |headers: &str, row: &str| chosen(headers, &[row]).unwrap().0;
    assert_eq!(found("customer number,Phone no. (work),name", "1001,(415) 555-0100,Ada"), "Phone no. (work)");
    assert_eq!(found("Number,Phone Number (mobile)", "7,+14155550100"), "Phone Number (mobile)");
    assert_eq!(found("number,phone number 2", "1,+14155550100"), "phone number 2");
    assert_eq!(found("phone type,number", "mobile,+14155550100"), "number");
    assert_eq!(found("Phone,Te\u{301}le\u{301}phone", "none,+14155550100"), "Te\u{301}le\u{301}phone");
    assert_eq!(found("number", "anything"), "number");
}

#[test]
fn of_several_phones_the_fullest_column_is_taken_and_the_choice_is_told() {
    for headers in ["Phone,Mobile", "Phone 1 - Value,Phone 2 - Value", "home phone,work phone"] {
        let (first, second) = headers.split_once(',').unwrap();
        let (header, rivals) = chosen(headers, &[",+14155550101", "+14155550102,+14155550103"]).unwrap();
        assert_eq!((header.as_str(), rivals.as_slice()), (second, &[second, first].map(str::to_owned)[..]));
        let (header, rivals) = chosen(headers, &["+14155550102,+14155550103"]).unwrap();
        assert_eq!((header.as_str(), rivals.len()), (first, 2));
        assert_eq!(chosen(headers, &["+14155550102,"]).unwrap().1.len(), 0, "nothing to choose");
    }
    assert_eq!(chosen("Phone,work phone", &["+14155550102,+14155550103"]).unwrap(), ("Phone".to_owned(), vec![]));
}

#[test]
fn numbers_that_are_not_to_be_called_are_not_taken() {
    for (headers, taken) in [
        ("Phone (do not use),Mobile", "Mobile"),
        ("Fax,Phone", "Phone"),
        ("from_number,number", "number"),
        ("Phone (old),Number", "Number"),
    ] {
        assert_eq!(chosen(headers, &["+14155550100,+14155550101"]).unwrap(), (taken.to_owned(), vec![]));
    }
    assert_eq!(chosen("Name,Phone (do not use)", &["Ada,+14155550100"]), Err(ColumnsError::NoNumber));
}

#[test]
fn several_columns_are_tried_in_the_order_in_which_they_were_named() {
    let said = columns("Name,Phone,Mobile", &["number=Mobile", "number=Phone"]).unwrap();
    assert_eq!((said.numbers(), said.rivals().count()), (&[2, 1][..], 0));
    assert_eq!(said.summary(), "number from \"Mobile\", \"Phone\", name from \"Name\"");
    assert!(matches!(columns("phone", &["number=phone", "number=phone"]), Err(ColumnsError::Twice(_))));
}

#[test]
fn columns_say_whether_somebody_may_be_called() {
    let found = |said: &[&str]| columns("phone,Deceased,Do Not Contact,Consent,status,city", said).unwrap();
    let senses: Vec<Sense> = found(&[]).refusals().iter().map(|(_, sense)| *sense).collect();
    assert_eq!(senses, [Sense::Refusal, Sense::Refusal, Sense::Consent, Sense::Status]);
    assert_eq!(found(&[]).roles()[1..], [Role::Variable; 5], "they are variables as well");
    assert_eq!(found(&["do_not_call=none"]).refusals(), []);
    assert_eq!(found(&["do_not_call=none", "do_not_call=city"]).refusals(), [(5, Sense::Refusal)]);
    assert_eq!(found(&["do_not_call=city"]).refusals().len(), 5, "those that were found count all the same");
}

#[test]
fn what_is_said_wins_and_must_exist() {
    let columns_said = columns("Kunde,Ort,Telefonnr", &["number=telefonNR", "name=Ort"]).unwrap();
    assert_eq!(columns_said.find(Field::Number), Some(2));
    assert_eq!(columns_said.find(Field::Name), Some(1));
    assert_eq!(columns_said.roles()[0], Role::Variable);
    assert_eq!(columns("Kunde,Ort", &[]), Err(ColumnsError::NoNumber));
    assert!(matches!(columns("phone", &["name=Kunde"]), Err(ColumnsError::Missing(_))));
    assert!(matches!(columns("phone,b", &["name=phone", "name=b"]), Err(ColumnsError::Twice(_))));
    assert_eq!(columns("phone,name", &["name=none"]).unwrap().find(Field::Name), None);
    assert_eq!(columns("phone,name", &["number=none"]), Err(ColumnsError::NoNumber));
    assert!(matches!(columns("phone,b", &["number=b", "name=b"]), Err(ColumnsError::Twice(_))));
}

#[test]
fn the_country_is_all_columns_that_say_it_and_a_state_is_one() {
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let headers = cells("phone_number,phone_code,country_code,state");
    let with = |row: &str, said: &[Column]| Columns::new(&headers, &[cells(row)], said).unwrap();
    let columns = with("4155550142,1,USA,TX", &[]);
    assert_eq!(columns.countries().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(columns.find(Field::State), Some(3));
    assert_eq!(with("4155550142,1,USA,open", &[]).find(Field::State), None, "a state of something else");
    let none = ["country=none", "state=none"].map(|text| text.parse().unwrap());
    assert_eq!(with("4155550142,1,USA,TX", &none).roles()[1..], [Role::Variable; 3]);
}

#[test]
fn a_header_must_not_stand_there_twice() {
    assert_eq!(columns("phone,city,city ", &[]), Err(ColumnsError::Duplicate("city".to_owned())));
    assert!(columns("phone,,,", &[]).is_ok());
}

#[test]
fn a_rejects_file_is_a_list_again() {
    let fed_back = columns("phone,line,reason,dialer_line,dialer_reason", &[]).unwrap();
    assert_eq!(fed_back.roles()[1..3], [Role::Variable, Role::Variable], "its own columns");
    assert_eq!(fed_back.roles()[3..], [Role::Ignored, Role::Ignored]);
    assert_eq!(fed_back.own_headers(), ["phone", "line", "reason"]);
    let reordered = columns("dialer_line,phone,dialer_reason,name", &[]).unwrap();
    assert_eq!([reordered.roles()[0], reordered.roles()[2]], [Role::Ignored, Role::Ignored]);
    assert_eq!(reordered.find(Field::Number), Some(1));
    assert_eq!(columns("dialer_line,dialer_reason", &[]), Err(ColumnsError::NoNumber));
}
