//! What a pod may ask for, and how it says so.

use super::Dice;

pub(super) const PACKAGES: [&str; 2] = ["cbwp-1", "cbwp-2"];

/// A pod that is to have what it asks for in the end.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub ip: String,
    pub wish: Wish,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    /// One of its own, kept so, in this package.
    Own(&'static str, Option<&'static str>),
    /// One of the two that the user has.
    Named(usize),
}

impl Wish {
    pub const NEVER: Self = Self::Own("Never", None);

    pub fn any(dice: &mut Dice) -> Self {
        match dice.roll(10) {
            0 => Self::Nothing,
            1..=3 => Self::Named(dice.roll(2)),
            _ => Self::Own(
                dice.pick(&["Never", "Never", "Never", "Follow", "20s", "10m"]),
                dice.pick(&[None, None, Some(PACKAGES[0]), Some(PACKAGES[1])]),
            ),
        }
    }

    pub fn keeps_for_good(&self) -> bool {
        matches!(self, Self::Own("Never", _))
    }

    /// All keys that this test knows, with what is to stand there.
    pub fn annotations(&self, named: &[String; 2]) -> [(&'static str, Option<String>); 4] {
        let (with, keep, package, id) = match self {
            Self::Nothing => (Some("false"), None, None, None),
            Self::Own(keep, package) => (Some("true"), Some(*keep), *package, None),
            Self::Named(n) => (None, None, None, Some(named[*n].as_str())),
        };
        let text = |value: Option<&str>| value.map(str::to_owned);
        [
            ("k8s.aliyun.com/pod-with-eip", text(with)),
            ("k8s.aliyun.com/pod-eip-release-strategy", text(keep)),
            (
                "k8s.aliyun.com/eip-common-bandwidth-package-id",
                text(package),
            ),
            ("k8s.aliyun.com/pod-eip-instanceid", text(id)),
        ]
    }
}
