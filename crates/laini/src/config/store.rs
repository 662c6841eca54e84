use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// Which engine remembers everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    /// Files of the data directory, for one node.
    #[default]
    Embedded,
    /// A database that speaks PostgreSQL's protocol, for several.
    Postgres,
}

/// Where everything is remembered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreConfig {
    pub(crate) kind: StoreKind,
    pub(crate) url: String,
    password_file: String,
    ca_file: String,
    pub(crate) node: String,
    pub(crate) connections_max: u32,
    pub(crate) connection_wait_ms: u64,
    pub(crate) connect_timeout_ms: u64,
    pub(crate) prepared_statements: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            kind: StoreKind::Embedded,
            url: String::new(),
            password_file: String::new(),
            ca_file: String::new(),
            node: String::new(),
            connections_max: 8,
            connection_wait_ms: 200,
            connect_timeout_ms: 2_000,
            prepared_statements: true,
        }
    }
}

impl StoreConfig {
    /// The database's password, where a file holds it.
    pub(crate) fn password(&self) -> anyhow::Result<Option<String>> {
        let text = read("store.password_file", &self.password_file)?.map(String::from_utf8).transpose();
        let text = text.context("store.password_file is not text")?;
        Ok(text.map(|text| text.lines().next().unwrap_or_default().to_owned()))
    }

    /// The authorities that the database's certificate is checked against, where they are not the system's.
    pub(crate) fn authorities(&self) -> anyhow::Result<Option<Vec<u8>>> {
        read("store.ca_file", &self.ca_file)
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!((1..=1_000).contains(&self.connections_max), "store.connections_max is not within 1 to 1000");
        for (name, value) in
            [("connection_wait_ms", self.connection_wait_ms), ("connect_timeout_ms", self.connect_timeout_ms)]
        {
            ensure!((10..=60_000).contains(&value), "store.{name} is not within 10 to 60000");
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ensure!(
            self.node.len() <= 100 && self.node.chars().all(fits),
            "store.node has up to 100 letters, digits, - _ or ."
        );
        ensure!(
            self.kind == StoreKind::Embedded || !self.url.is_empty(),
            "store.url must say where the database is, such as postgresql://laini@db1,db2:5432/laini"
        );
        ensure!(
            !has_password(&self.url),
            "store.url holds a password, which `laini config check` would show; put it into a file that \
             store.password_file names"
        );
        Ok(())
    }
}

/// Whether an address of either form holds a password.
fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || url.contains("password=") || url.contains("password =")
}

fn read(setting: &str, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if path.is_empty() {
        return Ok(None);
    }
    std::fs::read(path).map(Some).with_context(|| format!("{setting}: {path} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    fn refused(store: &str) -> String {
        let text = format!("[store]\n{store}\n");
        resolve(Some(("laini.toml", text.as_str())), &|_| None, &[]).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_database_needs_an_address_without_a_password() {
        assert!(refused("kind = \"postgres\"").contains("store.url must say"));
        for url in ["postgresql://laini:secret@db1/laini", "host=db1 password=secret", "postgres://a:b@h1,h2/x?y=z"] {
            assert!(refused(&format!("url = \"{url}\"")).contains("holds a password"), "{url}");
        }
        let fine = "[store]\nkind = \"postgres\"\nurl = \"postgresql://laini@db1:5432,db2:5433/laini\"\n";
        resolve(Some(("laini.toml", fine)), &|_| None, &[]).unwrap();
    }
}
