//! One case per kind of damage: what goes in, what comes out, what is said.

use std::io::Read;

use duckstream::{LongRows, ReaderOptions, Repair, RepairReport, ShortRows, repair};

fn run(text: &str, options: &ReaderOptions) -> (String, RepairReport) {
    let mut table = repair(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), options).unwrap();
    let mut out = String::new();
    table.read_to_string(&mut out).unwrap();
    (out, table.report().clone())
}

#[track_caller]
fn gives(text: &str, expected: &str) -> RepairReport {
    let (out, report) = run(text, &ReaderOptions::default());
    assert_eq!(out, expected, "from {text:?}\n{report}");
    report
}

const PLAIN: &str = "day,time,count,code,price,remark\n\
    2013-01-01,10:30,5,A123,$1.50,all well\n\
    2013-01-02,11:45,17,B456,$12.00,a bit late\n\
    2013-01-03,09:05,123,C789,$0.75,none at all\n\
    2013-01-04,23:59,8,D012,$3.25,cancelled by us\n\
    2013-01-05,00:10,42,E345,$7.10,in good time\n\
    2013-01-06,08:00,7,F678,$9.99,all well\n";

/// The plain table with one line replaced, and what that line should become.
#[track_caller]
fn row(damaged: &str, expected: &str) -> RepairReport {
    let wanted = PLAIN.replace("2013-01-04,23:59,8,D012,$3.25,cancelled by us\n", expected);
    gives(&PLAIN.replace("2013-01-04,23:59,8,D012,$3.25,cancelled by us\n", damaged), &wanted)
}

#[test]
fn a_clean_file_stays_as_it_is() {
    let report = gives(PLAIN, PLAIN);
    assert_eq!((report.rows, report.clean_rows, report.width), (6, 6, 6));
    assert!(report.repairs.is_empty() && report.confidence > 0.9, "{report}");
}

#[test]
fn nothing_and_next_to_nothing() {
    gives("", "");
    gives("\n\n\n", "");
    gives("\u{feff}", "");
    gives("a,b,c", "a,b,c\n");
    gives("a;b;c\n", "a,b,c\n");
    gives("a\n", "a\n");
    gives("a\n1\n2\n", "a\n1\n2\n");
    gives("a,b\n1,2", "a,b\n1,2\n");
}

#[test]
fn line_ends() {
    for (end, ends) in [("\r\n", 1), ("\r", 1), ("\n", 1), ("\r\r\n", 1)] {
        gives(&PLAIN.replace('\n', end), PLAIN);
        assert_eq!(ends, 1);
    }
    let mut mixed = String::new();
    for (index, line) in PLAIN.lines().enumerate() {
        mixed.push_str(line);
        mixed.push_str(["\n", "\r\n", "\r"][index % 3]);
    }
    gives(&mixed, PLAIN);
}

#[test]
fn around_the_table() {
    gives(&format!("\n\n{PLAIN}\n\n"), PLAIN);
    let report = gives(&format!("Ministry of Time\nas of 2013, final\n\n{PLAIN}"), PLAIN);
    assert_eq!(report.preamble.len(), 2);
    assert_eq!(report.header_lines, [4]);
    gives(&format!("Ministry of Time,,,,,\n,,,,,\n{PLAIN}"), PLAIN);
    gives(&format!("# made by hand\n# twice\n{PLAIN}# done\n"), PLAIN);
    let report = gives(&format!("{PLAIN}\nTotal,,202\nSource: Ministry of Time, 2013\n"), PLAIN);
    assert_eq!(report.repairs[&Repair::Footer].count, 2);
    assert_eq!(report.repairs[&Repair::Footer].lines, [9, 10]);
    gives(&format!("{PLAIN},,,,,\n,,,,,\nSource: Ministry,,,,,\n"), PLAIN);
}

