//! A transaction of a certain server.

use polyaxon_model::ids::ExecutorId;

use super::{Dialect, Row, Tx, Value};
use crate::Result;

pub(crate) struct SignedTx<'a> {
    pub(crate) tx: &'a mut dyn Tx,
    pub(crate) server: ExecutorId,
}

impl Tx for SignedTx<'_> {
    fn dialect(&self) -> Dialect {
        self.tx.dialect()
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>> {
        self.tx.query(sql, args)
    }

    fn visit(&mut self, sql: &str, args: &[Value], each: &mut dyn FnMut(&[Value])) -> Result<()> {
        self.tx.visit(sql, args, each)
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64> {
        self.tx.execute(sql, args)
    }

    fn server(&self) -> Option<ExecutorId> {
        Some(self.server)
    }
}
