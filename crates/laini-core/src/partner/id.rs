use std::fmt;

/// A text that is no id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 16 hexadecimal digits")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// An id from 64 random bits, of which 63 are kept so that it fits a signed integer.
            pub fn from_random(bits: u64) -> Self {
                Self(bits >> 1)
            }

            /// The id as an integer below 2⁶³, the form in which engines store it.
            pub fn as_u64(self) -> u64 {
                self.0
            }

            /// An id that an engine stored earlier.
            pub const fn from_stored(value: u64) -> Self {
                Self(value & (u64::MAX >> 1))
            }

            /// Reads the 16 hexadecimal digits that `Display` writes.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let fits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
                let value = if fits { u64::from_str_radix(text, 16).ok() } else { None };
                value.filter(|value| value >> 63 == 0).map(Self).ok_or(IdError)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl From<$name> for crate::store::RecordId {
            fn from(id: $name) -> Self {
                Self(id.as_u64())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:016x})"), self.0)
            }
        }
    };
}

id! {
    /// A partner.
    PartnerId
}
id! {
    /// An app.
    AppId
}
id! {
    /// An agreement, in one of its versions.
    AgreementId
}
id! {
    /// A document of a partner.
    DocumentId
}
id! {
    /// A result address of an app.
    ResultAddressId
}
id! {
    /// Somebody who signs in.
    PersonId
}
id! {
    /// A session of somebody who signed in.
    SessionId
}
id! {
    /// A privacy request.
    PrivacyRequestId
}
id! {
    /// An operator key.
    OperatorKeyId
}
id! {
    /// A letter that waits to be sent.
    LetterId
}
id! {
    /// A token that is good once: an invitation, a reset.
    OnceTokenId
}
id! {
    /// One way through single sign-on.
    SignOnId
}
id! {
    /// A payment.
    PaymentId
}
id! {
    /// A certificate of withheld tax.
    CertificateId
}
id! {
    /// A top-up of a prepaid balance.
    TopUpId
}
id! {
    /// The way of a production app to going live.
    GoLiveId
}
id! {
    /// A scripted run in the sandbox.
    ScriptedRunId
}
id! {
    /// A notice that a partner is suspended for debt.
    DebtNoticeId
}
id! {
    /// A dispute of a line of an invoice.
    DisputeId
}
id! {
    /// An incident.
    IncidentId
}
id! {
    /// A ticket.
    TicketId
}
id! {
    /// An incident's event that apps are still to be told of.
    IncidentEventId
}
id! {
    /// A check that a person made at the desk.
    DeskCheckId
}
id! {
    /// Numbers that a person has looked up together.
    DeskBatchId
}
id! {
    /// A look-up that somebody should look at.
    DeskAlarmId
}
