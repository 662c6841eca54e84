use anyhow::{Context, Result};

/// Linux counts the time of a process in hundredths of a second on every architecture of Debian.
const MICROS_PER_TICK: u64 = 10_000;

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    /// Its own: heap and stacks.
    pub(super) anon_kib: u64,
    /// Pages of files that it has mapped; the kernel takes them back when it needs room.
    pub(super) file_kib: u64,
}

impl Memory {
    /// What the process uses now.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/status");
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let field = |name: &str| kib(&status, name).with_context(|| format!("{path} has no {name}"));
        Ok(Self { anon_kib: field("RssAnon:")?, file_kib: field("RssFile:")? })
    }

    /// The greater of each.
    pub(super) fn max(self, other: Self) -> Self {
        Self { anon_kib: self.anon_kib.max(other.anon_kib), file_kib: self.file_kib.max(other.file_kib) }
    }
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The CPU time that the process has used so far, user and system, in µs.
pub(super) fn cpu_micros(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    ticks(&stat).map(|ticks| ticks * MICROS_PER_TICK).with_context(|| format!("{path} has an unknown shape"))
}

/// Fields 14 and 15. The name, field 2, may hold spaces and brackets, so counting starts after it.
fn ticks(stat: &str) -> Option<u64> {
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_of_proc_are_read() {
        assert_eq!(ticks("7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20"), Some(154));
        assert_eq!(ticks("7 (short) S 1 2"), None);
        assert_eq!(kib("VmRSS:\t  30 kB\nRssAnon:\t  12 kB\n", "RssAnon:"), Some(12));
        assert_eq!(kib("VmRSS:\t  30 kB\n", "RssAnon:"), None);
    }

    #[test]
    fn this_process_is_measured() {
        let own = std::process::id();
        assert!(Memory::of(own).unwrap().anon_kib > 0);
        cpu_micros(own).unwrap();
    }
}
