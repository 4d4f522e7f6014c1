//! Writes a labelled synthetic process log: `--events N --seed N --out FILE [--truth FILE] [--hosts N]
//! [--loss PERMILLE] [--short-lived] [--bots PERMILLE]`. `--out -` is standard output. `--demo fixtures/demo`
//! rewrites the shipped sample instead.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use ringleader_engine::simulate::{self, Config};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    let (mut out, mut truth) = ("-".to_owned(), None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--short-lived" {
            config.loss.short_lived = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--events" => config.events = value.parse()?,
            "--seed" => config.seed = value.parse()?,
            "--hosts" => config.hosts = Some(value.parse()?),
            "--loss" => config.loss.permille = value.parse()?,
            "--bots" => config.bot_permille = value.parse()?,
            "--out" => out = value,
            "--truth" => truth = Some(value),
            "--demo" => return Ok(simulate::demo::write(std::path::Path::new(&value))?),
            _ => return Err(format!("unknown argument {arg}").into()),
        }
    }
    let mut out: Box<dyn Write> =
        if out == "-" { Box::new(io::stdout().lock()) } else { Box::new(File::create(&out)?) };
    let mut truth = truth.map(File::create).transpose()?.map(BufWriter::new);
    let start = Instant::now();
    let counts = simulate::write(&config, &mut out, truth.as_mut().map(|it| it as &mut dyn Write))?;
    eprintln!("{counts:?} in {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}
