use std::cell::OnceCell;
use std::collections::HashMap;

use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::partner::PartnerId;
use laini_core::store::{
    AccountBook, AccountsChange, AuditEntry, Found, OfficeChange, Record, RecordChange, RecordId, RecordKind,
    RecordQuery,
};

use crate::{Actor, Cursor, Kept, Office, Page, PageRequest, Problem};

/// One unit of work: what it stages is put onto what it read, or nothing of it is saved. What it reads and does not stage
/// may change meanwhile: a rule about several records needs one that is read before them and staged with each change, or
/// a unique key.
/// Blocks its thread on the store.
pub struct Work<'o> {
    /// The office that it is done in.
    pub office: &'o Office,
    /// Who does it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    seen: HashMap<(RecordKind, RecordId), u64>,
    change: OfficeChange,
    book: OnceCell<AccountBook>,
}

impl<'o> Work<'o> {
    pub(crate) fn begin(office: &'o Office, actor: Actor, at: Timestamp) -> Self {
        Self { office, actor, at, seen: HashMap::new(), change: OfficeChange::default(), book: OnceCell::new() }
    }

    /// The record of this id, with what was staged for it.
    pub fn get<T: Kept>(&mut self, id: impl Into<RecordId>) -> Result<T, Problem> {
        self.look(id)?.ok_or(Problem::NotFound(T::NOUN))
    }

    /// The record of this id, where there is one.
    pub fn look<T: Kept>(&mut self, id: impl Into<RecordId>) -> Result<Option<T>, Problem> {
        let id = id.into();
        if let Some(staged) = self.change.records.iter().find(|change| (change.kind, change.id) == (T::KIND, id)) {
            return staged.body.as_deref().map(read).transpose();
        }
        let found = block_on(self.office.store.record(T::KIND, id))?;
        found.map(|record| self.saw(id, &record)).transpose()
    }

    /// A page of the records under a key, as they are in the store. What `page` turns comes from the other end.
    #[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
    pub fn find<T: Kept>(
        &mut self,
        index: &'static str,
        value: impl ToString,
        newest_first: bool,
        page: PageRequest,
    ) -> Result<Page<T>, Problem> {
        let query = RecordQuery {
            kind: T::KIND,
            index,
            key: value.to_string(),
            after: page.after.map(|Cursor(order, id)| (order, id)),
            newest_first: newest_first != page.is_turned,
            limit: page.limit + 1,
        };
        let mut found = block_on(self.office.store.find(query))?;
        let has_more = found.len() > page.limit;
        found.truncate(page.limit);
        let next = found.last().filter(|_| has_more).map(|last| Cursor(last.order, last.id));
        let items = found.iter().map(|Found { id, record, .. }| self.saw(*id, record)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// All records under a key, in the order of the key.
    #[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
    pub fn all<T: Kept>(&mut self, index: &'static str, value: impl ToString) -> Result<Vec<T>, Problem> {
        let (value, mut items, mut page) = (value.to_string(), Vec::new(), PageRequest::LONGEST);
        loop {
            let found = self.find(index, &value, false, page)?;
            items.extend(found.items);
            page.after = found.next;
            if page.after.is_none() {
                return Ok(items);
            }
        }
    }

    /// The only record under a unique key.
    pub fn the<T: Kept>(&mut self, index: &'static str, value: impl ToString) -> Result<Option<T>, Problem> {
        let one = PageRequest { limit: 1, ..PageRequest::FIRST };
        Ok(self.find(index, value, false, one)?.items.pop())
    }

    /// Stages a record: new, or in the place of the one that was read.
    pub fn put<T: Kept>(&mut self, record: &T) -> Result<(), Problem> {
        let body = serde_json::to_vec(record).map_err(|error| Problem::Store(error.to_string()))?;
        self.stage(T::KIND, record.id(), Some(body), record.keys());
        Ok(())
    }

    /// Stages that a record that was read is removed.
    pub fn remove<T: Kept>(&mut self, record: &T) {
        self.stage(T::KIND, record.id(), None, Vec::new());
    }

    /// Stages a change of the accounts that checks are decided on.
    pub fn accounts(&mut self, change: AccountsChange) {
        self.change.accounts.push(change);
    }

    /// Stages an audit row. `partner` = whom it concerns, and whose owners may read it.
    #[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
    pub fn note(&mut self, action: &str, partner: Option<PartnerId>, target: impl ToString, reason: &str) {
        self.change.trail.push(AuditEntry {
            at: self.at,
            actor: self.actor.in_trail(),
            action: action.to_owned(),
            target: target.to_string(),
            reason: reason.to_owned(),
            partner,
        });
    }

    /// The accounts as they were in the store when this work first asked for them.
    pub fn book(&self) -> Result<AccountBook, Problem> {
        self.read_book().cloned()
    }

    /// The same, to look something up in.
    pub(crate) fn read_book(&self) -> Result<&AccountBook, Problem> {
        if let Some(book) = self.book.get() {
            return Ok(book);
        }
        let book = block_on(self.office.accounts.load())?;
        Ok(self.book.get_or_init(|| book))
    }

    /// Keeps a document; its SHA-256.
    pub fn keep_document(&self, bytes: &[u8]) -> Result<[u8; 32], Problem> {
        use sha2::Digest as _;
        let digest: [u8; 32] = sha2::Sha256::digest(bytes).into();
        block_on(self.office.store.keep_document(digest, bytes.to_vec()))?;
        Ok(digest)
    }

    /// The bytes of a document that a record names.
    pub fn document(&self, digest: [u8; 32]) -> Result<Vec<u8>, Problem> {
        block_on(self.office.store.document(digest))?.ok_or(Problem::NotFound("document"))
    }

    /// Saves everything that was staged, or nothing.
    pub(crate) fn save(self) -> Result<(), Problem> {
        let is_empty =
            self.change.records.is_empty() && self.change.accounts.is_empty() && self.change.trail.is_empty();
        if is_empty { Ok(()) } else { Ok(block_on(self.office.store.commit(self.change))?) }
    }

    fn saw<T: Kept>(&mut self, id: RecordId, record: &Record) -> Result<T, Problem> {
        let before = self.seen.insert((T::KIND, id), record.version);
        if before.is_some_and(|before| before != record.version) {
            return Err(Problem::Contended);
        }
        read(&record.body)
    }

    fn stage(
        &mut self,
        kind: RecordKind,
        id: RecordId,
        body: Option<Vec<u8>>,
        keys: Vec<laini_core::store::RecordKey>,
    ) {
        self.change.records.retain(|change| (change.kind, change.id) != (kind, id));
        let expected = self.seen.get(&(kind, id)).copied().unwrap_or(0);
        self.change.records.push(RecordChange { kind, id, expected, body, keys });
    }
}

fn read<T: Kept>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Store(format!("a {} cannot be read: {error}", T::NOUN)))
}
