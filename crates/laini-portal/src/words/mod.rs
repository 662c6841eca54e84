//! What the portal says, in each of its languages.
//!
//! Owns the texts of pages that are no documents. Must never miss one in a language: the compiler sees to that.

mod en;
mod sw;

pub(crate) use en::ENGLISH;
pub(crate) use sw::KISWAHILI;

/// Every text, in one language.
pub(crate) struct Words {
    pub(crate) skip: &'static str,
    pub(crate) everywhere: &'static str,
    pub(crate) workspace: &'static str,
    pub(crate) home: &'static str,
    pub(crate) products: &'static str,
    pub(crate) docs: &'static str,
    pub(crate) account: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) light: &'static str,
    pub(crate) dark: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) not_found: &'static str,
    pub(crate) not_found_reason: &'static str,
    pub(crate) forbidden: &'static str,
    pub(crate) not_your_role: &'static str,
    pub(crate) unavailable: &'static str,
    pub(crate) unavailable_reason: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) stale_form: &'static str,
    pub(crate) sign_in: SignInWords,
    pub(crate) try_it: TryWords,
    pub(crate) catalogue: CatalogueWords,
    pub(crate) account_page: AccountWords,
    pub(crate) apps: AppsWords,
    pub(crate) desk: DeskWords,
    pub(crate) onboarding: OnboardingWords,
    pub(crate) rail: RailWords,
}

/// Of the doors.
pub(crate) struct SignInWords {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) email: &'static str,
    pub(crate) password: &'static str,
    pub(crate) code: &'static str,
    pub(crate) code_hint: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) code_needed: &'static str,
    pub(crate) code_wrong: &'static str,
    pub(crate) forgotten: &'static str,
    pub(crate) forgotten_lead: &'static str,
    pub(crate) forgotten_sent: &'static str,
    pub(crate) send_letter: &'static str,
    pub(crate) invitation: &'static str,
    pub(crate) invitation_lead: &'static str,
    pub(crate) reset: &'static str,
    pub(crate) reset_lead: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) password_hint: &'static str,
    pub(crate) set_password: &'static str,
    pub(crate) token: &'static str,
    pub(crate) token_hint: &'static str,
}

/// Of the look-up that needs no account.
pub(crate) struct TryWords {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) number: &'static str,
    pub(crate) number_hint: &'static str,
    pub(crate) button: &'static str,
    pub(crate) published: &'static str,
    pub(crate) clear: &'static str,
    pub(crate) personas: &'static str,
    /// How far each lies behind the first, and what it is.
    pub(crate) ready: &'static [(u64, &'static str)],
    pub(crate) doors: [(&'static str, &'static str, &'static str); 3],
    pub(crate) said: SaidWords,
}

/// What a check's facts mean, in words.
pub(crate) struct SaidWords {
    pub(crate) swapped: &'static str,
    pub(crate) not_swapped: &'static str,
    pub(crate) swap_unknown: &'static str,
    pub(crate) new_line: &'static str,
    pub(crate) old_line: &'static str,
    pub(crate) age_unknown: &'static str,
    pub(crate) not_served: &'static str,
    pub(crate) charged: &'static str,
    pub(crate) data_of: &'static str,
}

/// Of the catalogue.
pub(crate) struct CatalogueWords {
    pub(crate) lead: &'static str,
    pub(crate) which: &'static str,
    pub(crate) question: &'static str,
    pub(crate) take: &'static str,
    pub(crate) costs: &'static str,
    pub(crate) per_check: &'static str,
    pub(crate) set_up: &'static str,
    pub(crate) free: &'static str,
    pub(crate) choices: [(&'static str, &'static str); 4],
    pub(crate) about: [(&'static str, &'static str); 3],
}

/// Of a partner's apps.
pub(crate) struct AppsWords {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) create: &'static str,
    pub(crate) all: &'static str,
    pub(crate) sandbox: &'static str,
    pub(crate) production: &'static str,
    pub(crate) revoked: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_hint: &'static str,
    pub(crate) name: &'static str,
    pub(crate) environment: &'static str,
    pub(crate) state: &'static str,
    pub(crate) products: &'static str,
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) secret_once: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) credentials: &'static str,
    pub(crate) created: &'static str,
    pub(crate) used: &'static str,
    pub(crate) never: &'static str,
    pub(crate) retire: &'static str,
    pub(crate) rotate: &'static str,
    pub(crate) rotate_hint: &'static str,
    pub(crate) on: &'static str,
    pub(crate) not_agreed: &'static str,
    pub(crate) no_agreement: &'static str,
    pub(crate) addresses: &'static str,
    pub(crate) elsewhere: &'static str,
}

