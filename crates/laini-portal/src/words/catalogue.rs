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
    /// What a check of several facts costs.
    pub(crate) by_facts: &'static str,
    pub(crate) read: &'static str,
    pub(crate) try_it: &'static str,
    pub(crate) choices: [(&'static str, &'static str); 4],
    pub(crate) about: [(&'static str, &'static str); 3],
}

pub(super) const ENGLISH: CatalogueWords = CatalogueWords {
    lead: "Three questions about a number. All of them are answered from the network's own records, and recorded before they are answered.",
    which: "Which check do I need?",
    question: "You want to know",
    take: "Take",
    costs: "List price",
    per_check: "a check, before tax",
    set_up: "Set-up",
    free: "checks free",
    by_facts: "by what is asked of each number: Swap, Age on network, or IMSI for more than one",
    read: "Read how it works",
    try_it: "Try it",
    choices: [
        ("whether the person at the phone may have taken over the number lately", "Swap"),
        ("whether the line is new", "Age on network"),
        ("both, or whether it is still the SIM that you enrolled", "IMSI"),
        ("several numbers at once, or an answer that cannot be misread", "POST /v1/checks"),
    ],
    about: [
        (
            "IMSI",
            "The hashed identity of the SIM, the date of its last change inside the window, and when the line began where that is recent.",
        ),
        ("Swap", "The date of the last SIM change inside the window, or that there was none."),
        ("Age on network", "When the present holding of the line began, where that is inside the window."),
    ],
};

pub(super) const KISWAHILI: CatalogueWords = CatalogueWords {
    lead: "Maswali matatu kuhusu namba. Yote yanajibiwa kutoka kumbukumbu za mtandao wenyewe, na kurekodiwa kabla ya kujibiwa.",
    which: "Ninahitaji ukaguzi upi?",
    question: "Unataka kujua",
    take: "Chukua",
    costs: "Bei",
    per_check: "kwa ukaguzi, kabla ya kodi",
    set_up: "Ada ya kuanza",
    free: "kaguzi bila malipo",
    by_facts: "kwa kinachoulizwa kuhusu kila namba: Swap, Age on network, au IMSI kwa zaidi ya kimoja",
    read: "Soma jinsi inavyofanya kazi",
    try_it: "Jaribu",
    choices: [
        ("kama aliye kwenye simu huenda aliichukua namba hivi karibuni", "Swap"),
        ("kama laini ni mpya", "Age on network"),
        ("yote mawili, au kama bado ni SIM ile uliyoisajili", "IMSI"),
        ("namba kadhaa kwa pamoja, au jibu lisiloweza kueleweka vibaya", "POST /v1/checks"),
    ],
    about: [
        (
            "IMSI",
            "Utambulisho wa SIM uliofichwa, tarehe ya mabadiliko ya mwisho ndani ya kipindi, na laini ilianza lini ikiwa ni hivi karibuni.",
        ),
        ("Swap", "Tarehe ya mabadiliko ya mwisho ya SIM ndani ya kipindi, au kwamba hayakuwepo."),
        ("Age on network", "Laini ilianza kushikiliwa lini, ikiwa ni ndani ya kipindi."),
    ],
};
