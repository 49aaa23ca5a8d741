//! What goes into a spreadsheet cell that people will open with a spreadsheet program.

/// A cell that begins like a formula gets an apostrophe before it, plain numbers excepted, so that no spreadsheet program runs what a
/// message's author wrote.
pub fn without_formula(cell: &str) -> String {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    // Programs skip blanks before looking at the first character.
    let first = cell.trim_start_matches([' ', '\u{3000}', '\u{a0}', '\u{feff}']);
    let begins =
        |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%', '＝', '＋', '－', '＠']);
    if (begins(cell) || begins(first)) && !number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::without_formula;

    #[test]
    fn cells_that_begin_like_a_formula_are_made_text() {
        for cell in [
            "=1+1",
            "+cmd",
            "-2+3",
            "@sum",
            "\t=1",
            "\r=1",
            "＝1",
            "＋1",
            "－1",
            "＠a",
            "-",
            "-1.2.x",
            "+8613900000000",
            " =1",
            "\u{3000}=1",
            "\u{feff}=1",
            "|cmd",
            "%0a",
        ] {
            assert_eq!(without_formula(cell), format!("'{cell}"));
        }
        for cell in ["-12.5", "-3", "路灯=不亮", "", "1+1"] {
            assert_eq!(without_formula(cell), cell);
        }
    }
}
