//! The `args` of a call, in the shell plugin's forms.

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

/// The arguments of a call: `null`, a string, or a list of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallArgs(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for CallArgs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgsVisitor;
        impl<'de> Visitor<'de> for ArgsVisitor {
            type Value = CallArgs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, a string or a list of strings")
            }
            fn visit_unit<E>(self) -> Result<CallArgs, E> {
                Ok(CallArgs(Vec::new()))
            }
            fn visit_str<E>(self, text: &str) -> Result<CallArgs, E> {
                Ok(CallArgs(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CallArgs, A::Error> {
                let mut args = Vec::new();
                while let Some(arg) = list.next_element()? {
                    args.push(arg);
                }
                Ok(CallArgs(args))
            }
        }
        deserializer.deserialize_any(ArgsVisitor)
    }
}
