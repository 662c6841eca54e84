//! What is said in Kiswahili, in the English of the guide.
//!
//! Nouns stand here in each of their forms. Of verbs the root does: before it stand who, when and what, behind it how;
//! `ilibadilishwa` is `i-li-badilish-wa`.

/// What a verb ends in.
const VOWELS: [char; 4] = ['a', 'e', 'i', 'u'];
/// The letters of which endings are.
const ENDINGS: &str = "aehijklnopsuvwy";
/// The longest ending: `-iliwavyo`.
const ENDING_LETTERS_MAX: usize = 9;

/// What stands before the root of a verb.
const BEFORE: [&str; 34] = [
    "a", "cho", "ha", "hu", "i", "ja", "ji", "ka", "ki", "ku", "kw", "li", "lo", "m", "me", "mw", "na", "nge", "ni",
    "pa", "po", "si", "ta", "tu", "u", "vi", "vyo", "wa", "ya", "ye", "yo", "zi", "zo", "o",
];

/// Words that say nothing of what is asked.
const SILENT: &str = " aina akiwa ama anatia anatiaje anaweza au baada bado bila cha changu chetu gani hadi hapa hasa hata haya hayo \
    hii hili hilo hivi hivyo hiyo hizi hizo huku huo huu huyu ikiwa ile ili iliyopita ina inafaa ipi iwapo je jinsi \
    jipya jua kabla kama katika kazi kiasi kidogo kila kinachotokea kingine kipi kipya kubwa kuhusu kujua kupata \
    kutia kutoka kuwa kwa kwamba kwenda kwenye la lake lakini langu lazima letu lililopita lina lingine lini lipi \
    lote maana maelezo mara mengine mimi mmoja moja mpaka mpya muda mwingine na najua namna nani nataka ndani ndiyo \
    ndogo ngapi ni nifanye nifanyeje nikiwa nina ninajua ninajuaje ninawezaje nini nitajua nitajuaje nyingine nzima \
    pale pamoja pia sana sasa si simu sisi tena tu ukiwa uliopita una unafaa unajua upi vile vingine vipi vizuri vya \
    vyetu wa wakati wake wana wangu wao wapi wapya wengine wetu wewe wote wowote ya yake yaliyopita yana yangu yao \
    yapi yenu yetu yote yoyote yule za zaidi zake zangu zao zetu zilizopita zina zipi zote ";

