//! CSV, one byte after the other: slow, obvious, sharing nothing with the library. The oracle of every decoder.

/// What a field is: its text, and whether it was quoted.
pub type Cell = (Vec<u8>, bool);

/// One record as the rules have it.
#[derive(Debug, PartialEq, Clone)]
pub struct Row {
    pub cells: Vec<Cell>,
    /// Text stood after a closing quote.
    pub stray: bool,
    /// A quote was open at the end.
    pub unclosed: bool,
    /// Nothing stood on the line.
    pub blank: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Bare,
    Quoted,
    /// After a quote in a quoted field: it closed the field, or is the first of two.
    Quote,
    Stray,
}

/// All records of a text with the default dialect but for its delimiter.
pub fn rows(text: &[u8], delimiter: u8) -> Vec<Row> {
    let empty = Row { cells: Vec::new(), stray: false, unclosed: false, blank: false };
    let (mut all, mut row, mut cell, mut state) = (Vec::new(), empty.clone(), (Vec::new(), false), State::Start);
    let mut fresh = true;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        let outside = state != State::Quoted;
        if outside && byte == delimiter {
            row.cells.push(std::mem::take(&mut cell));
            (state, fresh) = (State::Start, false);
        } else if outside && matches!(byte, b'\n' | b'\r') {
            row.blank = fresh && state == State::Start;
            row.cells.push(std::mem::take(&mut cell));
            all.push(std::mem::replace(&mut row, empty.clone()));
            if byte == b'\r' && text.get(at) == Some(&b'\n') {
                at += 1;
            }
            (state, fresh) = (State::Start, true);
        } else {
            match (state, byte) {
                (State::Start, b'"') => (state, cell.1) = (State::Quoted, true),
                (State::Quoted, b'"') => state = State::Quote,
                (State::Quote, b'"') => {
                    cell.0.push(byte);
                    state = State::Quoted;
                }
                (State::Quote | State::Stray, _) => {
                    cell.0.push(byte);
                    (state, row.stray) = (State::Stray, true);
                }
                (State::Start, _) => {
                    cell.0.push(byte);
                    state = State::Bare;
                }
                _ => cell.0.push(byte),
            }
        }
    }
    if state != State::Start || !row.cells.is_empty() {
        row.unclosed = state == State::Quoted;
        row.cells.push(cell);
        all.push(row);
    }
    all
}
