use laini_core::store::Stage;

/// What happened to a call at one of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// How it went.
    pub state: StepState,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It was passed.
    Passed,
    /// The call ended here.
    Failed,
    /// The call did not come so far.
    NotReached,
}

impl StepState {
    /// As shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotReached => "not_reached",
        }
    }
}

/// The steps of a call that ended at `failed_at` (`None` = it was answered), and whether it was recorded: a number that
/// is not served ends at the registry, and leaves a row that costs nothing.
pub fn steps(failed_at: Option<Stage>, is_recorded: bool) -> Vec<Step> {
    let state = |stage: Stage| match failed_at {
        None => StepState::Passed,
        Some(failed) if stage < failed => StepState::Passed,
        Some(failed) if stage == failed => StepState::Failed,
        Some(_) if stage == Stage::Charge && is_recorded => StepState::Passed,
        Some(_) => StepState::NotReached,
    };
    Stage::ALL.into_iter().map(|stage| Step { stage, state: state(stage) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(failed_at: Option<Stage>, is_recorded: bool) -> String {
        let letter = |step: Step| match step.state {
            StepState::Passed => 'p',
            StepState::Failed => 'F',
            StepState::NotReached => '.',
        };
        steps(failed_at, is_recorded).into_iter().map(letter).collect()
    }

    #[test]
    fn a_call_passes_its_steps_until_it_fails() {
        let cases = [
            (None, true, "pppppp"),
            (Some(Stage::Token), false, "F....."),
            (Some(Stage::Request), false, "pF...."),
            (Some(Stage::Limits), false, "ppF..."),
            (Some(Stage::Registry), false, "pppF.."),
            (Some(Stage::Registry), true, "pppF.p"),
            (Some(Stage::Disclosure), true, "ppppFp"),
            (Some(Stage::Charge), false, "pppppF"),
        ];
        for (failed_at, is_recorded, expected) in cases {
            assert_eq!(drawn(failed_at, is_recorded), expected, "{failed_at:?} {is_recorded}");
        }
    }
}
