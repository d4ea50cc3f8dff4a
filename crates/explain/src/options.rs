//! A method's options: one documented struct each, from which help texts, forms and parsing are made.

use std::collections::BTreeMap;

use vitrine_protocol::{Parameter, ParameterError, ParameterKind, ParameterValue};

use crate::ExplainError;

/// Declares a method's options. A field's documentation is its help text; its kind and default stand here and nowhere
/// else. The key is the field's name with hyphens: `multiply_by_inputs` becomes `multiply-by-inputs`. Last lines
/// such as `..budget: Budget` take in options that several methods share.
///
/// ```ignore
/// options! {
///     /// Options of some method.
///     pub struct Options {
///         /// How many steps.
///         steps: usize [integer(1, 1000)] = 50,
///     }
/// }
/// ```
#[macro_export]
macro_rules! options {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[doc = $help:literal])+ $field:ident: $type:ty [$kind:expr] = $default:expr, )+
        $( ..$shared:ident: $shared_type:ty, )*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( $(#[doc = $help])+ pub $field: $type, )+
            $( /// Options that other methods have too.
            pub $shared: $shared_type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $field: $default, )+ $( $shared: <$shared_type>::default(), )* }
            }
        }

        impl $name {
            /// What can be set, in the order a form shows it.
            pub fn parameters() -> Vec<vitrine_protocol::Parameter> {
                let defaults = Self::default();
                let own = [$( vitrine_protocol::Parameter {
                    id: $crate::toolkit::key(stringify!($field)),
                    help: concat!($($help),+).trim().to_owned(),
                    kind: $kind,
                    default: $crate::toolkit::OptionValue::to_parameter(&defaults.$field),
                } ),+];
                own.into_iter()$( .chain(<$shared_type>::parameters()) )*.collect()
            }

            /// Reads parameters as typed; those left out take their defaults.
            ///
            /// # Errors
            /// [`ExplainError::UnknownParameter`] and [`ExplainError::Parameter`], which say what is accepted.
            pub fn parse(given: &std::collections::BTreeMap<String, String>) -> Result<Self, $crate::ExplainError> {
                Self::from_values(&$crate::toolkit::read(&Self::parameters(), given)?)
            }

            pub(crate) fn from_values(values: &$crate::toolkit::Read) -> Result<Self, $crate::ExplainError> {
                Ok($name {
                    $( $field: $crate::toolkit::take(values, stringify!($field))?, )+
                    $( $shared: <$shared_type>::from_values(values)?, )*
                })
            }

            /// Every parameter with its value, for the report.
            pub fn values(&self) -> std::collections::BTreeMap<String, vitrine_protocol::ParameterValue> {
                let own = [$( (
                    $crate::toolkit::key(stringify!($field)),
                    $crate::toolkit::OptionValue::to_parameter(&self.$field),
                ) ),+];
                own.into_iter()$( .chain(self.$shared.values()) )*.collect()
            }
        }
    };
}
pub(crate) use options;

/// Declares an option that is one of a list. A variant's documentation is its help text.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $( $(#[doc = $help:literal])+ $variant:ident = $id:literal ),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $( $(#[doc = $help])+ $variant, )+
        }

        impl $name {
            /// Every choice, in the order a form shows them.
            pub const ALL: &[$name] = &[$( $name::$variant ),+];

            /// What to type.
            pub fn id(self) -> &'static str {
                match self { $( $name::$variant => $id, )+ }
            }

            pub(crate) fn kind() -> vitrine_protocol::ParameterKind {
                vitrine_protocol::ParameterKind::Choice { choices: vec![$( vitrine_protocol::Choice {
                    id: $id.to_owned(),
                    help: concat!($($help),+).trim().to_owned(),
                } ),+] }
            }
        }

        impl $crate::toolkit::OptionValue for $name {
            fn from_parameter(value: &vitrine_protocol::ParameterValue) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.id() == value.to_string())
            }

            fn to_parameter(&self) -> vitrine_protocol::ParameterValue {
                vitrine_protocol::ParameterValue::Text(self.id().to_owned())
            }
        }
    };
}
pub(crate) use choices;

/// A type that options may have.
pub trait OptionValue: Sized {
    /// Takes a value that the option's kind has accepted.
    fn from_parameter(value: &ParameterValue) -> Option<Self>;

    /// The value as reports and forms have it.
    fn to_parameter(&self) -> ParameterValue;
}

impl OptionValue for usize {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        if let ParameterValue::Integer(value) = value { usize::try_from(*value).ok() } else { None }
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Integer(*self as i64)
    }
}

impl OptionValue for i64 {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        if let ParameterValue::Integer(value) = value { Some(*value) } else { None }
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Integer(*self)
    }
}

impl OptionValue for f64 {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        if let ParameterValue::Number(value) = value { Some(*value) } else { None }
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Number(*self)
    }
}

impl OptionValue for String {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        Some(value.to_string())
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Text(self.clone())
    }
}

impl OptionValue for bool {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        if let ParameterValue::Boolean(value) = value { Some(*value) } else { None }
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Boolean(*self)
    }
}

/// A whole number, both ends included.
pub fn integer(min: i64, max: i64) -> ParameterKind {
    ParameterKind::Integer { min, max }
}

