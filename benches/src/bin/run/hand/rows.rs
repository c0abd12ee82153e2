//! The rows, read column by column with tokio-postgres' `Row::get`.

#![allow(dead_code, reason = "every column is decoded and owned; the checksums use only some")]

use chrono::{DateTime, NaiveDate, Utc};
use postgres_types::{FromSql, ToSql};
use tokio_postgres::Row;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, FromSql, ToSql)]
#[postgres(name = "role")]
pub(crate) enum Role {
    #[postgres(name = "ADMIN")]
    Admin,
    #[postgres(name = "FACULTY")]
    Faculty,
    #[postgres(name = "STUDENT")]
    Student,
}

macro_rules! row {
    ($name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            $(pub(crate) $field: $type,)+
        }

        impl $name {
            /// The number of its columns.
            pub(crate) const COLUMNS: usize = [$(stringify!($field)),+].len();

            /// Reads its columns, starting with the one at `next`.
            pub(crate) fn read(row: &Row, mut next: usize) -> Self {
                let mut at = || {
                    next += 1;
                    next - 1
                };
                Self { $($field: row.get(at()),)+ }
            }
        }
    };
}

row!(Institution {
    id: Uuid,
    name: String,
    slug: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});

row!(User {
    id: Uuid,
    institution_id: Uuid,
    email: String,
    password_hash: String,
    role: Role,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});

row!(Student {
    id: Uuid,
    user_id: Uuid,
    institution_id: Uuid,
    class_year: i32,
    has_accommodations: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});

row!(ExamType {
    id: Uuid,
    institution_id: Uuid,
    code: String,
    name: String,
    default_weight: f64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});

row!(Exam {
    id: Uuid,
    student_id: Uuid,
    exam_type_id: Uuid,
    scheduled_on: Option<NaiveDate>,
    weight: Option<f64>,
    score: Option<f64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});