/// Nouns and the like.
const NOUNS: &[(&[&str], &[&str])] = &[
    (&["ada"], &["price", "charge"]),
    (&["akaunti", "hesabu"], &["account"]),
    (&["anaona", "kuona", "naona", "ninaonaje", "ninaona", "tunaona", "wanaona"], &["see", "seen"]),
    (&["ankara"], &["invoice", "invoices"]),
    (&["anwani"], &["address", "addresses"]),
    (&["awali"], &["prepaid", "before"]),
    (&["bajeti"], &["budget"]),
    (&["bechi", "kundi", "makundi"], &["batch"]),
    (&["bei"], &["price", "charge"]),
    (&["benki"], &["bank"]),
    (&["bure"], &["free", "charged"]),
    (&["chati", "mchoro"], &["chart"]),
    (&["chelezo"], &["backup"]),
    (&["cheti", "vyeti"], &["certificate"]),
    (&["dakika"], &["minutes", "minute"]),
    (&["dawati", "madawati"], &["desk"]),
    (&["deni", "madeni"], &["overdue", "open"]),
    (&["faini"], &["overdue", "reminder"]),
    (&["faragha"], &["privacy"]),
    (&["fedha", "hela", "pesa"], &["money", "payment"]),
    (&["funguo", "ufunguo"], &["key"]),
    (&["gharama"], &["price", "charge", "charged"]),
    (&["hali"], &["status", "state"]),
    (&["hati", "nyaraka", "waraka"], &["document", "documents"]),
    (&["hatua"], &["step", "factor"]),
    (&["hifadhidata"], &["database", "store", "postgresql"]),
    (&["hitilafu", "matatizo", "tatizo"], &["incident", "failed", "error"]),
    (&["huduma", "msaada"], &["support"]),
    (&["idadi"], &["count", "number"]),
    (&["jana"], &["yesterday"]),
    (&["jaribio", "majaribio"], &["sandbox", "testing", "test"]),
    (&["jibu", "majibu"], &["answer"]),
    (&["jina", "majina"], &["name"]),
    (&["jukumu", "majukumu", "ruhusa"], &["role", "roles"]),
    (&["kasi"], &["rate"]),
    (&["kikao", "vikao"], &["session"]),
    (&["kikomo", "mipaka", "ukomo", "vikomo"], &["limit", "limits"]),
    (&["kitambulisho", "vitambulisho"], &["id", "requestRefID"]),
    (&["kiungo", "viungo"], &["link"]),
    (&["kivinjari"], &["portal"]),
    (&["kodi"], &["tax"]),
    (&["kosa", "makosa"], &["error", "code"]),
    (&["kumbukumbu"], &["trail", "audit", "log"]),
    (&["leja"], &["ledger"]),
    (&["leo"], &["today"]),
    (&["lugha"], &["language"]),
    (&["mabadiliko"], &["change", "changelog"]),
    (&["malipo"], &["payment", "payments", "pay"]),
    (&["maombi", "ombi"], &["request", "call"]),
    (&["mashine"], &["machine"]),
    (&["maswali", "swali"], &["question"]),
    (&["matokeo", "tokeo"], &["result", "delivery", "outcome"]),
    (&["matumizi"], &["usage", "used"]),
    (&["mbili"], &["second", "twice", "repeat"]),
    (&["mikataba", "mkataba"], &["agreement"]),
    (&["mistari", "mstari"], &["line", "row"]),
    (&["mmiliki", "wamiliki"], &["owner"]),
    (&["mshirika", "washirika"], &["partner"]),
    (&["msimamizi", "wasimamizi"], &["administrator", "admin"]),
    (&["msimbo", "misimbo"], &["code"]),
    (&["mtandao"], &["network", "operator"]),
    (&["mteja", "wateja"], &["subscriber", "customer", "holder"]),
    (&["mtu", "watu"], &["people", "member"]),
    (&["mtumiaji", "watumiaji"], &["people", "member"]),
    (&["mwaka", "miaka"], &["years", "year"]),
    (&["mwaliko", "mialiko"], &["invitation", "invite"]),
    (&["mwenye"], &["holder"]),
    (&["mwenzangu", "wenzangu"], &["member", "people"]),
    (&["mwezi", "miezi"], &["month", "months"]),
    (&["mwisho"], &["end"]),
    (&["mwizi", "wezi"], &["thief"]),
    (&["mwongozo"], &["documentation"]),
    (&["nakala"], &["copy", "backup"]),
    (&["namba", "nambari"], &["number", "numbers"]),
    (&["nenosiri", "nywila"], &["password"]),
    (&["nyingi", "wingi"], &["batch", "hundred", "numbers"]),
    (&["onyo", "tahadhari"], &["alarm", "warning"]),
    (&["orodha"], &["checklist", "list"]),
    (&["programu"], &["app", "apps"]),
    (&["ripoti"], &["report"]),
    (&["risiti", "stakabadhi"], &["receipt"]),
    (&["rudufu"], &["backup"]),
    (&["saa"], &["hour", "hours"]),
    (&["safu"], &["column"]),
    (&["sahihi", "saini"], &["signature", "sign", "signed"]),
    (&["salama"], &["good", "safe"]),
    (&["salio"], &["balance"]),
    (&["sekunde"], &["second", "rate"]),
    (&["seva"], &["server"]),
    (&["shirika", "kampuni"], &["organisation"]),
    (&["siku"], &["day", "days"]),
    (&["siri"], &["secret"]),
    (&["taarifa"], &["data"]),
    (&["tarehe"], &["date"]),
    (&["tiketi"], &["ticket", "tickets"]),
    (&["timu"], &["team", "member", "people"]),
    (&["tokeni"], &["token"]),
    (&["toleo", "matoleo"], &["version"]),
    (&["ubadilishaji", "ubadilishwaji"], &["swap"]),
    (&["udanganyifu", "ulaghai", "utapeli"], &["fraud"]),
    (&["ufikiaji"], &["access", "token"]),
    (&["uhamisho", "uhamaji"], &["port", "ported"]),
    (&["ujumbe", "barua"], &["letter", "message"]),
    (&["ukaguzi", "kaguzi"], &["check"]),
    (&["ukurasa", "kurasa"], &["page", "pages"]),
    (&["umri"], &["age", "old"]),
    (&["usajili"], &["onboarding", "registration"]),
    (&["usalama"], &["security"]),
    (&["ushahidi"], &["proof", "receipt"]),
    (&["uthibitisho"], &["second", "factor", "confirm"]),
    (&["uzalishaji"], &["production", "live"]),
    (&["wakili", "mwakilishi"], &["representative"]),
    (&["wiki"], &["week"]),
    (&["zamani"], &["old", "stale"]),
    (&["zuio", "vizuizi"], &["restriction", "restricted"]),
];

