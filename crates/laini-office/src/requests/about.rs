use laini_core::line::{Msisdn, NumberPlan};

/// What a call was about, as somebody looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// This number.
    Number(Msisdn),
    /// A number of which only the beginning and the end are known.
    Mask(Mask),
}

impl About {
    /// Reads a number in any form that people write, or a mask: digits, stars or dots, digits. `None` = neither.
    pub fn parse(text: &str, plan: &NumberPlan) -> Option<Self> {
        let number = plan.parse_spaced(text).ok().map(Self::Number);
        number.or_else(|| Mask::parse(text).map(Self::Mask))
    }

    /// Masked, as it is shown: also a mask that hides next to nothing.
    pub fn masked(&self) -> String {
        match self {
            Self::Number(number) => number.masked(),
            Self::Mask(Mask { lead, tail }) => {
                let (lead_end, tail_begin) = (lead.len().min(Mask::ENDS), tail.len().saturating_sub(Mask::ENDS));
                format!("{}…{}", &lead[..lead_end], &tail[tail_begin..])
            }
        }
    }
}

/// A number with its middle hidden, as it stands on a page: `254******054`, or `2547•••••054`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    lead: String,
    tail: String,
}

impl Mask {
    /// The shortest end that is looked for: shorter ones fit nearly every number.
    const TAIL_MIN: usize = 2;
    /// So many digits of either end are shown and written down, as of a number.
    const ENDS: usize = 3;

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('+');
        let is_hidden = |c| matches!(c, '*' | '•' | '…' | '.');
        let (lead, rest) = text.split_at(text.find(is_hidden)?);
        let tail = rest.trim_start_matches(is_hidden);
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_mask = is_number(lead) && is_number(tail) && tail.len() >= Self::TAIL_MIN;
        is_mask.then(|| Self { lead: lead.to_owned(), tail: tail.to_owned() })
    }

    /// Whether a number that is kept masked, `254******054`, can be one of these, as far as both show.
    pub(super) fn fits(&self, masked: &str) -> bool {
        let (lead, tail) = (masked.split('*').next(), masked.rsplit('*').next());
        let agree = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
        lead.is_some_and(|lead| agree(lead, &self.lead))
            && tail.is_some_and(|tail| tail.ends_with(&self.tail) || self.tail.ends_with(tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_read_as_pages_show_it() {
        for (text, fitting, other) in [
            ("254******054", "254******054", "254******055"),
            ("2547•••••054", "254******054", "255******054"),
            ("+254…4054", "254******054", "254******154"),
            ("***54", "254******054", "254******045"),
        ] {
            let mask = Mask::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert!(mask.fits(fitting), "{text}");
            assert!(!mask.fits(other), "{text}");
        }
        for (text, shown) in [("254******054", "254…054"), ("+254700000*00054", "254…054"), ("*54", "…54")] {
            assert_eq!(About::parse(text, &NumberPlan::KENYA).unwrap().masked(), shown, "{text}");
        }
        for none in ["", "254700000054", "254***", "254*5", "a***54", "254**5*54"] {
            assert_eq!(Mask::parse(none), None, "{none}");
        }
    }
}
