use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// A Debian package that a step needs.
pub(crate) struct Package {
    name: &'static str,
    /// A line of shell that succeeds where it is there, whoever installed it.
    present: &'static str,
    why: &'static str,
}

/// What `cargo xtask test` needs beside Rust.
pub(crate) const FOR_TESTS: &[Package] = &[
    Package { name: "git", present: "command -v git", why: "lists the files that tidy reads" },
    Package {
        name: "ca-certificates",
        present: "test -s /etc/ssl/certs/ca-certificates.crt",
        why: "the package managers of the client tests check certificates",
    },
    Package { name: "faketime", present: "command -v faketime", why: "an operator's extract has answers of one day" },
    Package { name: "systemd", present: "command -v systemd-analyze", why: "verifies the unit that is shipped" },
    Package {
        name: "python3-venv",
        present: "python3 -c 'import ensurepip, venv'",
        why: "two clients, schemathesis and the checks of manifests are Python",
    },
    Package { name: "nodejs", present: "command -v node", why: "two clients are JavaScript" },
    Package { name: "npm", present: "command -v npm", why: "installs them" },
    Package {
        name: "chromium-headless-shell",
        present: "test -x /usr/lib/chromium/chromium-headless-shell",
        why: "looks at the portal's pages",
    },
    Package { name: "curl", present: "command -v curl", why: "runs the guide's code for it" },
    Package { name: "jq", present: "command -v jq", why: "reads the token there" },
    Package { name: "php-cli", present: "command -v php", why: "runs the guide's PHP" },
    Package {
        name: "php-curl",
        present: "php -r 'exit(function_exists(\"curl_init\") ? 0 : 1);'",
        why: "asks from it",
    },
    Package { name: "default-jdk-headless", present: "command -v javac", why: "runs the guide's Java" },
    Package { name: "pkg-config", present: "command -v pkg-config", why: "finds OpenSSL for the Rust client" },
    Package {
        name: "postgresql",
        present: "ls /usr/lib/postgresql/*/bin/initdb",
        why: "the engine for several nodes stands on it",
    },
    Package {
        name: "patroni",
        present: "command -v patroni",
        why: "keeps three PostgreSQL servers for the failover tests",
    },
    Package { name: "iproute2", present: "command -v ip && command -v bridge", why: "cuts their machines off" },
    Package { name: "etcd-server", present: "command -v etcd", why: "holds Patroni's leader key" },
    Package { name: "pgbouncer", present: "command -v pgbouncer", why: "the pooler that checks are sent through" },
    Package { name: "libssl-dev", present: "pkg-config --exists openssl", why: "the Rust client links OpenSSL" },
];

/// What `cargo xtask bench` needs beside Rust.
pub(crate) const FOR_BENCH: &[Package] = &[Package { name: "wrk", present: "command -v wrk", why: "makes the load" }];

/// What the peers of `cargo xtask bench` need besides.
pub(crate) const FOR_PEERS: &[Package] = &[
    Package { name: "nginx", present: "command -v nginx", why: "a peer is nginx, Lua and Redis" },
    Package {
        name: "libnginx-mod-http-lua",
        present: "test -e /usr/lib/nginx/modules/ngx_http_lua_module.so",
        why: "runs its Lua",
    },
    Package {
        name: "lua-cjson",
        present: "ls /usr/lib/*/lua/5.1/cjson.so || ls /usr/lib/lua/5.1/cjson.so",
        why: "reads its JSON",
    },
    Package { name: "redis-server", present: "command -v redis-server", why: "holds its lines and records" },
    Package { name: "redis-tools", present: "command -v redis-cli", why: "loads them" },
    Package {
        name: "postgresql",
        present: "ls /usr/lib/postgresql/*/bin/initdb",
        why: "a peer is Fastify and PostgreSQL",
    },
    Package { name: "nodejs", present: "command -v node", why: "two peers are JavaScript" },
    Package { name: "npm", present: "command -v npm", why: "installs them" },
];

/// Package lists and downloads can be slow; longer than this they hang.
const APT_LIMIT_MINUTES: u32 = 10;

/// Installs what is missing; touches nothing where all is there. Needs root or sudo only then.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&Package> = packages.iter().filter(|package| !shell::holds(package.present)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        println!("missing: {} ({})", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let advice = || format!("install by hand, then run this again: apt-get install {}", names.join(" "));
    shell::run(&mut apt(&["update", "-qq"])).with_context(advice)?;
    let mut install = apt(&["install", "-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]);
    shell::run(install.args(&names)).with_context(advice)
}

fn apt(args: &[&str]) -> Command {
    let as_root: &[&str] = if shell::holds("test \"$(id -u)\" = 0") { &[] } else { &["sudo"] };
    let line = [as_root, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat();
    shell::command(APT_LIMIT_MINUTES, &line)
}