/// Roots of verbs; those that mean nothing here say nothing of what is asked.
const ROOTS: &[(&str, &[&str])] = &[
    ("achish", &["stop"]),
    ("alik", &["invitation", "invite"]),
    ("angali", &["check"]),
    ("anz", &["live", "begin"]),
    ("arif", &["told", "tell"]),
    ("badilish", &["swap", "swapped", "rotate", "replace"]),
    ("bainish", &["found"]),
    ("chagu", &["choose", "which"]),
    ("chelew", &["late", "overdue"]),
    ("chuku", &["take"]),
    ("dum", &["valid", "hour", "good"]),
    ("elez", &[]),
    ("end", &[]),
    ("epuk", &["avoid"]),
    ("fany", &[]),
    ("fich", &["hashed", "masked", "pseudonym"]),
    ("fik", &[]),
    ("fungu", &["open", "opens"]),
    ("fut", &["erase", "forgotten", "forget"]),
    ("gharim", &["price", "charge", "cost"]),
    ("hakik", &["verify", "signature", "check"]),
    ("hamish", &["ported", "port", "move"]),
    ("hesab", &["count"]),
    ("hifadh", &["kept"]),
    ("hitaj", &["needed"]),
    ("husik", &[]),
    ("idhin", &["approve"]),
    ("ingi", &["sign"]),
    ("ish", &["end", "ends", "valid", "hour"]),
    ("jarib", &["test", "sandbox", "testing"]),
    ("jib", &["answer", "answered"]),
    ("julikan", &["unknown"]),
    ("juz", &["told"]),
    ("kagu", &["check"]),
    ("katali", &["refused", "failed"]),
    ("kubali", &["accept"]),
    ("linganish", &["compare"]),
    ("lip", &["payment", "pay"]),
    ("omb", &[]),
    ("ondo", &["remove"]),
    ("onekan", &[]),
    ("ongez", &["add", "raise"]),
    ("onyesh", &[]),
    ("paki", &["upload"]),
    ("paku", &["download", "export"]),
    ("pat", &[]),
    ("ping", &["dispute"]),
    ("poke", &["receive", "received"]),
    ("pung", &["less"]),
    ("rejesh", &["restore", "refund", "credit"]),
    ("rudi", &["repeat"]),
    ("rudish", &["credit", "refund"]),
    ("sababish", &[]),
    ("saha", &["forgotten", "reset"]),
    ("saidi", &["support"]),
    ("saini", &["sign"]),
    ("sajil", &["onboarding", "registration"]),
    ("shindikan", &["failed"]),
    ("shindw", &["failed"]),
    ("simam", &["stops", "stopped"]),
    ("simamish", &["suspend"]),
    ("sitish", &["suspend", "terminate"]),
    ("tafut", &["search", "find"]),
    ("tak", &[]),
    ("tekelez", &["carry"]),
    ("tengenez", &["create", "made", "new"]),
    ("thibitish", &["verify", "signature"]),
    ("tok", &[]),
    ("toz", &["charge", "charged", "price"]),
    ("tum", &["delivery", "delivered", "made", "sent"]),
    ("tumi", &[]),
    ("uliz", &[]),
    ("unganish", &["connect"]),
    ("vuj", &["stolen", "revoke", "rotate"]),
    ("vunj", &["terminate", "end"]),
    ("wek", &["set"]),
    ("wez", &[]),
    ("zim", &["off", "switched"]),
    ("zui", &["restrict", "restriction"]),
    ("zungush", &["rotate"]),
];

