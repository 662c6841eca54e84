use anyhow::{Context, Result, bail, ensure};

/// What is asked of an installation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    pub(super) lines: f64,
    /// At the busiest moment.
    pub(super) checks_per_s: f64,
}

/// The guide's: a box, a country with a bank on every line, a continent.
pub(super) const EXAMPLES: [Demand; 3] = [
    Demand { lines: 1e6, checks_per_s: 200.0 },
    Demand { lines: 50e6, checks_per_s: 5_000.0 },
    Demand { lines: 1e9, checks_per_s: 100_000.0 },
];

/// What is assumed, not measured. Each is an option of the command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    values: [f64; OPTIONS.len()],
}

/// Name, default, least, most, meaning.
type Assumption = (&'static str, f64, f64, f64, &'static str);

const OPTIONS: [Assumption; 13] = [
    ("--mean-percent", 40.0, 1.0, 100.0, "the mean of a day, of its busiest moment"),
    ("--busy-percent", 60.0, 10.0, 95.0, "how busy a core or a chain may be at the busiest moment"),
    ("--months", 12.0, 1.0, 120.0, "months of checks that the disks hold"),
    ("--subject-days", 120.0, 1.0, 3_650.0, "days for which side rows are kept"),
    ("--node-cores", 4.0, 1.0, 256.0, "cores of a node"),
    ("--shard-cores", 16.0, 1.0, 256.0, "cores of a database server"),
    ("--shard-tib", 30.0, 0.1, 500.0, "TiB of its disks"),
    ("--shard-wal-mib-per-s", 200.0, 1.0, 10_000.0, "write-ahead log that it and its link to a standby carry"),
    ("--standby-ms", 1.0, 0.0, 200.0, "what waiting for a synchronous standby adds to a commit"),
    ("--replicas", 2.0, 0.0, 5.0, "standbys of each database server"),
    ("--core-price", 25.0, 0.0, 1e6, "a core with 4 GiB of memory, a month"),
    ("--tib-price", 80.0, 0.0, 1e6, "a TiB of its own NVMe, a month"),
    ("--seed", 1.0, 0.0, 9e15, "of the simulated arrivals"),
];

impl Default for Settings {
    fn default() -> Self {
        Self { values: OPTIONS.map(|(_, default, ..)| default) }
    }
}

impl Settings {
    fn value(&self, name: &str) -> f64 {
        let place = OPTIONS.iter().position(|(known, ..)| *known == name);
        self.values[place.expect("only options of the list are asked for")]
    }

    pub(super) fn mean_share(&self) -> f64 {
        self.value("--mean-percent") / 100.0
    }

    pub(super) fn busy_share(&self) -> f64 {
        self.value("--busy-percent") / 100.0
    }

    pub(super) fn days(&self) -> f64 {
        self.value("--months") * 365.25 / 12.0
    }

    pub(super) fn subject_days(&self) -> f64 {
        self.value("--subject-days")
    }

    pub(super) fn node_cores(&self) -> f64 {
        self.value("--node-cores")
    }

    pub(super) fn shard_cores(&self) -> f64 {
        self.value("--shard-cores")
    }

    pub(super) fn shard_tib(&self) -> f64 {
        self.value("--shard-tib")
    }

    pub(super) fn shard_wal_mib_per_s(&self) -> f64 {
        self.value("--shard-wal-mib-per-s")
    }

    pub(super) fn standby_ms(&self) -> f64 {
        self.value("--standby-ms")
    }

    pub(super) fn replicas(&self) -> f64 {
        self.value("--replicas")
    }

    pub(super) fn core_price(&self) -> f64 {
        self.value("--core-price")
    }

    pub(super) fn tib_price(&self) -> f64 {
        self.value("--tib-price")
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within its limits")]
    pub(super) fn seed(&self) -> u64 {
        self.value("--seed") as u64
    }

    /// Each assumption as `--name value`, with what it means.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&'static str, f64, &'static str)> + '_ {
        OPTIONS.iter().zip(self.values).map(|((name, .., meaning), value)| (*name, value, *meaning))
    }
}

/// The demand, where both of its options are there, and the assumptions.
pub(super) fn read(args: &[String]) -> Result<(Option<Demand>, Settings)> {
    let (mut lines, mut checks_per_s, mut settings) = (None, None, Settings::default());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let mut number = |least: f64, most: f64| -> Result<f64> {
            let value = words.next().and_then(|value| value.parse::<f64>().ok());
            let value = value.filter(|value| (least..=most).contains(value));
            value.with_context(|| format!("{word} needs a number from {least} to {most}"))
        };
        match word.as_str() {
            "--lines" => lines = Some(number(1.0, 1e11)?),
            "--checks-per-second" => checks_per_s = Some(number(1.0, 1e8)?),
            other => {
                let Some(place) = OPTIONS.iter().position(|(name, ..)| *name == other) else {
                    bail!("'{other}' is no option of capacity")
                };
                let (_, _, least, most, _) = OPTIONS[place];
                settings.values[place] = number(least, most)?;
            }
        }
    }
    ensure!(lines.is_some() == checks_per_s.is_some(), "--lines and --checks-per-second come together");
    Ok((lines.zip(checks_per_s).map(|(lines, checks_per_s)| Demand { lines, checks_per_s }), settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_demand_has_both_of_its_sides_or_none() {
        assert_eq!(read(&[]).unwrap(), (None, Settings::default()));
        let (demand, settings) = read(&words("--lines 1e9 --checks-per-second 100000 --replicas 1")).unwrap();
        assert_eq!(demand, Some(Demand { lines: 1e9, checks_per_s: 1e5 }));
        assert!((settings.replicas() - 1.0).abs() < f64::EPSILON);
        for wrong in ["--lines 5", "--lines", "--replicas x", "--busy-percent 100", "--cores 4", "--months nan"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
