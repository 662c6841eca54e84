/// Of the workspaces' rails.
pub(crate) struct RailWords {
    /// Build, Investigate, Operate.
    pub(crate) workspaces: [&'static str; 3],
    pub(crate) apps: &'static str,
    pub(crate) desk: &'static str,
    pub(crate) desk_settings: &'static str,
    pub(crate) onboarding: &'static str,
    pub(crate) partners: &'static str,
    pub(crate) incidents: &'static str,
    pub(crate) support: &'static str,
    pub(crate) tickets: &'static str,
}

pub(super) const ENGLISH: RailWords = RailWords {
    workspaces: ["Build", "Investigate", "Operate"],
    apps: "Apps",
    desk: "Desk",
    desk_settings: "Thresholds",
    onboarding: "Onboarding",
    partners: "Partners",
    incidents: "Incidents",
    support: "Support",
    tickets: "Tickets",
};

pub(super) const KISWAHILI: RailWords = RailWords {
    workspaces: ["Jenga", "Chunguza", "Endesha"],
    apps: "Programu",
    desk: "Dawati",
    desk_settings: "Viwango",
    onboarding: "Kujiunga",
    partners: "Washirika",
    incidents: "Matukio",
    support: "Msaada",
    tickets: "Maombi",
};
