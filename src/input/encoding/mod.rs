//! Encodings: which one, and from it to UTF-8.
//!
//! - `mod.rs`: [`Encoding`]: a label to what it means, for reading and for writing.
//! - `tables.rs`: single-byte charsets as tables.
//! - `detect.rs`: byte order mark, label, UTF-8, statistics, in this order, with evidence.
//! - `decode.rs`: a reader that turns any encoding into UTF-8, exact at every buffer edge.
//!
//! In: a label, or samples of the input. Out: an [`Encoding`]. Labels are those of the WHATWG's standard and
//! Python's, but `latin-1`, `ascii`, `iso-8859-9`, `iso-8859-11` and `tis-620` mean themselves, not the Windows
//! code pages that browsers take them for. Refused: labels nobody knows, and encodings that only browsers
//! "replace" (`iso-2022-kr`, `hz`).

mod decode;
mod detect;
mod tables;

use std::fmt;
use std::sync::Arc;

use encoding_rs::Encoding as Whatwg;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;

use crate::error::{Error, Result};
use crate::options::nearest;

pub(super) use decode::Decoded;
pub(super) use detect::{Sample, decide};

pub use detect::{DecidedBy, EncodingChoice};

use tables::CHARSETS;

/// The DOS code pages that the code page crate has and the WHATWG does not.
const CODE_PAGES: &[(u16, &str)] = &[
    (437, "cp437"),
    (720, "cp720"),
    (737, "cp737"),
    (775, "cp775"),
    (850, "cp850"),
    (852, "cp852"),
    (855, "cp855"),
    (857, "cp857"),
    (858, "cp858"),
    (860, "cp860"),
    (861, "cp861"),
    (862, "cp862"),
    (863, "cp863"),
    (864, "cp864"),
    (865, "cp865"),
    (869, "cp869"),
];

/// Labels that the standard lacks or gives another meaning, and what they mean here.
const ALIASES: &[(&str, &str)] = &[
    ("latin-1", "iso-8859-1"),
    ("latin1", "iso-8859-1"),
    ("latin", "iso-8859-1"),
    ("l1", "iso-8859-1"),
    ("8859", "iso-8859-1"),
    ("iso8859", "iso-8859-1"),
    ("iso8859-1", "iso-8859-1"),
    ("iso88591", "iso-8859-1"),
    ("iso-8859-1-1987", "iso-8859-1"),
    ("iso-ir-100", "iso-8859-1"),
    ("csisolatin1", "iso-8859-1"),
    ("cp819", "iso-8859-1"),
    ("ibm819", "iso-8859-1"),
    ("us-ascii", "ascii"),
    ("us", "ascii"),
    ("646", "ascii"),
    ("ansi-x3.4-1968", "ascii"),
    ("iso646-us", "ascii"),
    ("iso-8859-9:1989", "iso-8859-9"),
    ("iso88599", "iso-8859-9"),
    ("iso885911", "iso-8859-11"),
    ("utf8", "utf-8"),
    ("u8", "utf-8"),
    ("utf", "utf-8"),
    ("cp65001", "utf-8"),
    ("utf-8-sig", "utf-8"),
    ("utf8-sig", "utf-8"),
    ("utf-8-bom", "utf-8"),
    ("u16", "utf-16"),
    ("utf16", "utf-16"),
    ("ucs-2", "utf-16"),
    ("utf-16le", "utf-16-le"),
    ("utf16le", "utf-16-le"),
    ("utf16-le", "utf-16-le"),
    ("utf-16be", "utf-16-be"),
    ("utf16be", "utf-16-be"),
    ("utf16-be", "utf-16-be"),
    ("u32", "utf-32"),
    ("utf32", "utf-32"),
    ("ucs-4", "utf-32"),
    ("utf-32le", "utf-32-le"),
    ("utf32le", "utf-32-le"),
    ("utf-32be", "utf-32-be"),
    ("utf32be", "utf-32-be"),
    // Python's names for what the standard calls otherwise.
    ("cp932", "shift_jis"),
    ("ms932", "shift_jis"),
    ("mskanji", "shift_jis"),
    ("ms-kanji", "shift_jis"),
    ("windows-932", "shift_jis"),
    ("shiftjis", "shift_jis"),
    ("s-jis", "shift_jis"),
    ("cp936", "gbk"),
    ("ms936", "gbk"),
    ("936", "gbk"),
    ("euccn", "gbk"),
    ("eucgb2312-cn", "gbk"),
    ("gb18030-2000", "gb18030"),
    ("gb18030-2022", "gb18030"),
    ("cp949", "euc-kr"),
    ("ms949", "euc-kr"),
    ("uhc", "euc-kr"),
    ("949", "euc-kr"),
    ("euckr", "euc-kr"),
    ("ks-c-5601", "euc-kr"),
    ("ksx1001", "euc-kr"),
    ("cp950", "big5"),
    ("ms950", "big5"),
    ("950", "big5"),
    ("big5hkscs", "big5"),
    ("eucjp", "euc-jp"),
    ("ujis", "euc-jp"),
    ("u-jis", "euc-jp"),
    ("iso2022-jp", "iso-2022-jp"),
    ("iso2022jp", "iso-2022-jp"),
    ("cp874", "windows-874"),
    ("mac-cyrillic", "x-mac-cyrillic"),
    ("maccyrillic", "x-mac-cyrillic"),
    ("mac-roman", "macintosh"),
    ("macroman", "macintosh"),
];

