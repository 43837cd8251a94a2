//! What is read: a path, a member of an archive, standard input, any reader.
//!
//! In: what a person types: a path, `-`, a glob, `archive.zip::glob`. Out: [`Source`]s, sorted by name, each of
//! which exists. A path that exists is never taken for a glob; a glob that finds nothing is refused.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::archive;

/// One input.
#[non_exhaustive]
pub enum Source {
    /// A file. A zip archive stands for the one data member that it has.
    Path(PathBuf),
    /// A member of a zip archive.
    Member {
        /// The archive.
        archive: PathBuf,
        /// The member's name in it.
        name: String,
    },
    /// Standard input.
    Stdin,
    /// Any reader.
    Reader {
        /// What messages call it.
        name: String,
        /// The bytes: compressed or not, in any encoding.
        read: Box<dyn Read + Send>,
    },
}

impl Source {
    /// A source that reads from `read`, called `name` in messages.
    pub fn reader(name: impl Into<String>, read: impl Read + Send + 'static) -> Self {
        Source::Reader { name: name.into(), read: Box::new(read) }
    }

    /// The inputs that a command-line argument means, in order of their names: `-` is standard input; then a path
    /// that exists; then `archive.zip::glob` and globs (`*`, `?`, `[…]`, `**`). As in a shell, a `*` does not match
    /// a leading dot, and matches `/` only in member names.
    ///
    /// ```
    /// use duckstream::Source;
    /// assert!(matches!(Source::expand("-")?[..], [Source::Stdin]));
    /// assert_eq!(Source::expand("*/no such file.csv").unwrap_err().to_string(),
    ///     "CSV file not found: */no such file.csv");
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where nothing matches, [`ErrorKind::Usage`] for a malformed glob and for a folder, and
    /// those of opening an archive.
    pub fn expand(argument: &str) -> Result<Vec<Source>> {
        if argument == "-" {
            return Ok(vec![Source::Stdin]);
        }
        let path = Path::new(argument);
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => return Err(is_folder(path)),
            Ok(_) => return Ok(vec![Source::Path(path.to_owned())]),
            Err(_) => {}
        }
        if let Some((archives, members)) = argument.split_once("::") {
            let mut sources = Vec::new();
            for archive in expand_paths(archives)? {
                for name in archive::matching(&archive, members)? {
                    sources.push(Source::Member { archive: archive.clone(), name });
                }
            }
            return some(sources, argument);
        }
        some(expand_paths(argument)?.into_iter().map(Source::Path).collect(), argument)
    }

    /// Whether the input can be opened again and will give the same bytes: files can, pipes and streams cannot.
    pub fn is_replayable(&self) -> bool {
        match self {
            Source::Path(path) | Source::Member { archive: path, .. } => {
                path.metadata().is_ok_and(|metadata| metadata.is_file())
            }
            Source::Stdin | Source::Reader { .. } => false,
        }
    }

    /// The start of the input, for messages.
    pub fn location(&self) -> Location {
        match self {
            Source::Path(path) => Location::new(path.to_string_lossy()),
            Source::Member { archive, name } => Location::new(archive.to_string_lossy()).with_member(name),
            Source::Stdin => Location::new("-"),
            Source::Reader { name, .. } => Location::new(name),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location().fmt(f)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Source::Path(path)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Source::Path(path.to_owned())
    }
}

/// Opens a file; its size where it is a regular one.
pub(super) fn open_file(path: &Path) -> Result<(File, Option<u64>)> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::from(ErrorKind::NotFound { path: path.to_owned() }),
        _ => ErrorKind::Read { at: Location::new(path.to_string_lossy()), source }.into(),
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(is_folder(path));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

fn expand_paths(pattern: &str) -> Result<Vec<PathBuf>> {
    if Path::new(pattern).is_file() || !pattern.contains(['*', '?', '[']) {
        return match Path::new(pattern).metadata() {
            Ok(_) => Ok(vec![PathBuf::from(pattern)]),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_found(pattern)),
            Err(source) => Err(ErrorKind::Read { at: Location::new(pattern), source }.into()),
        };
    }
    let shell =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let matches =
        glob::glob_with(pattern, shell).map_err(|error| Error::usage(format!("'{pattern}' is not a glob: {error}")))?;
    let mut paths = Vec::new();
    for path in matches {
        let path = path.map_err(|error| {
            let at = Location::new(error.path().to_string_lossy());
            Error::from(ErrorKind::Read { at, source: error.into() })
        })?;
        if !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn some<T>(found: Vec<T>, pattern: &str) -> Result<Vec<T>> {
    if found.is_empty() { Err(not_found(pattern)) } else { Ok(found) }
}

fn not_found(path: &str) -> Error {
    ErrorKind::NotFound { path: PathBuf::from(path) }.into()
}

fn is_folder(path: &Path) -> Error {
    let path = path.display();
    Error::usage(format!("{path} is a folder; name its files, for example with '{path}/*.csv'"))
}
