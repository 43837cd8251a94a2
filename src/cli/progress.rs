//! Progress on stderr: a bar, plain lines, JSON lines, or nothing.
//!
//! In: [`Progress`], at most every 100 ms. Out: as the mode says. `auto` is a bar on a terminal once a run lasts longer
//! than a second, and nothing in a log.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::{count, eprint_line};
use crate::job::{Progress, ProgressCallback, Stage};

/// How long a run lasts before it gets a bar.
const BAR_AFTER: Duration = Duration::from_secs(1);
/// Time between two lines.
const PLAIN_EVERY: Duration = Duration::from_secs(2);
const JSON_EVERY: Duration = Duration::from_millis(500);
/// Steps of the bar.
const STEPS: u64 = 1000;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// A bar on a terminal, nothing elsewhere.
    #[default]
    Auto,
    /// A bar; plain lines where there is no terminal.
    Bar,
    /// A line every two seconds.
    Plain,
    /// A JSON object every half second.
    Json,
    /// Nothing.
    Off,
}

/// What shows progress.
#[derive(Clone)]
pub(crate) struct Display {
    mode: Mode,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    last: Option<(Duration, Stage)>,
}

impl Display {
    pub(crate) fn new(mode: Mode, quiet: bool) -> Display {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let terminal = std::io::stderr().is_terminal() && variable("TERM") != "dumb";
        let watched = !matches!(variable("CI").as_str(), "true" | "1" | "yes");
        let mode = match mode {
            Mode::Auto if quiet || !terminal || !watched => Mode::Off,
            Mode::Auto => Mode::Bar,
            Mode::Bar if !terminal => Mode::Plain,
            given => given,
        };
        Display { mode, state: Arc::default() }
    }

    /// What the run's monitor calls.
    pub(crate) fn callback(&self) -> Option<ProgressCallback> {
        if self.mode == Mode::Off {
            return None;
        }
        let display = self.clone();
        Some(Arc::new(move |progress| {
            display.show(progress);
            ControlFlow::Continue(())
        }))
    }

    /// Takes the bar away, so that what is printed next stands alone.
    pub(crate) fn clear(&self) {
        if let Some(bar) = self.state.lock().unwrap_or_else(PoisonError::into_inner).bar.take() {
            bar.finish_and_clear();
        }
    }

    fn show(&self, progress: &Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.mode {
            Mode::Bar => state.draw(progress),
            Mode::Plain if state.due(progress, PLAIN_EVERY) => eprint_line(&line(progress)),
            Mode::Json if state.due(progress, JSON_EVERY) => eprint_line(&object(progress)),
            _ => {}
        }
    }
}

impl State {
    /// Whether it is time for another line: always when all is done.
    fn due(&mut self, progress: &Progress, every: Duration) -> bool {
        let due = match self.last {
            // The clock starts again with every step of a pipeline.
            Some((last, stage)) => {
                progress.elapsed < last
                    || progress.elapsed - last >= every
                    || (progress.stage == Stage::Done && stage != Stage::Done)
            }
            None => progress.elapsed >= every || progress.stage == Stage::Done,
        };
        if due {
            self.last = Some((progress.elapsed, progress.stage));
        }
        due
    }

    fn draw(&mut self, progress: &Progress) {
        if self.bar.is_none() && progress.elapsed < BAR_AFTER {
            return;
        }
        let known = progress.fraction();
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            let template = if known.is_some() { "{wide_bar} {percent:>3} % {msg}" } else { "{spinner} {msg}" };
            // A template that does not parse would be ours; the default bar is better than none.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
            }
            bar
        });
        bar.set_message(figures(progress));
        match known {
            Some(fraction) => bar.set_position((fraction * STEPS as f64) as u64),
            None => bar.tick(),
        }
    }
}

/// Rows, speed, and what is left.
fn figures(progress: &Progress) -> String {
    let mut text = format!("{} rows · {}/s", count(progress.rows), count(progress.rows_per_second() as u64));
    if progress.rejects > 0 {
        text.push_str(&format!(" · {} rejected", count(progress.rejects)));
    }
    if let Some(fraction) = progress.fraction().filter(|part| *part > 0.01 && progress.stage != Stage::Done) {
        let left = progress.elapsed.as_secs_f64() * (1.0 - fraction) / fraction;
        text.push_str(&format!(" · {} left", clock(left)));
    }
    if progress.stage == Stage::Commit {
        text.push_str(" · committing");
    }
    text
}

fn line(progress: &Progress) -> String {
    match progress.fraction() {
        Some(fraction) => format!("{:5.1} % · {}", 100.0 * fraction, figures(progress)),
        None => figures(progress),
    }
}

fn object(progress: &Progress) -> String {
    json!({
        "event": "progress",
        "stage": format!("{:?}", progress.stage).to_lowercase(),
        "bytes": progress.bytes,
        "total_bytes": progress.total_bytes,
        "rows": progress.rows,
        "total_rows": progress.total_rows,
        "rejects": progress.rejects,
        "fraction": progress.fraction(),
        "rows_per_s": progress.rows_per_second().round(),
        "elapsed_ms": progress.elapsed.as_millis() as u64,
    })
    .to_string()
}

/// Seconds as a person reads them.
fn clock(seconds: f64) -> String {
    let seconds = seconds.min(1e9).ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, stage: Stage) -> Progress {
        Progress {
            stage,
            rows: 1_500_000,
            bytes: 50,
            total_bytes: Some(100),
            elapsed: Duration::from_secs(seconds),
            ..Progress::default()
        }
    }

    #[test]
    fn lines_are_rare_and_the_last_one_comes() {
        let mut state = State::default();
        let due: Vec<bool> =
            [at(1, Stage::Read), at(2, Stage::Read), at(3, Stage::Read), at(4, Stage::Read), at(4, Stage::Done)]
                .iter()
                .map(|progress| state.due(progress, PLAIN_EVERY))
                .collect();
        assert_eq!(due, [false, true, false, true, true]);
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(line(&at(100, Stage::Read)), " 50.0 % · 1,500,000 rows · 15,000/s · 1:40 left");
        assert_eq!(line(&at(100, Stage::Done)), "100.0 % · 1,500,000 rows · 15,000/s");
        let json: serde_json::Value = serde_json::from_str(&object(&at(2, Stage::Write))).unwrap();
        assert_eq!((json["stage"].as_str(), json["fraction"].as_f64()), (Some("write"), Some(0.5)));
        assert_eq!(clock(3725.0), "1:02:05");
    }
}
