//! What reading a compressed file costs beside its decompressor alone: the bare decoder in one thread, our input, and a
//! load into DuckDB.
//!
//! `cargo bench --bench decompress -- FILE.csv.gz …`; medians of 5, taken in turns. `load / bare` is to be at most 1.15
//! where the decompressor is the bottleneck: where it takes longer than the load of the plain text.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::time::Instant;

use duckstream::{CancelToken, CsvLoad, Database, ReaderOptions, Source, open_input};

const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.is_empty() {
        println!("decompress: give compressed CSV files to measure");
    }
    for input in &arguments {
        let (mut alone, mut opened, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            alone.push(timed(|| drain(bare(input))));
            opened.push(timed(|| {
                let source = Source::expand(input).expect("the input").remove(0);
                drain(open_input(source, &ReaderOptions::default(), &CancelToken::new()).expect("the input").text);
            }));
            loaded.push(timed(|| {
                let database = Database::open(":memory:").expect("a database");
                let load = CsvLoad::new(Source::expand(input).expect("the input"), "t".parse().expect("a name"));
                load.run(&database).expect("a load");
            }));
        }
        let (alone, opened, loaded) = (median(alone), median(opened), median(loaded));
        println!(
            "{input}: bare {alone:.3} s, input {opened:.3} s ({:.2}), load {loaded:.3} s ({:.2})",
            opened / alone,
            loaded / alone
        );
    }
}

fn bare(input: &str) -> Box<dyn Read> {
    let file = BufReader::with_capacity(256 << 10, File::open(input).expect("the input"));
    match input.rsplit('.').next() {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::with_buffer(file).expect("zstd")),
        Some("bz2") => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Some("xz") => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        Some("zip") => {
            // The one member, deflated: its stream follows its header.
            let mut archive = zip::ZipArchive::new(file).expect("zip");
            let (start, size) = {
                let member = archive.by_index_raw(0).expect("a member");
                (member.data_start().expect("an offset"), member.compressed_size())
            };
            let mut file = File::open(input).expect("the input");
            io::Seek::seek(&mut file, io::SeekFrom::Start(start)).expect("the member");
            Box::new(flate2::bufread::DeflateDecoder::new(BufReader::with_capacity(256 << 10, file.take(size))))
        }
        _ => Box::new(file),
    }
}

fn drain(mut read: impl Read) {
    let mut buffer = vec![0; 256 << 10];
    while read.read(&mut buffer).expect("the input") > 0 {}
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
