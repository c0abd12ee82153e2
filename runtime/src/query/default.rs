//! Values that the client generates for columns of new rows.

use uuid::Uuid;

use crate::meta::ClientDefault;
use crate::value::Param;

/// Generates a value for a column with this default.
pub(crate) fn generate(default: ClientDefault) -> Param {
    match default {
        ClientDefault::None => Param::Null,
        ClientDefault::Uuid4 => Param::Uuid(Uuid::new_v4()),
        ClientDefault::Uuid7 => Param::Uuid(Uuid::now_v7()),
        ClientDefault::Uuid4Text => Param::Text(Uuid::new_v4().to_string()),
        ClientDefault::Uuid7Text => Param::Text(Uuid::now_v7().to_string()),
        #[cfg(feature = "cuid")]
        ClientDefault::Cuid => Param::Text(cuid::cuid1()),
        #[cfg(feature = "cuid")]
        ClientDefault::Cuid2 => Param::Text(cuid::cuid2()),
        #[cfg(feature = "ulid")]
        ClientDefault::Ulid => Param::Text(ulid::Ulid::generate().to_string()),
        #[cfg(feature = "nanoid")]
        ClientDefault::Nanoid(length) => Param::Text(nanoid::nanoid!(usize::from(length))),
        // Generated code that needs a missing feature does not compile.
        #[cfg(not(all(feature = "cuid", feature = "nanoid", feature = "ulid")))]
        _ => Param::Misuse("relata was compiled without the feature for this default"),
    }
}