/// What a label means: how text becomes bytes, and bytes text.
#[derive(Debug, Clone)]
pub struct Encoding {
    name: &'static str,
    pub(crate) scheme: Scheme,
}

/// The ways to code text.
#[derive(Debug, Clone)]
pub(crate) enum Scheme {
    Utf8,
    Utf16(Endian),
    Utf32(Endian),
    Table(Arc<Table>),
    Whatwg(&'static Whatwg),
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

const NO_BYTE: u16 = 0x100;

/// A single-byte charset.
pub(crate) struct Table {
    /// The character of each byte, as UTF-8: up to 3 bytes, then how many; 0 where the byte means nothing.
    pub(crate) utf8: [[u8; 4]; 256],
    /// The byte of each character, by code point; `NO_BYTE` where there is none.
    bytes: Vec<u16>,
    /// Whether the first 128 bytes are ASCII.
    pub(crate) ascii: bool,
}

impl Encoding {
    /// UTF-8.
    pub(crate) const UTF_8: Encoding = Encoding { name: "utf-8", scheme: Scheme::Utf8 };

    /// What `label` means, in any case, with `-`, `_` or blanks between its parts.
    ///
    /// ```
    /// use duckstream::Encoding;
    /// assert_eq!(Encoding::for_label("Latin_1")?.name(), "iso-8859-1");
    /// assert_eq!(Encoding::for_label("CP932")?.name(), "shift_jis");
    /// assert!(Encoding::for_label("utf-9").unwrap_err().to_string().contains("did you mean 'utf-8'"));
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a label that nobody knows, with the nearest one.
    pub fn for_label(label: &str) -> Result<Encoding> {
        let plain = label.trim().to_ascii_lowercase();
        let dashed = plain.replace(['_', ' '], "-");
        let name = ALIASES.iter().find(|(alias, _)| *alias == dashed).map_or(dashed.as_str(), |(_, name)| name);
        match name {
            "utf-8" => return Ok(Encoding::UTF_8),
            "utf-16" => return Ok(Encoding { name: "utf-16", scheme: Scheme::Utf16(Endian::Little) }),
            "utf-16-le" => return Ok(Encoding::utf_16(Endian::Little)),
            "utf-16-be" => return Ok(Encoding::utf_16(Endian::Big)),
            "utf-32" => return Ok(Encoding { name: "utf-32", scheme: Scheme::Utf32(Endian::Little) }),
            "utf-32-le" => return Ok(Encoding::utf_32(Endian::Little)),
            "utf-32-be" => return Ok(Encoding::utf_32(Endian::Big)),
            "iso-8859-1" => {
                let latin = (0..=255u8).map(|byte| Some(char::from(byte)));
                return Ok(Encoding { name: "iso-8859-1", scheme: Scheme::Table(Table::new(latin)) });
            }
            "ascii" => {
                let ascii = (0..=255u8).map(|byte| byte.is_ascii().then_some(char::from(byte)));
                return Ok(Encoding { name: "ascii", scheme: Scheme::Table(Table::new(ascii)) });
            }
            _ => {}
        }
        let listed = CHARSETS.iter().find(|charset| {
            charset.name == name || charset.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        });
        if let Some(charset) = listed {
            return Ok(Encoding { name: charset.name, scheme: Scheme::Table(charset.table()) });
        }
        let whatwg = [&plain, name].into_iter().find_map(|label| Whatwg::for_label_no_replacement(label.as_bytes()));
        if let Some(whatwg) = whatwg {
            return Ok(Encoding { name: whatwg_name(whatwg), scheme: Scheme::Whatwg(whatwg) });
        }
        let number = ["cp", "ibm-", "ibm", "oem-", "oem", "dos-", "windows-", "cp-", "x-cp"]
            .into_iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        if let Some((page, name)) = CODE_PAGES.iter().find(|(page, _)| page.to_string() == number)
            && let Some(table) = DECODING_TABLE_CP_MAP.get(page)
        {
            let chars = (0..=255u8).map(|byte| table.decode_char_checked(byte));
            return Ok(Encoding { name, scheme: Scheme::Table(Table::new(chars)) });
        }
        // "windows-437" and the like have been tried; "ibm-1252" and "1252" may still mean a Windows code page.
        let windows = format!("windows-{number}");
        if let Some(whatwg) = Whatwg::for_label_no_replacement(windows.as_bytes()) {
            return Ok(Encoding { name: whatwg_name(whatwg), scheme: Scheme::Whatwg(whatwg) });
        }
        Err(unknown(label, &dashed))
    }

    /// The name used in messages and reports: lower case, one per meaning.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The names of all encodings, one per meaning, sorted. Many more labels are understood.
    pub fn names() -> Vec<&'static str> {
        let unicode =
            ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "iso-8859-1", "ascii"];
        let mut names: Vec<&'static str> = unicode.to_vec();
        names.extend(CHARSETS.iter().map(|charset| charset.name));
        names.extend(CODE_PAGES.iter().map(|(_, name)| *name));
        names.extend(WHATWG_NAMES);
        names.sort_unstable();
        names
    }

