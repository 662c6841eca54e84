/// Something that the server does for partners, and that an operator can switch off: it is then answered
/// 501 `501.002.01` (contract §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `POST /imsi/v1/checkATI`.
    Imsi,
    /// `POST /imsi/v2/checkATI`.
    Swap,
    /// `POST /registration/lookup/v1/checkATI`.
    Age,
    /// `/v1/checks`.
    Checks,
    /// `resultURL`, and listening for deliveries. What was accepted before is delivered all the same.
    Delivery,
    /// The sandbox's world API.
    Worlds,
}

impl Capability {
    /// Every capability with its word in the settings.
    pub const WORDS: [(Self, &'static str); 6] = [
        (Self::Imsi, "imsi"),
        (Self::Swap, "swap"),
        (Self::Age, "age"),
        (Self::Checks, "checks"),
        (Self::Delivery, "delivery"),
        (Self::Worlds, "worlds"),
    ];

    /// The capability of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(capability, _)| *capability)
    }
}

/// Capabilities that are switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SwitchedOff(u8);

impl SwitchedOff {
    /// Whether `capability` is among them.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }
}

impl FromIterator<Capability> for SwitchedOff {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().fold(0, |set, capability| set | 1 << capability as u8))
    }
}
