/// Of the workspaces' rails.
pub(crate) struct RailWords {
    /// Build, Investigate, Operate.
    pub(crate) workspaces: [&'static str; 3],
    pub(crate) apps: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) billing: &'static str,
    pub(crate) invoices: &'static str,
    pub(crate) prices: &'static str,
    pub(crate) revenue: &'static str,
    pub(crate) all_invoices: &'static str,
    pub(crate) payments: &'static str,
    pub(crate) desk: &'static str,
    pub(crate) desk_settings: &'static str,
    pub(crate) onboarding: &'static str,
    pub(crate) partners: &'static str,
}

pub(super) const ENGLISH: RailWords = RailWords {
    workspaces: ["Build", "Investigate", "Operate"],
    apps: "Apps",
    usage: "Usage",
    billing: "Billing",
    invoices: "Invoices",
    prices: "Prices",
    revenue: "Revenue",
    all_invoices: "Invoices",
    payments: "Payments",
    desk: "Desk",
    desk_settings: "Thresholds",
    onboarding: "Onboarding",
    partners: "Partners",
};

pub(super) const KISWAHILI: RailWords = RailWords {
    workspaces: ["Jenga", "Chunguza", "Endesha"],
    apps: "Programu",
    usage: "Matumizi",
    billing: "Malipo",
    invoices: "Ankara",
    prices: "Bei",
    revenue: "Mapato",
    all_invoices: "Ankara",
    payments: "Malipo yaliyopokelewa",
    desk: "Dawati",
    desk_settings: "Viwango",
    onboarding: "Kujiunga",
    partners: "Washirika",
};
