//! Questions in Kiswahili, each with the pages of which one must be among the first three.

use laini_guide::{answer, search};

/// As people at Kenyan banks write them: with English words where those are said.
const ASKED: &[(&str, &[&str])] = &[
    ("Ukaguzi mmoja unagharimu kiasi gani?", &["which-check", "what-the-page-says", "billing", "more-details"]),
    ("Bei ya kuangalia laini moja ni ngapi?", &["which-check", "what-the-page-says", "billing", "more-details"]),
    ("Ubadilishaji wa SIM ni nini hasa?", &["how-it-works", "which-check", "overview"]),
    ("Ninapataje tokeni ya ufikiaji?", &["getting-started", "integration-steps", "errors"]),
    ("Tokeni inadumu kwa muda gani?", &["getting-started", "integration-steps", "errors"]),
    ("Nifanye nini nikipata kosa 401.002.01?", &["errors"]),
    ("Kosa 503.002.02 lina maana gani?", &["errors"]),
    ("Makosa yote yameelezwa wapi?", &["errors"]),
    ("Ninabadilishaje siri ya programu yangu?", &["apps", "how-to"]),
    ("Ufunguo wa programu unatengenezwa wapi?", &["apps", "getting-started", "how-to", "integration-steps"]),
    ("Nambari gani ya majaribio ilibadilishwa SIM leo?", &["sandbox", "getting-started"]),
    ("Ninahakikije sahihi ya matokeo yaliyotumwa?", &["delivery", "sdk", "how-to"]),
    ("Ankara inatumwa lini kila mwezi?", &["billing", "payments"]),
    ("Ninawezaje kupinga mstari wa ankara?", &["billing"]),
    ("Kodi ya VAT inaonyeshwaje kwenye ankara?", &["billing"]),
    ("Salio la malipo ya awali linafanyaje kazi?", &["payments"]),
    ("Mshirika anatiaje sahihi mkataba?", &["agreements"]),
    ("Nyaraka gani zinahitajika ili kusajili shirika?", &["onboarding"]),
    ("Ninawezaje kuuliza kuhusu nambari nyingi kwa pamoja?", &["faq", "checks", "how-to", "desk"]),
    ("Je, nitatozwa mara mbili nikirudia ombi?", &["checks", "faq", "how-to", "billing"]),
    ("Ninawekaje bajeti ya programu?", &["limits", "how-to"]),
    ("Kikomo cha maombi ya programu ni kipi?", &["limits", "errors"]),
    ("Nambari za simu zinahifadhiwa kwa muda gani?", &["privacy", "operations", "requests"]),
    ("Mteja anaombaje data yake ifutwe?", &["privacy"]),
    ("Nimesahau nenosiri, nifanye nini?", &["people"]),
    ("Kwa nini ombi langu lilishindwa?", &["requests", "errors", "faq", "support"]),
    ("Ninafunguaje tiketi ya msaada?", &["support"]),
    ("IMSI iliyofichwa kwa hash ni nini?", &["pseudonym", "faq"]),
    ("Dawati la udanganyifu lifanye nini na jibu lisilojulikana?", &["desk", "how-to"]),
    ("Mwaliko wa mwenzangu kwenye timu unatumwaje?", &["people"]),
    ("Kwa nini tarehe ni 01-01-1900?", &["faq", "what-the-page-says"]),
    ("Ninajisajili vipi kama benki?", &["onboarding", "people"]),
    ("Mkataba unaisha lini?", &["agreements"]),
    ("Ninaondoaje mtu kwenye timu?", &["people"]),
    ("Uthibitisho wa hatua mbili unawekwaje?", &["people"]),
    ("Matokeo yanatumwa kwa anwani gani?", &["delivery"]),
    ("Nani anaona nambari zilizoulizwa?", &["privacy", "people", "desk"]),
    ("Nini hutokea data ikiwa ya zamani?", &["how-it-works", "feed", "errors", "sandbox"]),
    ("Nitajuaje kama huduma ina hitilafu?", &["incidents", "support"]),
    ("Ninapakuaje leja ya mwezi?", &["billing"]),
    ("Ninaanzaje kutumia sandbox?", &["sandbox", "getting-started"]),
    (
        "Nambari ikihamishwa kwenda mtandao mwingine inaonekanaje?",
        &["which-check", "how-it-works", "checks", "errors", "what-the-page-says", "sandbox"],
    ),
    ("Programu imesimamishwa kwa nini?", &["apps", "limits", "errors", "faq"]),
    ("Nakala rudufu ya seva inafanywaje?", &["operations"]),
    ("Muda wa kujibu tiketi ni upi?", &["support"]),
    ("Faini ya kuchelewa kulipa ankara ni nini?", &["payments", "billing"]),
    ("Ninatengenezaje programu mpya?", &["apps", "getting-started", "how-to"]),
    ("Kosa 403 kwenye uzalishaji lina maana gani?", &["faq", "errors", "support"]),
    ("Cheti cha TLS kinawekwa wapi?", &["internet", "limits"]),
    ("Ninaonaje matumizi yangu ya mwezi huu?", &["billing", "limits"]),
    ("Je, jibu la 404 ni salama?", &["faq", "errors", "how-it-works"]),
    ("Ninatumiaje SDK ya Rust?", &["sdk"]),
    ("Ninawezaje kuuliza bila kutozwa?", &["sandbox", "getting-started", "checks", "billing", "faq", "which-check"]),
    ("Bajeti ikiisha nini hufanyika?", &["limits", "errors"]),
    ("Mteja aliyebadilisha SIM wiki iliyopita anaonyeshwaje?", &["which-check", "how-it-works", "desk", "sandbox"]),
    ("Ninapakiaje orodha ya nambari kwenye dawati?", &["desk"]),
    ("Ujumbe wa mwaliko haujafika, nifanyeje?", &["people"]),
    ("Nakala ya hifadhidata inarejeshwaje?", &["operations", "store-copy"]),
    ("Ufunguo ukivuja nifanye nini?", &["apps", "faq", "how-to", "support"]),
    ("Tokeni inaisha baada ya muda gani?", &["getting-started", "integration-steps", "errors"]),
    ("Webhook isipojibu inarudiwa mara ngapi?", &["delivery", "how-to"]),
    ("Kampuni yetu inasajiliwaje?", &["onboarding"]),
    (
        "Nambari isiyojulikana ina maana gani?",
        &["checks", "faq", "how-it-works", "errors", "desk", "what-the-page-says"],
    ),
    ("Ninawezaje kuona makosa ya programu yangu?", &["requests", "errors", "apps"]),
];

