//! Values in PostgreSQL's binary form. The server says which type it expects; a portable value is given in that type if it fits.

use crate::{Value, ValueRef};
use bytes::{BufMut, BytesMut};
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Fault = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(number) => integer(*number, ty, out)?,
            Value::Real(number) => match *ty {
                Type::FLOAT8 => out.put_f64(*number),
                Type::FLOAT4 => out.put_f32(*number as f32),
                _ => return Err(unfit(self, ty)),
            },
            Value::Text(text) => match *ty {
                Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                    out.put_slice(text.as_bytes())
                }
                Type::JSON => out.put_slice(text.as_bytes()),
                _ => return Err(unfit(self, ty)),
            },
            Value::Blob(bytes) => match *ty {
                Type::BYTEA => out.put_slice(bytes),
                _ => return Err(unfit(self, ty)),
            },
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn integer(number: i64, ty: &Type, out: &mut BytesMut) -> Result<(), Fault> {
    match *ty {
        Type::INT8 => out.put_i64(number),
        Type::INT4 => out.put_i32(number.try_into()?),
        Type::INT2 => out.put_i16(number.try_into()?),
        Type::OID => out.put_u32(number.try_into()?),
        Type::FLOAT8 => out.put_f64(number as f64),
        Type::BOOL if number == 0 || number == 1 => out.put_u8(number as u8),
        _ => return Err(unfit(&Value::Int(number), ty)),
    }
    Ok(())
}

fn unfit(value: &Value, ty: &Type) -> Fault {
    format!(
        "{} was given where PostgreSQL expects {ty}; if the type was guessed wrong, write cast($1 as ..)",
        value.lend().kind()
    )
    .into()
}

/// A value from PostgreSQL.
pub(crate) struct Decoded<'a>(pub(crate) ValueRef<'a>);

impl<'a> FromSql<'a> for Decoded<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Decoded(match *ty {
            Type::INT8 => ValueRef::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => ValueRef::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => ValueRef::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::OID => ValueRef::Int(u32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => ValueRef::Int(i64::from(raw != [0])),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::FLOAT4 => ValueRef::Real(f32::from_be_bytes(raw.try_into()?).into()),
            Type::NUMERIC => numeric(raw)?,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
                ValueRef::Text(std::str::from_utf8(raw)?)
            }
            Type::BYTEA => ValueRef::Blob(raw),
            // What a function without a result answers.
            Type::VOID => ValueRef::Null,
            _ => return Err(format!("columns of type {ty} are not portable; write cast(.. as text)").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Decoded(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `sum` over bigint and `avg` answer numeric: a whole number becomes an integer as in SQLite, any other a real.
fn numeric(raw: &[u8]) -> Result<ValueRef<'static>, Fault> {
    const NEGATIVE: u16 = 0x4000;
    let words: Vec<u16> = raw
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let [_, weight, sign, scale, digits @ ..] = words.as_slice() else {
        return Err("a numeric value too short".into());
    };
    let (weight, negative) = (i32::from(*weight as i16), *sign == NEGATIVE);
    if *sign != 0 && !negative {
        return Err("a numeric value that is not a number".into());
    }
    let exponent = |index: usize| 4 * (weight - index as i32);
    if *scale == 0 {
        let whole = (0..=weight.max(-1)).try_fold(0i128, |sum, index| {
            sum.checked_mul(10_000)?
                .checked_add(i128::from(digits.get(index as usize).copied().unwrap_or(0)))
        });
        let whole = whole.map(|whole| if negative { -whole } else { whole });
        return match whole.map(i64::try_from) {
            Some(Ok(whole)) => Ok(ValueRef::Int(whole)),
            _ => Err("a whole number too large for 64 bits".into()),
        };
    }
    let size = digits.iter().enumerate().fold(0.0, |sum, (index, digit)| {
        sum + f64::from(*digit) * 10f64.powi(exponent(index))
    });
    Ok(ValueRef::Real(if negative { -size } else { size }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numerics() {
        assert_eq!(
            numeric(&words(&[2, 1, 0, 0, 12, 3456])).unwrap(),
            ValueRef::Int(123_456)
        );
        assert_eq!(
            numeric(&words(&[1, 1, 0x4000, 0, 12])).unwrap(),
            ValueRef::Int(-120_000)
        );
        assert_eq!(numeric(&words(&[0, 0, 0, 0])).unwrap(), ValueRef::Int(0));
        assert_eq!(numeric(&words(&[2, 0, 0, 1, 2, 5000])).unwrap(), ValueRef::Real(2.5));
        assert!(numeric(&words(&[0, 0, 0xC000, 0])).is_err());
    }
}
