use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use super::Findings;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::serving::DESCRIPTORS_KEPT;

/// With less the ledger soon cannot be written,
const DISK_FREE_BYTES_MIN: u64 = 512 << 20;
/// and with less somebody should see to it in time.
const DISK_FREE_BYTES_ADVISED: u64 = 5 << 30;

/// Room and limits of the machine.
pub(super) fn look(config: &Config, data: &DataDir, findings: &mut Findings) {
    match statvfs(data.path()) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{} MiB are free for the data directory", free >> 20);
            let hint = "make room: a ledger that cannot be written answers 503";
            if free < DISK_FREE_BYTES_MIN {
                findings.problem("disk", found, hint);
            } else if free < DISK_FREE_BYTES_ADVISED {
                findings.advice("disk", found, hint);
            }
        }
        Err(error) => findings.problem("disk", error.to_string(), "see that the data directory is mounted"),
    }
    let needed = config.server.connections_max as u64 + DESCRIPTORS_KEPT;
    if let Some(allowed) = getrlimit(Resource::Nofile).maximum.filter(|allowed| *allowed < needed) {
        findings.problem(
            "limits",
            format!("{allowed} file descriptors are allowed, server.connections_max needs {needed}"),
            "raise LimitNOFILE or ulimit -n, or lower server.connections_max",
        );
    }
}
