use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::server::Server;
use crate::{installed, shell};

/// The page whose code is run as it stands there.
const PAGE: &str = "docs/guide/getting-started.md";
const RUN_LIMIT_MINUTES: u32 = 3;
/// What stands on the page where the reader's own goes.
const KEY: &str = "YOUR_CONSUMER_KEY";
const SECRET: &str = "YOUR_SECRET";
const SERVER: &str = "https://sandbox.operator.example";
/// The number that the page asks about: its SIM was changed today.
const SWAPPED_TODAY: &str = "254722000002";

/// A language of the page that is run here. Rust is compiled with the SDK, as an example of it.
struct Language {
    /// Its tab.
    tab: &'static str,
    file: &'static str,
    /// What a whole program has around the page's code.
    before: &'static str,
    after: &'static str,
    run: fn(&Tools, &Path) -> Result<Command>,
}

const LANGUAGES: &[Language] = &[
    Language { tab: "curl", file: "main.sh", before: "set -eu\n", after: "", run: |_, file| Ok(program("bash", file)) },
    Language {
        tab: "Python",
        file: "main.py",
        before: "",
        after: "",
        run: |tools, file| Ok(program(&tools.python.join("bin/python").to_string_lossy(), file)),
    },
    Language { tab: "TypeScript", file: "main.mts", before: "", after: "\nexport {};\n", run: typescript },
    Language { tab: "PHP", file: "main.php", before: "<?php\n", after: "", run: |_, file| Ok(program("php", file)) },
    Language {
        tab: "Java",
        file: "Main.java",
        before: "import java.net.URI;\nimport java.net.http.*;\nimport java.net.http.HttpRequest.BodyPublishers;\n\
                 import java.net.http.HttpResponse.BodyHandlers;\nimport java.time.Duration;\nimport java.util.Base64;\n\
                 import static java.nio.charset.StandardCharsets.UTF_8;\n\
                 class Main { public static void main(String[] args) throws Exception {\n",
        after: "\n} }\n",
        run: |_, file| Ok(program("java", file)),
    },
];

/// Where what the languages need is installed.
struct Tools {
    python: PathBuf,
    node: PathBuf,
}

/// Runs the code of the page in each language against `server`; returns how many printed the right answer.
pub(crate) fn run(server: &Server, dir: &Path) -> Result<u64> {
    let folder = shell::root().join("tests/samples");
    let tools = Tools { python: folder.join(".work/python"), node: folder.join(".work/node") };
    installed::python(&folder.join("requirements.txt"), &tools.python).context("cannot install what samples need")?;
    installed::node(&folder, &tools.node).context("cannot install what samples need")?;
    let text = std::fs::read_to_string(shell::root().join(PAGE))?;
    let codes = codes(&text);
    let (credentials, base) = (server.credentials("sandbox")?, server.base_url()?);
    let mut passed = 0;
    for language in LANGUAGES {
        let code = codes.get(language.tab).with_context(|| format!("{PAGE} has no code for {}", language.tab))?;
        let code = code.replace(KEY, &credentials.key).replace(SECRET, &credentials.secret).replace(SERVER, base);
        let own = dir.join(language.tab);
        std::fs::create_dir_all(&own)?;
        let file = own.join(language.file);
        std::fs::write(&file, format!("{}{code}{}", language.before, language.after))?;
        let mut command = (language.run)(&tools, &file)?;
        command.env("LAINI", base).env("LAINI_SECRET", &credentials.secret);
        let printed = shell::output(&mut command).with_context(|| format!("the {} of {PAGE}", language.tab))?;
        // The day is the operator's; that it is none of long ago is enough to see that it was asked.
        let said =
            printed.contains(SWAPPED_TODAY) && printed.contains("lastSwapDate") && !printed.contains("01-01-1900");
        ensure!(said, "the {} of {PAGE} printed {printed:?}", language.tab);
        println!("the {} of {PAGE} answers ... ok", language.tab);
        passed += 1;
    }
    Ok(passed)
}

fn program(name: &str, file: &Path) -> Command {
    let mut command = shell::command(RUN_LIMIT_MINUTES, &[name]);
    command.arg(file);
    command
}

/// Checks the types and makes JavaScript of it, which node runs.
fn typescript(tools: &Tools, file: &Path) -> Result<Command> {
    let types = tools.node.join("node_modules/@types");
    let mut check = program(&tools.node.join("node_modules/.bin/tsc").to_string_lossy(), file);
    check.args(["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--typeRoots"]).arg(types);
    shell::output(&mut check).context("tsc")?;
    Ok(program("node", &file.with_extension("mjs")))
}

/// The code of a page by its tab, one block after the other.
fn codes(text: &str) -> BTreeMap<&str, String> {
    let mut codes: BTreeMap<&str, String> = BTreeMap::new();
    let mut tab = None;
    for line in text.lines() {
        if let Some(info) = line.strip_prefix("```") {
            tab = info.split_once(" tab=").map(|(_, tab)| tab);
        } else if let Some(tab) = tab {
            let code = codes.entry(tab).or_default();
            *code += line;
            code.push('\n');
        }
    }
    codes
}