#[test]
fn headers() {
    let (_, rows) = PLAIN.split_once('\n').unwrap();
    let report = gives(rows, &format!("column_1,column_2,column_3,column_4,column_5,column_6\n{rows}"));
    assert!(report.header_lines.is_empty());
    assert!(report.header_reason.contains("line 1"), "{}", report.header_reason);
    let report = gives(
        &format!("day,time,count,code,price,remark\nof week,local,of items,of item,in dollars,if any\n{rows}"),
        &format!("day of week,time local,count of items,code of item,price in dollars,remark if any\n{rows}"),
    );
    assert_eq!(report.header_lines, [1, 2]);
    // A header that is repeated at once is one header.
    gives(&format!("day,time,count,code,price,remark\n{PLAIN}"), PLAIN);
    // Narrower: the last column has no name.
    gives(&format!("day,time,count,code,price\n{rows}"), &format!("day,time,count,code,price,\n{rows}"));
    // By another delimiter.
    gives(&format!("day;time;count;code;price;remark\n{rows}"), PLAIN);
    // Years are names.
    gives("country,2011,2012,2013\nA,1,2,3\nB,4,5,6\n", "country,2011,2012,2013\nA,1,2,3\nB,4,5,6\n");
    // Nothing but text: the first row is taken.
    gives("name,town\nAda,London\nBob,Paris\n", "name,town\nAda,London\nBob,Paris\n");
}

#[test]
fn several_tables() {
    let other = "code,name,weight\nx1,thing one,5\nx2,thing two,6\nx3,thing three,7\nx4,thing four,8\n";
    let second = |nth_table| ReaderOptions { nth_table, ..ReaderOptions::default() };
    for between in ["", "\n", "\nTable 2\n", "\nTable 2\n\n"] {
        let text = format!("{PLAIN}{between}{other}");
        let report = gives(&text, PLAIN);
        assert!(report.next_table_line.is_some(), "{between:?} {report}");
        let (out, report) = run(&text, &second(2));
        assert_eq!(out, other, "{between:?}");
        assert_eq!((report.table, report.next_table_line), (2, None));
    }
    let report = gives(&format!("{PLAIN}{PLAIN}"), PLAIN);
    assert_eq!(report.next_table_line, Some(8));
    assert_eq!(run(&format!("{PLAIN}{PLAIN}"), &second(2)).0, PLAIN);
    let text = PLAIN.as_bytes().to_vec();
    let error = repair(Box::new(std::io::Cursor::new(text)), &second(2)).err().unwrap();
    assert!(error.to_string().contains("--nth-table"), "{error}");
}

#[test]
fn rows_of_another_width() {
    let good = "2013-01-04,23:59,8,D012,$3.25,cancelled by us\n";
    let report = row("2013-01-04,23:59,8,D012,$3.25,cancelled by us,,\n", good);
    assert_eq!(report.repairs[&Repair::CutEmpty].lines, [5]);
    let report = row("2013-01-04,23:59,8,D012,$3.25\n", "2013-01-04,23:59,8,D012,$3.25,\n");
    assert_eq!(report.repairs[&Repair::Padded].count, 1);
    row("2013-01-04,23:59,8\n", "2013-01-04,23:59,8,,,\n");
    let report =
        row("2013-01-04,23:59,8,D012,$3.25,cancelled, by us\n", "2013-01-04,23:59,8,D012,$3.25,\"cancelled, by us\"\n");
    assert_eq!(report.repairs[&Repair::Merged].count, 1);
    for together in [
        "2013-01-0423:59,8,D012,$3.25,cancelled by us\n",
        "2013-01-04,23:598,D012,$3.25,cancelled by us\n",
        "2013-01-04,23:59,8D012,$3.25,cancelled by us\n",
        "2013-01-04,23:59,8,D012$3.25,cancelled by us\n",
        "2013-01-04,23:59,8,D012,$3.25cancelled by us\n",
    ] {
        let report = row(together, good);
        assert_eq!(report.repairs[&Repair::Split].count, 1, "{together}");
    }
}