    /// Whether this is UTF-8: text that needs no conversion.
    pub fn is_utf8(&self) -> bool {
        matches!(self.scheme, Scheme::Utf8)
    }

    pub(super) fn utf_16(endian: Endian) -> Encoding {
        let name = if endian == Endian::Little { "utf-16-le" } else { "utf-16-be" };
        Encoding { name, scheme: Scheme::Utf16(endian) }
    }

    pub(super) fn utf_32(endian: Endian) -> Encoding {
        let name = if endian == Endian::Little { "utf-32-le" } else { "utf-32-be" };
        Encoding { name, scheme: Scheme::Utf32(endian) }
    }

    pub(super) fn whatwg(encoding: &'static Whatwg) -> Encoding {
        Encoding { name: whatwg_name(encoding), scheme: Scheme::Whatwg(encoding) }
    }
}

impl PartialEq for Encoding {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The encodings of the WHATWG's standard that are taken from it, in lower case.
const WHATWG_NAMES: [&str; 36] = [
    "big5",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gbk",
    "ibm866",
    "iso-2022-jp",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "shift_jis",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "x-mac-cyrillic",
    "x-user-defined",
];

fn whatwg_name(encoding: &'static Whatwg) -> &'static str {
    let name = encoding.name();
    WHATWG_NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name)
}

fn unknown(label: &str, dashed: &str) -> Error {
    if matches!(dashed, "hz" | "hz-gb-2312" | "iso-2022-kr" | "iso-2022-cn" | "iso2022-kr" | "replacement") {
        return Error::usage(format!(
            "the encoding '{label}' is not supported; convert the input first: iconv -f {label} -t utf-8"
        ));
    }
    let mut known = Encoding::names();
    known.extend(ALIASES.iter().map(|(alias, _)| *alias));
    match nearest(dashed, &known) {
        Some(near) => Error::usage(format!("unknown encoding '{label}': did you mean '{near}'?")),
        None => Error::usage(format!("unknown encoding '{label}'; known are: {}", Encoding::names().join(", "))),
    }
}

impl tables::Charset {
    fn table(&self) -> Arc<Table> {
        let listed: Vec<char> = self.chars.chars().collect();
        let ascii = (0..=127u8).map(char::from).take(256 - listed.len());
        Table::new(ascii.chain(listed.iter().copied()).map(|char| (char != '\u{fffd}').then_some(char)))
    }
}

impl Table {
    fn new(chars: impl Iterator<Item = Option<char>>) -> Arc<Table> {
        let mut table = Table { utf8: [[0; 4]; 256], bytes: Vec::new(), ascii: true };
        for (byte, char) in (0..=255u8).zip(chars) {
            let Some(char) = char else { continue };
            let mut utf8 = [0; 4];
            // No charset has a character beyond the basic plane.
            utf8[3] = char.encode_utf8(&mut utf8).len() as u8;
            table.utf8[usize::from(byte)] = utf8;
            let code = char as usize;
            if table.bytes.len() <= code {
                table.bytes.resize(code + 1, NO_BYTE);
            }
            // Where a character stands twice, the first byte is the one that is written.
            if table.bytes[code] == NO_BYTE {
                table.bytes[code] = u16::from(byte);
            }
            table.ascii &= !byte.is_ascii() || char == char::from(byte);
        }
        Arc::new(table)
    }

    /// The byte that stands for a character.
    pub(crate) fn byte(&self, char: char) -> Option<u8> {
        self.bytes.get(char as usize).and_then(|byte| u8::try_from(*byte).ok())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("ascii", &self.ascii).finish_non_exhaustive()
    }
}

impl Endian {
    /// Puts a unit's bytes in order: `bytes` is little-endian, and stays so or is reversed.
    pub(crate) fn order<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        if self == Endian::Big {
            bytes.reverse();
        }
        bytes
    }
}
