//! Statements are written once, as SQLite has them; this is what differs on PostgreSQL.

/// A statement in the words of PostgreSQL.
pub(super) fn translated(sql: &str) -> String {
    let sql = without_hints(sql);
    let sql = sql.replace("CROSS JOIN", "JOIN").replace("temp.", "pg_temp.");
    // A function of the schema of that name would take ten times as long.
    let sql = sql.replace(
        "json_each(batches.leads) AS member",
        "unnest(translate(batches.leads, '[]', '{}')::BIGINT[]) AS member (value)",
    );
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once("IN (SELECT value FROM json_each(?") {
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = after.split_at(digits);
        // A list that is given is an array there.
        out.push_str(before);
        out.push_str("= ANY (?");
        out.push_str(number);
        rest = tail.strip_prefix(")").unwrap_or(tail);
    }
    out.push_str(rest);
    out.replace('?', "$")
}

/// Which index to use is for SQLite alone.
fn without_hints(sql: &str) -> String {
    let sql = sql.replace("NOT INDEXED ", "");
    let mut parts = sql.split(" INDEXED BY ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_one_of_them_knows_is_put_in_the_words_of_the_other() {
        let sql = "SELECT id FROM leads INDEXED BY leads_once WHERE id IN (SELECT value FROM json_each(?2)) AND c = ?1";
        assert_eq!(translated(sql), "SELECT id FROM leads WHERE id = ANY ($2) AND c = $1");
        let sql = "SELECT 1 FROM batches, json_each(batches.leads) AS member JOIN leads ON leads.id = member.value";
        assert_eq!(
            translated(sql),
            "SELECT 1 FROM batches, unnest(translate(batches.leads, '[]', '{}')::BIGINT[]) AS member (value) \
             JOIN leads ON leads.id = member.value"
        );
        let sql =
            "UPDATE leads NOT INDEXED SET a = 1 FROM temp.staged AS new CROSS JOIN temp.zones AS z ON z.id = new.z";
        assert_eq!(
            translated(sql),
            "UPDATE leads SET a = 1 FROM pg_temp.staged AS new JOIN pg_temp.zones AS z ON z.id = new.z"
        );
    }
}
