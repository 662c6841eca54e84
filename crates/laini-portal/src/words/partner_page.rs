/// Of every page about one partner.
pub(crate) struct PartnerPageWords {
    /// Its pages: the way to production, organisation, agreements, going live, apps, team, audit trail.
    pub(crate) sections: [&'static str; 8],
}

pub(super) const ENGLISH: PartnerPageWords = PartnerPageWords {
    sections: [
        "Overview",
        "Organisation",
        "Agreements",
        "Go live",
        "Apps and limits",
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
        "Maombi",
        "Timu",
        "Kumbukumbu",
    ],
};