/// Of the workspaces' rails.
pub(crate) struct RailWords {
    pub(crate) apps: &'static str,
    pub(crate) desk: &'static str,
    pub(crate) desk_settings: &'static str,
    pub(crate) onboarding: &'static str,
    pub(crate) partners: &'static str,
}

/// Of the desk.
pub(crate) struct DeskWords {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) receipt: &'static str,
    pub(crate) check: &'static str,
    pub(crate) number: &'static str,
    pub(crate) app: &'static str,
    pub(crate) expect: &'static str,
    pub(crate) expect_hint: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) check_id: &'static str,
    pub(crate) at: &'static str,
    pub(crate) sim: &'static str,
    pub(crate) data_of: &'static str,
    pub(crate) charged: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) no_app: &'static str,
    pub(crate) no_app_hint: &'static str,
    pub(crate) allow: &'static str,
    pub(crate) step_up: &'static str,
    pub(crate) hold: &'static str,
    pub(crate) not_served: &'static str,
    pub(crate) sim_changed: &'static str,
    pub(crate) sim_unknown: &'static str,
    pub(crate) sim_same: &'static str,
    pub(crate) swap_unknown: &'static str,
    pub(crate) not_swapped: &'static str,
    pub(crate) age_unknown: &'static str,
    pub(crate) held_longer: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) settings_lead: &'static str,
    pub(crate) saved: &'static str,
    pub(crate) swap_legend: &'static str,
    pub(crate) age_legend: &'static str,
    pub(crate) unknown_legend: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) guards_legend: &'static str,
    pub(crate) days_hint: &'static str,
    pub(crate) cap: &'static str,
    pub(crate) from_hour: &'static str,
    pub(crate) until_hour: &'static str,
    pub(crate) hours_hint: &'static str,
    pub(crate) weekends: &'static str,
    pub(crate) canaries: &'static str,
    pub(crate) canaries_hint: &'static str,
    pub(crate) save: &'static str,
    /// In the order of the purposes.
    pub(crate) purposes: [&'static str; 3],
    /// Today, yesterday, and `{}` days ago.
    pub(crate) swapped: [&'static str; 3],
    /// Since today, since yesterday, and for `{}` days.
    pub(crate) held: [&'static str; 3],
}

/// Of the way from papers to production.
pub(crate) struct OnboardingWords {
    pub(crate) partners: &'static str,
    pub(crate) partners_lead: &'static str,
    pub(crate) review_next: &'static str,
    pub(crate) nobody: &'static str,
    pub(crate) nobody_hint: &'static str,
    pub(crate) partner: &'static str,
    pub(crate) step_label: &'static str,
    pub(crate) turn: &'static str,
    pub(crate) since: &'static str,
    pub(crate) more: &'static str,
    pub(crate) all: &'static str,
    pub(crate) your_turn: &'static str,
    pub(crate) operators_turn: &'static str,
    pub(crate) partners_turn: &'static str,
    pub(crate) way: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) send_standard: &'static str,
    pub(crate) agreements: &'static str,
    pub(crate) agreement: &'static str,
    pub(crate) no_agreement: &'static str,
    pub(crate) history: &'static str,
    pub(crate) comments: &'static str,
    pub(crate) say: &'static str,
    pub(crate) back: &'static str,
    pub(crate) read_it: &'static str,
    pub(crate) sign: &'static str,
    /// In the order of the steps.
    pub(crate) steps: [&'static str; 7],
    /// In the order of the buttons: submit, take up, return, reject, go live.
    pub(crate) actions: [&'static str; 5],
}

/// Of one's own account.
pub(crate) struct AccountWords {
    pub(crate) sessions: &'static str,
    pub(crate) began: &'static str,
    pub(crate) seen: &'static str,
    pub(crate) ends: &'static str,
    pub(crate) from: &'static str,
    pub(crate) this_one: &'static str,
    pub(crate) end_others: &'static str,
    pub(crate) second_factor: &'static str,
    pub(crate) factor_lead: &'static str,
    pub(crate) set_up: &'static str,
    pub(crate) change_password: &'static str,
    pub(crate) present_password: &'static str,
    pub(crate) recovery: &'static str,
    pub(crate) factor_secret: &'static str,
    pub(crate) factor_open: &'static str,
    pub(crate) confirm: &'static str,
}