#[test]
fn options_for_ragged_rows_are_kept() {
    let text = format!("{PLAIN}2013-01-04,23:59,8,D012,$3.25,x,y\n2013-01-0423:59,8,D012,$3.25,z\n{}", {
        let (_, rows) = PLAIN.split_once('\n').unwrap();
        rows
    });
    let cases = [
        (LongRows::Truncate, ShortRows::Error, "2013-01-04,23:59,8,D012,$3.25,x\n"),
        (LongRows::MergeLast, ShortRows::Error, "2013-01-04,23:59,8,D012,$3.25,\"x,y\"\n"),
        (LongRows::Reject, ShortRows::Error, "2013-01-04,23:59,8,D012,$3.25,x,y\n"),
        (LongRows::Error, ShortRows::Reject, "2013-01-0423:59,8,D012,$3.25,z\n"),
        (LongRows::Error, ShortRows::Error, "2013-01-04,23:59,8,D012,$3.25,z\n"),
    ];
    for (long_rows, short_rows, expected) in cases {
        let (out, _) = run(&text, &ReaderOptions { long_rows, short_rows, ..ReaderOptions::default() });
        assert!(out.contains(expected), "{long_rows} {short_rows}: {out}");
    }
}

#[test]
fn quotes() {
    let plain = |remark: &str| format!("2013-01-04,23:59,8,D012,$3.25,{remark}\n");
    let cases = [
        // As it stands, and the cell it should become, written canonically.
        (r#""cancelled, by us""#, r#""cancelled, by us""#),
        (r#""cancelled ""by"" us""#, r#""cancelled ""by"" us""#),
        (r#""cancelled "by" us""#, r#""cancelled ""by"" us""#),
        (r#""cancelled \"by\" us""#, r#""cancelled ""by"" us""#),
        (r#""cancelled by us"#, r#""""cancelled by us""#),
        (r#"cancelled by us""#, r#""cancelled by us""""#),
        (r#"cancelled "by" us"#, r#""cancelled ""by"" us""#),
        (r#"cancelled 5" by us"#, r#""cancelled 5"" by us""#),
        ("\"cancelled\nby us\"", "\"cancelled\nby us\""),
        (r#""""#, r#""""#),
        ("", ""),
    ];
    for (damaged, cell) in cases {
        row(&plain(damaged), &plain(cell));
    }
    row("2013-01-04,\"23:59,8,D012,$3.25,cancelled by us\n", "2013-01-04,\"\"\"23:59\",8,D012,$3.25,cancelled by us\n");
}

#[test]
fn other_ways_of_quoting() {
    let expected = "id,remark,n\n1,\"a, b\",5\n2,it's,6\n3,c,7\n";
    gives("id,remark,n\n1,'a, b',5\n2,'it''s',6\n3,'c',7\n", expected);
    gives("'id','remark','n'\n'1','a, b','5'\n'2','it''s','6'\n'3','c','7'\n", expected);
    gives("id,remark,n\n1,'a, b',5\n2,'it\\'s',6\n3,'c',7\n", expected);
    let expected = "id,remark,n\n1,\"a \"\"b\"\", c\",5\n2,d,6\n3,\"e\"\"\",7\n";
    gives("id,remark,n\n1,\"a \\\"b\\\", c\",5\n2,\"d\",6\n3,\"e\\\"\",7\n", expected);
    gives("id , remark , n\n\"1\" , \"a, b\" , \"5\"\n2 , c , 6\n", "id,remark,n\n1,\"a, b\",5\n2,c,6\n");
}

#[test]
fn delimiters() {
    for delimiter in [";", "\t", "|", ", ", "||", "::", "~", "^"] {
        gives(&PLAIN.replace(',', delimiter), PLAIN);
    }
    gives("a b c\n1 2 3\n4 5 6\n7 8 9\n", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n");
    gives("a:b:c\n1:2:3\n4:5:6\n7:8:9\n", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n");
    // Decimal commas are not delimiters, times are not split at colons.
    gives("t;x;y\n10:30;1,5;2,5\n11:30;3,5;4,5\n", "t,x,y\n10:30,\"1,5\",\"2,5\"\n11:30,\"3,5\",\"4,5\"\n");
    let good = "2013-01-04,23:59,8,D012,$3.25,cancelled by us\n";
    for other in [";", "\t", "|", ", "] {
        row(&good.replace(',', other), good);
    }
    row("2013-01-04;23:59,8;D012,$3.25;cancelled by us\n", good);
}

#[test]
fn one_column() {
    gives("name\nSmith, John\nDoe\nMiller\n\nBond\n", "name\n\"Smith, John\"\nDoe\nMiller\n\nBond\n");
    gives("n\n1\n2\n", "n\n1\n2\n");
}

#[test]
fn small_tables_lose_no_row() {
    gives("name,age\nBob,5\nAl,x,6\nJo\n", "name,age\nBob,5\nAl,\"x,6\"\nJo,\n");
    gives("a,b,c\n1,2,3\n1,2\n1\n1,2,3,4\n", "a,b,c\n1,2,3\n1,2,\n1,,\n1,2,\"3,4\"\n");
    gives("a,b\n1,\"x\n2,y\n3,z\n", "a,b\n1,\"\"\"x\"\n2,y\n3,z\n");
    gives("\"a\",\"b\"\n\"1\",\"say \"hi\", ok\"\n\"2\",\"fine\"\n", "a,b\n1,\"say \"\"hi\"\", ok\"\n2,fine\n");
    gives("  \n\"Title, with comma\"\n\nA B C\n1 2 3\n4 5 6\n", "A,B,C\n1,2,3\n4,5,6\n");
    gives("id\tname\n1\tfoo bar\n2\tbaz\n\n\nid\tval\n1\t5\n2\t6\n", "id,name\n1,foo bar\n2,baz\n");
}

#[test]
fn two_rows_on_one_line_are_parted() {
    let good = "2013-01-04,23:59,8,D012,$3.25,cancelled by us\n";
    let next = "2013-01-05,00:10,42,E345,$7.10,in good time\n";
    let expected = PLAIN;
    for seam in ["", ","] {
        let damaged = PLAIN.replace(&format!("{good}{next}"), &format!("{}{seam}{next}", good.trim_end()));
        let report = gives(&damaged, expected);
        assert_eq!(report.repairs[&Repair::PartedRows].count, 1, "{seam:?}");
    }
}

#[test]
fn trailing_empty_columns_count() {
    gives("a,b,\n1,2,\n3,4,\n", "a,b,\n1,2,\n3,4,\n");
    gives("a,b\n1,2,\n3,4,\n5,6,\n", "a,b,\n1,2,\n3,4,\n5,6,\n");
}

#[test]
fn block_sizes_do_not_matter() {
    struct Slow(Vec<u8>, usize, usize);
    impl Read for Slow {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            let length = target.len().min(self.1).min(self.0.len() - self.2);
            target[..length].copy_from_slice(&self.0[self.2..self.2 + length]);
            self.2 += length;
            Ok(length)
        }
    }
    let (header, rows) = PLAIN.split_once('\n').unwrap();
    let text = format!("{header}\n{}", rows.repeat(8_000)).replace("23:59", "\"23:59");
    let whole = run(&text, &ReaderOptions::default()).0;
    for (size, out_size) in [(7, 1 << 16), (4_099, 3), (1 << 20, 1)] {
        let mut table = repair(Box::new(Slow(text.clone().into_bytes(), size, 0)), &ReaderOptions::default()).unwrap();
        let mut out = Vec::new();
        if out_size > 3 {
            table.read_to_end(&mut out).unwrap();
        } else {
            let mut block = vec![0; out_size];
            while out.len() < 10_000 {
                let length = table.read(&mut block).unwrap();
                out.extend_from_slice(&block[..length]);
            }
        }
        assert!(whole.as_bytes().starts_with(&out) && (out_size == 3 || out_size == 1 || out.len() == whole.len()));
    }
    assert!(whole.lines().count() == 48_001);
}

#[test]
fn as_it_was_printed() {
    let expected = "id,name,n\n1,Ada,5\n2,Robert,17\n3,Eva,123\n";
    // A database's console.
    let report = gives(
        " id | name   | n\n----+--------+-----\n 1  | Ada    | 5\n 2  | Robert | 17\n 3  | Eva    | 123\n(3 rows)\n",
        expected,
    );
    assert_eq!(report.repairs[&Repair::Ruling].lines, [2]);
    assert_eq!(report.repairs[&Repair::Footer].lines, [6]);
    // A table of Markdown.
    let report = gives(
        "| id | name | n |\n| --- | --- | ---: |\n| 1 | Ada | 5 |\n| 2 | Robert | 17 |\n| 3 | Eva | 123 |\n",
        expected,
    );
    assert!(report.lines_in_bars);
    // Tabs, and blanks that align.
    gives("id\tname  \tn\n1 \tAda   \t5\n2 \tRobert\t17\n3 \tEva   \t123\n", expected);
    // A blank at the end of some cells is theirs.
    gives("id,name\n1,Ada \n2,Robert\n3,Eva\n", "id,name\n1,Ada \n2,Robert\n3,Eva\n");
}

#[test]
fn as_spreadsheets_have_it() {
    let report = gives(&format!("sep=;\n{}", PLAIN.replace(',', ";")), PLAIN);
    assert_eq!((report.preamble.len(), report.header_lines), (1, vec![2]));
    // Every line was taken for one cell, or one line was.
    let wrap = |line: &str| format!("\"{}\"\n", line.replace('"', "\"\""));
    let text = "id,remark,n\n1,\"a, b\",5\n2,c,6\n3,\"d \"\"e\"\"\",7\n";
    assert!(gives(&text.lines().map(wrap).collect::<String>(), text).lines_in_quotes);
    let good = "2013-01-04,23:59,8,D012,$3.25,cancelled by us\n";
    assert_eq!(row(&wrap(good.trim_end()), good).repairs[&Repair::UnwrappedLine].lines, [5]);
    // One column of texts stays one.
    gives("name\n\"Ada, Countess\"\n\"Eva, Duchess\"\n", "name\n\"Ada, Countess\"\n\"Eva, Duchess\"\n");
}

#[test]
fn escaped_delimiters() {
    let report = gives("id,name,n\n1,a\\, b,5\n2,c,6\n3,d\\, e,7\n", "id,name,n\n1,\"a, b\",5\n2,c,6\n3,\"d, e\",7\n");
    assert_eq!(report.escape, Some('\\'));
    // A path may end in a backslash.
    gives("id,path,n\n1,C:\\a\\,5\n2,C:\\b\\,6\n3,C:\\c\\,7\n", "id,path,n\n1,C:\\a\\,5\n2,C:\\b\\,6\n3,C:\\c\\,7\n");
}

#[test]
fn headers_of_text_columns() {
    let rows = "Ada,London,red\nBob,Paris,blue\nEva,Rome,green\nMax,Oslo,grey\nPia,Bern,black\nTom,Wien,white\n";
    // Wider than the rows: none of them is lost.
    let out = run(&format!("name,town,colour,a,b\n{rows}"), &ReaderOptions::default()).0;
    assert_eq!(out.lines().count(), 7, "{out}");
    gives(&format!("name,town,colour\n{rows}name,town,colour\nJim,Kiel,pink\n"), &format!("name,town,colour\n{rows}"));
    gives(
        &format!("name,town,colour\n(first),[English],(of hair)\n{rows}"),
        &format!("name (first),town [English],colour (of hair)\n{rows}"),
    );
    let plain = format!("name,town,colour\n{rows}");
    gives(&format!("// by hand, twice, today\n{plain}"), &plain);
    gives(&format!("% by hand, twice, today\n{plain}"), &plain);
    let remarks = "Note 1: this, which, too\nNote 2: that, also, too\nNote 3: so, on, forth\nNote 4: and, so, on\n";
    gives(&format!("{remarks}\n{plain}"), &plain);
    gives(&format!("{plain}\nSource: Statistics, Bern, 2021\nNote: revised, see, below\n"), &plain);
    // A header that begins with a mark is one.
    gives(&format!("#name,town,colour\n{rows}"), &format!("#name,town,colour\n{rows}"));
    let (_, rows) = PLAIN.split_once('\n').unwrap();
    gives(
        &format!("when,,,what,,\nday,time,count,code,price,remark\n{rows}"),
        &format!("when day,time,count,what code,price,remark\n{rows}"),
    );
}
