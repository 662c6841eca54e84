use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

/// Linux counts the time of a process in hundredths of a second on every architecture of Debian.
const MICROS_PER_TICK: u64 = 10_000;
/// Field 4 of `/proc/PID/stat`, counted after the name, which may hold spaces and brackets.
const PARENT: usize = 1;
/// Fields 14 to 17: user and system time, its own and that of the children it has waited for.
const TIMES: std::ops::Range<usize> = 11..15;

/// Memory of one program, all its processes together, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    /// Its own: heaps, stacks, and what its processes share among themselves.
    pub(super) anon_kib: u64,
    /// Pages of files that it has mapped; the kernel takes them back when it needs room.
    pub(super) file_kib: u64,
}

impl Memory {
    /// What the processes `roots` and everything that they started use now.
    pub(super) fn of(roots: &[u32]) -> Result<Self> {
        let pids = Snapshot::take()?.tree(roots)?;
        if let [pid] = pids[..] {
            return Self::of_one(&read(pid, "status")?);
        }
        let shares = pids.iter().filter_map(|pid| Self::share_of(&read(*pid, "smaps_rollup").ok()?));
        Ok(shares.fold(Self::default(), |sum, share| Self {
            anon_kib: sum.anon_kib + share.anon_kib,
            file_kib: sum.file_kib + share.file_kib,
        }))
    }

    fn of_one(status: &str) -> Result<Self> {
        let field = |name: &str| kib(status, name).with_context(|| format!("/proc/PID/status has no {name}"));
        Ok(Self { anon_kib: field("RssAnon:")? + field("RssShmem:")?, file_kib: field("RssFile:")? })
    }

    /// The part of one process where several share pages. `None` for one that has ended meanwhile.
    fn share_of(rollup: &str) -> Option<Self> {
        Some(Self {
            anon_kib: kib(rollup, "Pss_Anon:")? + kib(rollup, "Pss_Shmem:")?,
            file_kib: kib(rollup, "Pss_File:")?,
        })
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

/// The CPU time that the processes `roots` and everything that they started have used so far, user and
/// system, in µs; that of children that have ended is with those that waited for them.
pub(super) fn cpu_micros(roots: &[u32]) -> Result<u64> {
    let snapshot = Snapshot::take()?;
    Ok(snapshot.tree(roots)?.iter().map(|pid| snapshot.ticks[pid]).sum::<u64>() * MICROS_PER_TICK)
}

/// Every process of the machine at one moment.
struct Snapshot {
    parents: HashMap<u32, u32>,
    ticks: HashMap<u32, u64>,
}

impl Snapshot {
    fn take() -> Result<Self> {
        let mut snapshot = Self { parents: HashMap::new(), ticks: HashMap::new() };
        for entry in std::fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
            // Processes of others come and go meanwhile.
            let Ok(stat) = read(pid, "stat") else { continue };
            let (parent, ticks) = parent_and_ticks(&stat).context("/proc/PID/stat has an unknown shape")?;
            snapshot.parents.insert(pid, parent);
            snapshot.ticks.insert(pid, ticks);
        }
        Ok(snapshot)
    }

    /// The processes and their descendants.
    fn tree(&self, roots: &[u32]) -> Result<Vec<u32>> {
        for root in roots {
            ensure!(self.parents.contains_key(root), "process {root} has ended");
        }
        Ok(self.parents.keys().copied().filter(|pid| self.descends(*pid, roots)).collect())
    }

    fn descends(&self, pid: u32, roots: &[u32]) -> bool {
        let mut line = std::iter::successors(Some(pid), |pid| self.parents.get(pid).copied());
        line.any(|ancestor| roots.contains(&ancestor))
    }
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let times = fields.get(TIMES)?.iter().map(|field| field.parse::<u64>());
    Some((fields[PARENT].parse().ok()?, times.sum::<Result<u64, _>>().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_shapes_of_proc_are_read() {
        assert_eq!(parent_and_ticks("7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 120 34 5 6 20"), Some((1, 165)));
        assert_eq!(parent_and_ticks("7 (short) S 1 2"), None);
        assert_eq!(kib("VmRSS:\t  30 kB\nRssAnon:\t  12 kB\n", "RssAnon:"), Some(12));
        assert_eq!(kib("VmRSS:\t  30 kB\n", "RssAnon:"), None);
    }

    #[test]
    fn a_process_is_measured_with_those_it_started() {
        let own = std::process::id();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(Snapshot::take().unwrap().tree(&[own]).unwrap().contains(&child.id()));
        assert!(Memory::of(&[own]).unwrap().anon_kib > 0);
        cpu_micros(&[own, child.id()]).unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(cpu_micros(&[child.id()]).is_err(), "a program that has ended cannot be measured");
    }
}
