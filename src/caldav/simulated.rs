//! A server in the same process, in place of sockets: what a simulation installs for the clients that its thread makes.

use super::error::ErrorKind;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::cell::RefCell;
use std::sync::Arc;

/// The answer to a request, or how it was lost.
pub(crate) type Exchange =
    Arc<dyn Fn(hyper::Request<Bytes>) -> BoxFuture<'static, Result<hyper::Response<Vec<u8>>, ErrorKind>> + Send + Sync>;

thread_local! {
    static INSTALLED: RefCell<Option<Exchange>> = const { RefCell::new(None) };
}

/// From here on this thread's clients talk to it.
pub(crate) fn install(exchange: Option<Exchange>) {
    INSTALLED.with(|installed| *installed.borrow_mut() = exchange);
}

pub(super) fn installed() -> Option<Exchange> {
    INSTALLED.with(|installed| installed.borrow().clone())
}
