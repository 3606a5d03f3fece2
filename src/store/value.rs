//! How values lie in columns: instants and durations as microseconds, names and states as their words, lists as JSON.

use crate::availability::{HostId, MeetingId};
use crate::booking::{BookingId, BookingState};
use jiff::{SignedDuration, Timestamp};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Serialize, de::DeserializeOwned};

/// An instant, in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(pub(super) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<At> {
        Timestamp::from_microsecond(i64::column_result(value)?).map(At).map_err(FromSqlError::other)
    }
}

impl At {
    /// Microseconds since 1970-01-01 UTC: as they are stored, and so as they are compared.
    pub(super) fn micros(self) -> i64 {
        self.0.as_microsecond()
    }
}

/// A duration, in whole microseconds; those beyond 292,000 years are as good as that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub(super) SignedDuration);

impl ToSql for Span {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Span {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Span> {
        i64::column_result(value).map(|micros| Span(SignedDuration::from_micros(micros)))
    }
}

/// A list as JSON.
#[derive(Clone, Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text =
            serde_json::to_string(&self.0).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Json<T>> {
        serde_json::from_str(value.as_str()?).map(Json).map_err(FromSqlError::other)
    }
}

/// A word in a column that this binary does not know.
#[derive(Debug, thiserror::Error)]
#[error("the store has an unknown {what}: {word}")]
pub(super) struct UnknownWord {
    pub(super) what: &'static str,
    pub(super) word: String,
}

/// Reads a column by what its word means.
pub(super) fn word<T>(
    value: ValueRef<'_>,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> FromSqlResult<T> {
    let word = value.as_str()?;
    parse(word).ok_or_else(|| FromSqlError::other(UnknownWord { what, word: word.to_owned() }))
}

impl ToSql for HostId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for HostId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<HostId> {
        word(value, "host", HostId::new)
    }
}

impl ToSql for MeetingId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for MeetingId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<MeetingId> {
        word(value, "meeting type", MeetingId::new)
    }
}

impl ToSql for BookingState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for BookingState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<BookingState> {
        word(value, "state of a booking", |word| word.parse().ok())
    }
}

impl ToSql for BookingId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for BookingId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<BookingId> {
        word(value, "booking id", |word| word.parse().ok().map(BookingId))
    }
}