/// Questions of another world.
const FOREIGN: &[&str] = &[
    "hali ya hewa ikoje leo",
    "Nani alishinda kombe la dunia?",
    "Ninapikaje ugali?",
    "Rais wa Marekani ni nani?",
    "Mlima Kenya una urefu gani?",
    "Bei ya mahindi sokoni ni ngapi?",
    "Ninanunuaje data kwa M-PESA?",
];

#[test]
fn questions_in_kiswahili_find_their_page_within_the_first_three() {
    let page = |href: &str| href.trim_start_matches("/docs/").split('#').next().unwrap_or_default().to_owned();
    let mut missed = Vec::new();
    for (question, pages) in ASKED {
        let found = answer(question, 3);
        if found.iter().any(|found| pages.contains(&page(&found.passage.href).as_str())) {
            continue;
        }
        let near = search(question, 3);
        let near: Vec<_> = near.iter().map(|near| format!("{} ({:.2})", near.passage.href, near.covered)).collect();
        missed.push(format!("{question}: {} answered; near {}", found.len(), near.join(" ")));
    }
    println!("{} of {} found", ASKED.len() - missed.len(), ASKED.len());
    assert!(missed.is_empty(), "{} of {} missed:\n{}", missed.len(), ASKED.len(), missed.join("\n"));
}

#[test]
fn what_is_of_another_world_is_not_answered_in_kiswahili_either() {
    let told = FOREIGN.iter().filter_map(|question| Some((question, answer(question, 1).pop()?)));
    let told: Vec<_> =
        told.map(|(question, found)| format!("{question}: {} ({:.2})", found.passage.href, found.covered)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
