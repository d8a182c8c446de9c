use super::*;

fn question() -> Question {
    Question {
        slots: 10,
        target: 0.01,
        inbound: InboundHistory {
            per_hour: vec![30.0],
            mean_s: 180.0,
            call_s: 180.0,
            callers: 0.0,
            from: "as given".into(),
        },
        zone: TimeZone::UTC,
        today: Date::constant(2026, 1, 5),
        leads: Some(1000),
        within: Some(Duration::from_hours(6)),
    }
}

#[test]
fn the_smallest_reserve_that_meets_the_target_is_chosen() {
    let answer = question().answer();
    insta::assert_snapshot!(answer.text(80, true), @r"
    10 slots, 30.0 inbound callers an hour of 3 min (as given), campaign calls of 3 min

    reserve   inbound refused   calls an hour   1,000 leads take
          0              100%             200                5 h
          1               13%             157         6 h 24 min
          2             2.10%             134         7 h 27 min
    >     3             0.38%             114         8 h 45 min
          4             0.08%              95        10 h 32 min
          5             0.02%              76        13 h 10 min
          6             0.01%              57        17 h 26 min
          7             0.00%              39            1 d 1 h
          8             0.00%              23           1 d 20 h
          9             0.00%               9           4 d 20 h

    slots   lines to add   a month   reserve   done in
       10              0        $0         3   8 h 45 min
       13              3       $30         3   5 h 47 min
       15              5       $50         2   4 h 18 min
       20             10      $100         2   3 h 1 min
       50             40      $400         2   1 h 5 min
      100             90      $900         2   32 min

    * --reserve 3 refuses 0.38% of inbound callers, within the 1.00% that were asked
      for, and leaves 114 calls an hour to the campaign
    * 3 more lines (13 slots) is the least that is done by then, for $30.00 a month
    ");
    let object: Value = serde_json::from_str(&answer.json()).unwrap();
    let rows = object["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    let choose = object["choose"].as_u64().unwrap();
    let refused = |reserve: u64| rows[usize::try_from(reserve).unwrap()]["inbound_refused"].as_f64().unwrap();
    assert!(refused(choose) <= 0.01 && refused(choose - 1) > 0.01);
    assert!(rows.iter().all(|row| {
        let (low, high) = (row["simulated"]["low"].as_f64().unwrap(), row["simulated"]["high"].as_f64().unwrap());
        (low - 1e-6..=high + 1e-6).contains(&row["inbound_refused"].as_f64().unwrap())
    }));
    assert_eq!(object["capacity"][0]["slots"], 10);
    assert_eq!(object["capacity"][0]["usd_month"], 0);
}

#[test]
fn a_day_with_a_peak_makes_a_timetable() {
    let mut by_hour = vec![1.0; 24];
    by_hour[9..12].fill(60.0);
    let inbound = InboundHistory { per_hour: by_hour, ..question().inbound };
    let answer = Question { inbound, ..question() }.answer();
    let timetable = answer.timetable.unwrap();
    let entries: Vec<_> = timetable.split(',').map(|entry| entry.split_once('=').unwrap()).collect();
    assert_eq!(entries.iter().map(|(at, _)| *at).collect::<Vec<_>>(), ["00:00", "09:00", "12:00"]);
    assert!(entries[1].1.parse::<u32>().unwrap() > entries[0].1.parse::<u32>().unwrap(), "{timetable}");
}

#[test]
fn where_nobody_calls_in_nothing_is_reserved() {
    // As no callers add up.
    let inbound = InboundHistory { per_hour: vec![-0.0], ..question().inbound };
    let answer = Question { inbound, ..question() }.answer();
    assert_eq!(answer.choose, Some(0));
    assert!(!answer.json().contains(":-0"), "{}", answer.json());
    let object: Value = serde_json::from_str(&answer.json()).unwrap();
    assert!(object["rows"].as_array().unwrap().iter().all(|row| row["inbound_refused"] == 0.0));
}
