use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_office::mail::{Carrier, CarryError, Letter};

use super::{Sender, message};

/// Writes each letter as a file that mail programs open, into a folder that nobody else can read. For an installation
/// without a mail server: somebody carries them on.
pub struct FolderCarrier {
    dir: PathBuf,
    from: Sender,
}

impl FolderCarrier {
    /// Letters go to `dir`, which is made when the first one comes.
    pub fn new(dir: PathBuf, from: Sender) -> Self {
        Self { dir, from }
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        if !self.dir.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        }
        // Under its own name only when it is whole.
        let half = file.with_extension("part");
        let mut writing = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        writing.write_all(bytes)?;
        writing.sync_all()?;
        fs::rename(&half, file)?;
        fs::File::open(&self.dir)?.sync_all()
    }
}

impl Carrier for FolderCarrier {
    fn carry(&self, id: LetterId, letter: &Letter, at: Timestamp) -> Result<(), CarryError> {
        let mail = message(&self.from, id, letter, at)?.formatted();
        let file = self.dir.join(format!("{}-{id}.eml", at.strftime("%Y%m%dT%H%M%SZ")));
        let failed = |error: io::Error| CarryError {
            is_final: false,
            reason: format!("{} cannot be written: {error}", self.dir.display()),
        };
        self.write(&file, &mail).map_err(failed)?;
        tracing::info!(about = letter.about, file = %file.display(), "a letter was written");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_letter_is_a_private_file_that_a_mail_program_opens() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("outbox-mail");
        let carrier = FolderCarrier::new(folder.clone(), Sender::parse("Test Mobile <laini@mobile.example>").unwrap());
        let letter = Letter {
            to: "a.person@bank.example".into(),
            subject: "Karibu — hello".into(),
            text: "Hello\n\nhttps://portal.example/reset#laini_t_1\n".into(),
            about: "person 1".into(),
        };
        let at: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let id = LetterId::from_stored(7);
        for _ in 0..2 {
            carrier.carry(id, &letter, at).unwrap();
        }
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files, [folder.join("20261122T090000Z-0000000000000007.eml")]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&files[0])), (0o700, 0o600));
        let mail = fs::read_to_string(&files[0]).unwrap();
        for line in [
            "To: a.person@bank.example\r\n",
            "From: \"Test Mobile\" <laini@mobile.example>\r\n",
            "Date: Sun, 22 Nov 2026 09:00:00 +0000\r\n",
            "Message-ID: <0000000000000007@mobile.example>\r\n",
            "https://portal.example/reset#laini_t_1\r\n",
        ] {
            assert!(mail.contains(line), "{line} in {mail}");
        }
        assert!(mail.contains("Subject: Karibu =?utf-8?"), "{mail}");
    }
}
