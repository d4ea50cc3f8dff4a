//! The element types of ONNX tensors.

use std::fmt;

/// Makes the enum, its ONNX number, its ONNX name and the bytes of one element from one table.
macro_rules! element_types {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $size:expr;)*) => {
        /// What one element of a tensor is. Each type's number is that of `TensorProto.DataType`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum ElementType {
            $($(#[$doc])* $variant = $code,)*
        }

        impl ElementType {
            /// Every element type, in the order of the ONNX numbers.
            pub const ALL: &[ElementType] = &[$(ElementType::$variant,)*];

            /// Bytes of one element; `None` for strings and for types narrower than a byte, which no [`crate::Tensor`] holds.
            pub fn size(self) -> Option<usize> {
                match self {
                    $(ElementType::$variant => $size,)*
                }
            }

            /// The name in the ONNX standard's type signatures, for example `float16`.
            pub fn name(self) -> &'static str {
                match self {
                    $(ElementType::$variant => $name,)*
                }
            }
        }
    };
}

element_types! {
    /// 32-bit IEEE floating point.
    Float32 = 1, "float", Some(4);
    /// Unsigned 8-bit integer.
    Uint8 = 2, "uint8", Some(1);
    /// Signed 8-bit integer.
    Int8 = 3, "int8", Some(1);
    /// Unsigned 16-bit integer.
    Uint16 = 4, "uint16", Some(2);
    /// Signed 16-bit integer.
    Int16 = 5, "int16", Some(2);
    /// Signed 32-bit integer.
    Int32 = 6, "int32", Some(4);
    /// Signed 64-bit integer.
    Int64 = 7, "int64", Some(8);
    /// Text; values may be declared so, tensors of text are refused.
    String = 8, "string", None;
    /// Truth value, one byte each.
    Bool = 9, "bool", Some(1);
    /// 16-bit IEEE floating point.
    Float16 = 10, "float16", Some(2);
    /// 64-bit IEEE floating point.
    Float64 = 11, "double", Some(8);
    /// Unsigned 32-bit integer.
    Uint32 = 12, "uint32", Some(4);
    /// Unsigned 64-bit integer.
    Uint64 = 13, "uint64", Some(8);
    /// Two 32-bit floats, real part first.
    Complex64 = 14, "complex64", Some(8);
    /// Two 64-bit floats, real part first.
    Complex128 = 15, "complex128", Some(16);
    /// The upper half of a 32-bit float.
    BFloat16 = 16, "bfloat16", Some(2);
    /// 8-bit float: 4 exponent and 3 mantissa bits, no infinities.
    Float8E4M3Fn = 17, "float8e4m3fn", Some(1);
    /// 8-bit float: 4 exponent and 3 mantissa bits, no infinities, no negative zero.
    Float8E4M3FnUz = 18, "float8e4m3fnuz", Some(1);
    /// 8-bit float: 5 exponent and 2 mantissa bits.
    Float8E5M2 = 19, "float8e5m2", Some(1);
    /// 8-bit float: 5 exponent and 2 mantissa bits, no infinities, no negative zero.
    Float8E5M2FnUz = 20, "float8e5m2fnuz", Some(1);
    /// Unsigned 4-bit integer.
    Uint4 = 21, "uint4", None;
    /// Signed 4-bit integer.
    Int4 = 22, "int4", None;
    /// 4-bit float.
    Float4E2M1 = 23, "float4e2m1", None;
    /// 8-bit power of two.
    Float8E8M0 = 24, "float8e8m0", Some(1);
    /// Unsigned 2-bit integer.
    Uint2 = 25, "uint2", None;
    /// Signed 2-bit integer.
    Int2 = 26, "int2", None;
    /// 6-bit float: 2 exponent and 3 mantissa bits.
    Float6E2M3 = 27, "float6e2m3", None;
    /// 6-bit float: 3 exponent and 2 mantissa bits.
    Float6E3M2 = 28, "float6e3m2", None;
}

impl ElementType {
    /// The number of this type in an ONNX file.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The type with this number in an ONNX file.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|element_type| element_type.code() == code)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_number_and_no_other_number_is_a_type() {
        for (index, element_type) in ElementType::ALL.iter().enumerate() {
            assert_eq!(element_type.code(), index as i64 + 1, "{element_type}");
            assert_eq!(ElementType::from_code(element_type.code()), Some(*element_type));
        }
        for code in [i64::MIN, -1, 0, 29, 257, i64::MAX] {
            assert_eq!(ElementType::from_code(code), None, "{code}");
        }
    }
}
