//! The tables, as migrations: single statements, applied one by one.
//!
//! Owns what every release knows of the layout. Must never change a migration that was released, or
//! hold a statement that cannot be run again after a kill.

/// One step from a schema to the next.
pub(crate) struct Migration {
    files: &'static [&'static str],
    /// The oldest schema whose release works with these tables: nodes are replaced one after the other.
    pub(crate) compatible_from: usize,
}

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        files: &[
            include_str!("accounts.sql"),
            include_str!("ledger.sql"),
            include_str!("limits.sql"),
            include_str!("nodes.sql"),
            include_str!("registry.sql"),
            include_str!("worlds.sql"),
        ],
        compatible_from: 1,
    },
    Migration { files: &[include_str!("office.sql")], compatible_from: 1 },
    // A node of before takes an agreement that is to come for the one in force: date none until all are replaced.
    Migration { files: &[include_str!("agreements.sql")], compatible_from: 1 },
    Migration { files: &[include_str!("prepaid.sql")], compatible_from: 1 },
    Migration { files: &[include_str!("app_secrets.sql")], compatible_from: 1 },
    // A node of before knows of no restriction: make none until all are replaced.
    Migration { files: &[include_str!("restrictions.sql")], compatible_from: 1 },
    Migration { files: &[include_str!("refusals.sql")], compatible_from: 1 },
    Migration { files: &[include_str!("secret_endings.sql")], compatible_from: 1 },
    Migration { files: &[include_str!("deliveries.sql")], compatible_from: 1 },
];

impl Migration {
    /// Its statements, without what the files say to people.
    pub(crate) fn statements(&self) -> Vec<String> {
        let told = |line: &'static str| line.split_once("--").map_or(line, |(told, _)| told);
        let text = |file: &&'static str| file.lines().map(told).collect::<Vec<_>>().join("\n");
        let files: Vec<String> = self.files.iter().map(text).collect();
        let statements = files.iter().flat_map(|file| file.split(';')).map(str::trim);
        statements.filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
    }
}