/// A real number, both ends included.
pub fn number(min: f64, max: f64) -> ParameterKind {
    ParameterKind::Number { min, max }
}

/// The key of a field.
pub fn key(field: &str) -> String {
    field.replace('_', "-")
}

/// The value of every parameter, each beside its kind, for messages.
pub type Read = BTreeMap<String, (ParameterValue, ParameterKind)>;

/// The value of every parameter, given or default.
///
/// # Errors
/// [`ExplainError::UnknownParameter`] and [`ExplainError::Parameter`].
pub fn read(parameters: &[Parameter], given: &BTreeMap<String, String>) -> Result<Read, ExplainError> {
    if let Some(name) = given.keys().find(|name| parameters.iter().all(|parameter| parameter.id != **name)) {
        let known = parameters.iter().map(|parameter| parameter.id.clone()).collect();
        return Err(ExplainError::UnknownParameter { name: name.clone(), known });
    }
    parameters
        .iter()
        .map(|Parameter { id, kind, default, .. }| {
            let value = match given.get(id) {
                Some(text) => {
                    kind.parse(text).map_err(|source| ExplainError::Parameter { name: id.clone(), source })?
                }
                None => default.clone(),
            };
            Ok((id.clone(), (value, kind.clone())))
        })
        .collect()
}

/// Refuses all parameters, for a method that has none; the report's list of them is empty too.
///
/// # Errors
/// [`ExplainError::UnknownParameter`].
pub fn no_options(given: &BTreeMap<String, String>) -> Result<BTreeMap<String, ParameterValue>, ExplainError> {
    read(&[], given).map(|_| BTreeMap::new())
}

/// A field's value out of [`read`].
///
/// # Errors
/// [`ExplainError::Parameter`] for a value of another type than the field's.
pub fn take<T: OptionValue>(values: &Read, field: &str) -> Result<T, ExplainError> {
    let name = key(field);
    let found = values.get(&name);
    found.and_then(|(value, _)| T::from_parameter(value)).ok_or_else(|| {
        let (found, expected) =
            found.map_or_else(Default::default, |(value, kind)| (value.to_string(), kind.expectation()));
        ExplainError::Parameter { name, source: ParameterError::Value { found, expected } }
    })
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "what the macros declare is public where methods use them")]
mod tests {
    use super::*;

    choices! {
        /// A side.
        enum Side {
            /// Where the heart is.
            Left = "left",
            /// Where it is not,
            /// mostly.
            Right = "right",
        }
    }

    options! {
        /// Options of a test.
        struct Options {
            /// How many of them
            /// there are.
            how_many: usize [integer(1, 9)] = 3,
            /// How much.
            share: f64 [number(0.0, 1.0)] = 0.5,
            /// Whether at all.
            really: bool [ParameterKind::Boolean] = true,
            /// Which side.
            side: Side [Side::kind()] = Side::Left,
        }
    }

    options! {
        /// Options of two tests.
        struct Both {
            /// How wide.
            width: usize [integer(1, 9)] = 2,
            ..shared: Options,
        }
    }

    #[test]
    fn shared_options_stand_beside_those_of_the_method() {
        let ids: Vec<String> = Both::parameters().into_iter().map(|parameter| parameter.id).collect();
        assert_eq!(ids, ["width", "how-many", "share", "really", "side"]);
        let options = Both::parse(&given(&[("width", "4"), ("side", "right")])).unwrap();
        assert_eq!(options, Both { width: 4, shared: Options { side: Side::Right, ..Options::default() } });
        assert_eq!((options.values().len(), &options.values()["width"]), (5, &ParameterValue::Integer(4)));
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn documentation_is_the_help_text_and_names_get_hyphens() {
        let parameters = Options::parameters();
        assert_eq!(parameters[0].id, "how-many");
        assert_eq!(parameters[0].help, "How many of them there are.");
        assert_eq!(parameters[0].default, ParameterValue::Integer(3));
        let ParameterKind::Choice { choices } = &parameters[3].kind else { panic!("{:?}", parameters[3]) };
        assert_eq!(choices[1].help, "Where it is not, mostly.");
    }

    #[test]
    fn what_is_left_out_takes_its_default() {
        assert_eq!(Options::parse(&given(&[])).unwrap(), Options::default());
        let options = Options::parse(&given(&[("side", "right"), ("how-many", "9"), ("really", "false")])).unwrap();
        assert_eq!(options, Options { how_many: 9, share: 0.5, really: false, side: Side::Right });
        assert_eq!(options.values()["side"], ParameterValue::Text("right".to_owned()));
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = Options::parse(&given(&[("how_many", "1")])).unwrap_err().to_string();
        let expected = "This method has no parameter \"how_many\"; its parameters are how-many, share, really, side.";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        let error = Options::parse(&given(&[("how-many", "10")])).unwrap_err().to_string();
        assert_eq!(error, "Parameter \"how-many\": \"10\" is not a whole number from 1 to 9.");
        let error = Options::parse(&given(&[("side", "up")])).unwrap_err().to_string();
        assert_eq!(error, "Parameter \"side\": \"up\" is not one of left, right.");
    }
}
