/// Of every page about one partner.
pub(crate) struct PartnerPageWords {
    /// Its pages: the way to production, organisation, agreements, going live, apps, usage, billing, invoices, requests,
    /// team, audit trail.
    pub(crate) sections: [&'static str; 11],
}

pub(super) const ENGLISH: PartnerPageWords = PartnerPageWords {
    sections: [
        "Overview",
        "Organisation",
        "Agreements",
        "Go live",
        "Apps and limits",
        "Usage",
        "Billing",
        "Invoices",
        "Requests",
        "Team",
        "Audit trail",
    ],
};

pub(super) const KISWAHILI: PartnerPageWords = PartnerPageWords {
    sections: [
        "Muhtasari",
        "Shirika",
        "Mikataba",
        "Kuanza uzalishaji",
        "Programu na vikomo",
        "Matumizi",
        "Malipo",
        "Ankara",
        "Maombi",
        "Timu",
        "Kumbukumbu",
    ],
};
