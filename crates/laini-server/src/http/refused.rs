use std::borrow::Cow;

use laini_core::store::Stage;

use super::{ApiError, NumberHint};

/// What may be kept of an error that a call was answered with: nothing that came in the call. On the answer.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// Its code of the table of errors.
    pub(crate) code: &'static str,
    /// How far the call came.
    pub(crate) stage: Stage,
    /// What its caller was told.
    pub(crate) reason: Cow<'static, str>,
}

impl ApiError {
    /// What of its text may be kept: the number that was probably meant is somebody's, and what is written for one call
    /// alone may have come in it.
    pub(super) fn kept_reason(&self, message: Cow<'static, str>) -> Cow<'static, str> {
        match self {
            Self::InvalidNumber(NumberHint::DidYouMean(_)) => NumberHint::None.message(),
            Self::InvalidField(field, Cow::Owned(_)) => format!("Bad Request - Invalid {field}").into(),
            _ => message,
        }
    }

    /// How far a call came that was answered with it. What has several places is counted where it is most often.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::InvalidCredentials
            | Self::InvalidGrantType
            | Self::Token(_)
            | Self::SignIn(_)
            | Self::NoProduct
            | Self::Forbidden(_)
            | Self::Refused(_) => Stage::Token,
            Self::InvalidPayload
            | Self::InvalidNumber(_)
            | Self::ResultAddress(_)
            | Self::InvalidField(..)
            | Self::InvalidHeader(_)
            | Self::WorldConflict(_)
            | Self::UploadBroken(_)
            | Self::FeedConflict(_)
            | Self::SnapshotRefused(_)
            | Self::UnknownPath
            | Self::WrongMethod(_)
            | Self::BodyTooSlow
            | Self::BodyTooLarge
            | Self::NotJson
            | Self::NoSuchCheck
            | Self::NoSuchThing
            | Self::NotNow(_)
            | Self::Taken(_)
            | Self::NotImplemented
            | Self::KeyRunning
            | Self::KeyTooOld
            | Self::KeyOfOtherRequest => Stage::Request,
            Self::SpikeArrest { .. } | Self::QuotaViolation { .. } | Self::BatchTooLarge { .. } => Stage::Limits,
            Self::Internal
            | Self::Reset
            | Self::RegistryBad
            | Self::Unreachable
            | Self::RegistryTooSlow
            | Self::NotServed => Stage::Registry,
            Self::Withheld | Self::RegistryStale | Self::RegistryIncomplete => Stage::Disclosure,
            Self::UnreachableAt(stage) => *stage,
            Self::NotRecorded | Self::NotConfirmed => Stage::Charge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Shape;
    use laini_core::billing::CheckId;

    #[test]
    fn nothing_that_came_in_a_call_is_kept_of_its_error() {
        let number = "254722000000";
        for (error, reason) in [
            (ApiError::InvalidNumber(NumberHint::DidYouMean(number.to_owned())), "Invalid customerNumber"),
            (ApiError::InvalidField("number", format!("item 3: did you mean {number}?").into()), "Invalid number"),
            (ApiError::InvalidField("expect", "send a pseudonym".into()), "Invalid expect - send a pseudonym"),
        ] {
            let response = error.into_response(CheckId::from_parts(1, 1), Shape::Check);
            let refused = response.extensions().get::<Refused>().cloned();
            let kept = refused.map(|refused| (refused.code, refused.stage, refused.reason.into_owned()));
            assert_eq!(kept, Some(("400.002.02", Stage::Request, format!("Bad Request - {reason}"))));
        }
    }

    #[test]
    fn an_error_says_how_far_its_call_came() {
        let cases = [
            (ApiError::NoProduct, Stage::Token),
            (ApiError::KeyTooOld, Stage::Request),
            (ApiError::SpikeArrest { retry_after_s: 1 }, Stage::Limits),
            (ApiError::RegistryTooSlow, Stage::Registry),
            (ApiError::RegistryStale, Stage::Disclosure),
            (ApiError::NotConfirmed, Stage::Charge),
            (ApiError::UnreachableAt(Stage::Charge), Stage::Charge),
        ];
        for (error, stage) in cases {
            assert_eq!(error.stage(), stage, "{error:?}");
        }
    }
}
