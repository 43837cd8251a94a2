//! The options that are one of a few names: enums instead of bools and strings.
//!
//! The first name is ours, the others are what users of other tools type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::options::text::{text_of, text_serde};

/// An enum of named choices: the first name is ours, the others are what users of other tools type.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal $(| $alias:literal)*),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every choice, by name.
            pub const NAMES: &'static [&'static str] = &[$($text),*];
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text.to_ascii_lowercase().replace('-', "_").as_str() {
                    $($text $(| $alias)* => Ok(Self::$variant),)*
                    _ => Err(format!("'{text}' is none of {}", Self::NAMES.join(", "))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),* })
            }
        }

        text_serde!($name);
    };
}

choices! {
    /// What happens to a row that cannot be taken as it stands.
    OnError {
        /// The run fails and nothing of it is kept.
        #[default]
        Error = "error",
        /// The row is left out and counted.
        Skip = "skip",
        /// The row is left out, counted and kept whole in the rejects.
        Reject = "reject",
    }
}
choices! {
    /// What happens when a later value does not fit the type inferred from the first batch.
    OnTypeChange {
        /// The column gets a wider type and the file is read again, in the same transaction.
        #[default]
        Promote = "promote",
        /// The row is treated as `on_error` says.
        Reject = "reject",
        /// The run fails.
        Error = "error",
    }
}
choices! {
    /// What happens to a row with fewer fields than columns.
    ShortRows {
        /// As `on_error` says.
        #[default]
        Error = "error",
        /// The missing fields are NULL.
        Pad = "pad",
        /// The row is rejected.
        Reject = "reject",
    }
}
choices! {
    /// What happens to a row with more fields than columns.
    LongRows {
        /// As `on_error` says.
        #[default]
        Error = "error",
        /// The surplus fields are dropped.
        Truncate = "truncate",
        /// The surplus text, delimiters included, stays in the last column.
        MergeLast = "merge_last",
        /// The row is rejected.
        Reject = "reject",
    }
}
choices! {
    /// What happens to bytes that are not valid in the encoding.
    EncodingErrors {
        /// The run fails, naming the bytes.
        #[default]
        Error = "error" | "strict",
        /// U+FFFD stands in their place; they are counted.
        Replace = "replace",
        /// The row is rejected.
        Reject = "reject",
    }
}
choices! {
    /// What happens to NUL bytes in the text.
    NulBytes {
        /// They stay.
        #[default]
        Keep = "keep",
        /// They are removed and counted.
        Strip = "strip",
        /// The row is rejected.
        Reject = "reject",
    }
}
choices! {
    /// Which text is trimmed of blanks and tabs at both ends.
    Trim {
        /// None.
        #[default]
        None = "none" | "false",
        /// Column names.
        Headers = "headers",
        /// Unquoted fields.
        Fields = "fields",
        /// Both.
        All = "all" | "true",
    }
}
choices! {
    /// Which of the two decoders reads the rows. They give equal batches.
    DecoderChoice {
        /// The columnar one where it supports the dialect.
        #[default]
        Auto = "auto",
        /// arrow-csv: the reference.
        ArrowCsv = "arrow_csv",
        /// The columnar one.
        Columnar = "columnar",
    }
}
choices! {
    /// How quoted fields take part in inference.
    InferQuoted {
        /// Like any other value.
        #[default]
        Values = "values",
        /// A quoted value makes its column text.
        Text = "text",
    }
}
choices! {
    /// How far detection may go.
    Detect {
        /// Only settings that are `auto`; everything else is as given.
        #[default]
        Given = "given" | "none",
        /// The table a person would write down: preambles, damaged rows and all.
        All = "all",
    }
}
choices! {
    /// How columns of several inputs, or of an input and a table, find each other.
    MatchColumns {
        /// By name: exactly, then without regard to case where that is unique.
        #[default]
        Name = "name",
        /// By position.
        Position = "position",
    }
}
choices! {
    /// What happens to a table that exists when rows are loaded.
    LoadMode {
        /// It is in the way: the load fails.
        #[default]
        Create = "create",
        /// Rows are added to it; it is made if it is not there.
        Append = "append",
        /// A new table takes its place.
        Replace = "replace" | "full_refresh",
        /// Rows are inserted or updated by key; it is made if it is not there.
        Merge = "merge" | "upsert",
    }
}
choices! {
    /// Which of several rows with the same key a merge takes.
    Dedup {
        /// The last one.
        #[default]
        Last = "last",
        /// The first one.
        First = "first",
        /// The run fails.
        Error = "error",
    }
}
choices! {
    /// A compression of single streams.
    Compression {
        /// By magic bytes when reading, by file name when writing.
        #[default]
        Auto = "auto" | "infer",
        /// None.
        None = "none" | "uncompressed",
        /// gzip (RFC 1952).
        Gzip = "gzip" | "gz",
        /// bzip2.
        Bz2 = "bz2" | "bzip2",
        /// Zstandard.
        Zstd = "zstd" | "zst",
        /// xz.
        Xz = "xz" | "lzma",
        /// A zip archive; for reading only.
        Zip = "zip",
    }
}

impl Compression {
    /// The compression that a file name promises by its last extension; [`Compression::None`] by any other.
    ///
    /// ```
    /// use duckstream::Compression;
    /// assert_eq!(Compression::from_name("out/rows.CSV.GZ"), Compression::Gzip);
    /// assert_eq!(Compression::from_name("rows.csv"), Compression::None);
    /// ```
    pub fn from_name(name: &str) -> Compression {
        match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
            Some("gz" | "gzip" | "bgz") => Compression::Gzip,
            Some("bz2" | "bzip2") => Compression::Bz2,
            Some("zst" | "zstd") => Compression::Zstd,
            Some("xz") => Compression::Xz,
            Some("zip") => Compression::Zip,
            _ => Compression::None,
        }
    }
}

choices! {
    /// Which fields are written in quotes.
    Quoting {
        /// Those that need it: delimiter, quote, line end inside, or text that would read back as NULL.
        #[default]
        Minimal = "minimal" | "necessary" | "auto",
        /// Every field but NULL.
        All = "all" | "always",
        /// Every field of a column that is not a number.
        NonNumeric = "non_numeric" | "nonnumeric",
        /// Every value that is not NULL.
        NotNull = "not_null" | "notnull",
        /// None; a value that would need quotes is an error.
        None = "none" | "never",
    }
}
choices! {
    /// What happens when the output file exists.
    IfExists {
        /// It is replaced, in one step, when the new one is complete.
        #[default]
        Replace = "replace" | "overwrite",
        /// The run fails before any work is done.
        Error = "error" | "fail",
        /// Nothing is done.
        Skip = "skip",
    }
}
choices! {
    /// What happens to a character that the output encoding does not have.
    Unmappable {
        /// The run fails, naming row, column and character.
        #[default]
        Error = "error",
        /// `?` stands in its place.
        Replace = "replace",
        /// `\u{…}` stands in its place.
        Escape = "escape",
    }
}
choices! {
    /// Whether a byte order mark is written.
    WriteBom {
        /// For UTF-16 and UTF-32 only.
        #[default]
        Auto = "auto",
        /// Always, where the encoding has one.
        Always = "always" | "true",
        /// Never.
        Never = "never" | "false",
    }
}