/// What a word of Kiswahili means, best first; nothing where it says nothing of what is asked. `None` = not known.
/// `lower` has no capitals.
pub(crate) fn meaning(lower: &str) -> Option<&'static [&'static str]> {
    if SILENT.contains(&format!(" {lower} ")) {
        return Some(&[]);
    }
    if let Some((_, meant)) = NOUNS.iter().find(|(forms, _)| forms.contains(&lower)) {
        return Some(meant);
    }
    let roots = ROOTS.iter().filter(|(root, _)| is_of_root(lower, root));
    roots.max_by_key(|(root, _)| root.len()).map(|(_, meant)| *meant)
}

/// Whether a word is a form of the verb of this root.
fn is_of_root(lower: &str, root: &str) -> bool {
    lower.match_indices(root).any(|(place, _)| {
        let ending = &lower[place + root.len()..];
        is_before(&lower[..place]) && is_ending(ending)
    })
}

/// Whether this may stand before a root: nothing, or parts of [`BEFORE`].
fn is_before(text: &str) -> bool {
    text.is_empty() || BEFORE.iter().any(|part| text.strip_prefix(part).is_some_and(is_before))
}

fn is_ending(text: &str) -> bool {
    let of_verb = text.strip_suffix("je").or_else(|| text.strip_suffix("vyo")).unwrap_or(text);
    of_verb.ends_with(VOWELS) && text.len() <= ENDING_LETTERS_MAX && text.chars().all(|c| ENDINGS.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_verb_are_known_by_its_root() {
        for (word, meant) in [
            ("kubadilisha", Some("swap")),
            ("ilibadilishwa", Some("swap")),
            ("ninabadilishaje", Some("swap")),
            ("unagharimu", Some("price")),
            ("nitatozwa", Some("charge")),
            ("yaliyotumwa", Some("delivery")),
            ("kutumia", Some("")),
            ("ifutwe", Some("erase")),
            ("nambari", Some("number")),
            ("lisilojulikana", Some("unknown")),
            ("zinahifadhiwa", Some("kept")),
            ("kwenye", Some("")),
            ("mahindi", None),
            ("path", None),
            ("future", None),
            ("documentation", None),
            ("signature", None),
        ] {
            let told = meaning(word).map(|meant| meant.first().copied().unwrap_or_default());
            assert_eq!(told, meant, "{word}");
        }
    }

    #[test]
    fn no_word_of_english_that_people_ask_with_is_taken_for_kiswahili() {
        for word in "balance batch code data delivery document error hash invoice key limit line number price retry \
            sandbox secret signature swap token timeout webhook status today month partner people portal list \
            address mobile operator change charge fee idea tape tale image inside italian june one some like make none same use a"
            .split_whitespace()
        {
            assert_eq!(meaning(word), None, "{word}");
        }
    }
}
