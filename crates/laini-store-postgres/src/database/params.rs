//! Parameters with their types: a statement whose types are known takes one round trip, unprepared, and
//! so works behind any pooler.

use tokio_postgres::types::{ToSql, Type};

/// A value whose PostgreSQL type is known from its Rust type.
pub(crate) trait Sql: ToSql + Sync {
    /// The type.
    const TYPE: Type;

    /// The value and its type.
    fn typed(&self) -> (&(dyn ToSql + Sync), Type);
}

macro_rules! sql_types {
    ($($rust:ty => $scalar:ident, $array:ident;)*) => {
        $(
            impl Sql for $rust {
                const TYPE: Type = Type::$scalar;
                fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
                    (self, Type::$scalar)
                }
            }
            impl Sql for Vec<$rust> {
                const TYPE: Type = Type::$array;
                fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
                    (self, Type::$array)
                }
            }
            impl Sql for Vec<Option<$rust>> {
                const TYPE: Type = Type::$array;
                fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
                    (self, Type::$array)
                }
            }
        )*
    };
}

sql_types! {
    bool => BOOL, BOOL_ARRAY;
    i16 => INT2, INT2_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    String => TEXT, TEXT_ARRAY;
    &str => TEXT, TEXT_ARRAY;
    Vec<u8> => BYTEA, BYTEA_ARRAY;
    &[u8] => BYTEA, BYTEA_ARRAY;
}

impl<T: Sql> Sql for Option<T> {
    const TYPE: Type = T::TYPE;

    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        (self, T::TYPE)
    }
}

/// The parameters of a statement, in its order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::database::Sql::typed(&$value)),*]
    };
}
pub(crate) use params;
