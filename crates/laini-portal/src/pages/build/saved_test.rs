use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use laini_core::partner::Product;
use laini_wire::check::{NO_SWAP_DATE, OLDER_TEXT_START};
use laini_wire::error::code;
use laini_wire::world::{ADVANCE_PATH, FEED_STOP_PATH, LINES_PATH, RESET_PATH};
use laini_wire::world::{AdvanceRequest, EventRequest, LineAnswer, LineRequest, WorldAnswer};
use serde::Serialize;

use crate::asking::published_path;

/// What was asked and answered, to be asked again by a test.
///
/// A test says every instant by how long it lies before the world's clock, so that it asks the same on any later day.
pub(super) struct SavedTest<'a> {
    pub(super) number: &'a str,
    pub(super) product: Product,
    /// The published answer's status,
    pub(super) status: u16,
    /// its code where it is an error,
    pub(super) code: &'a str,
    /// and what it says of the swap and of the registration; empty where it says nothing.
    pub(super) swap_date: &'a str,
    pub(super) registration: &'a str,
    /// The world that was asked in.
    pub(super) world: &'a WorldAnswer,
    /// The line, where it is one of the world's own.
    pub(super) line: Option<&'a LineAnswer>,
    /// In which days are counted.
    pub(super) zone: &'a TimeZone,
}

/// The same test twice.
pub(super) struct Saved {
    pub(super) curl: String,
    pub(super) rust: String,
}

/// A call of the world API.
struct Step {
    method: &'static str,
    path: String,
    body: Option<String>,
}

impl Step {
    fn post(path: &str) -> Self {
        Self { method: "POST", path: path.to_owned(), body: None }
    }

    fn with(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_string(body).ok();
        self
    }
}

impl SavedTest<'_> {
    pub(super) fn written(&self) -> Saved {
        let steps = self.steps();
        Saved { curl: self.curl(&steps), rust: self.rust(&steps) }
    }

    /// What makes the world of any app this one.
    fn steps(&self) -> Vec<Step> {
        let WorldAnswer { clock, feed, .. } = self.world;
        let mut steps = vec![Step::post(RESET_PATH)];
        let (Some(now), Some(as_of)) = (instant(&clock.now), instant(&feed.as_of)) else { return steps };
        // A feed that stopped before the clock was moved stops on the way.
        let ahead = SignedDuration::from_secs(clock.ahead_s).max(now.duration_since(as_of));
        let real = now.checked_sub(ahead).unwrap_or(now);
        // A refused row is told by the feed, so it comes before the stop; without one, whatever is stated is as of now.
        let is_rejected = self.line.is_some_and(|line| line.source_rejected);
        steps.extend(self.advance(real, as_of));
        if is_rejected {
            steps.extend(self.put(as_of));
            let refused = EventRequest { what: "row-refused".to_owned(), at: None, new_msisdn: None };
            steps.push(Step::post(&format!("{LINES_PATH}/{}/events", self.number)).with(&refused));
        }
        if !feed.running {
            steps.push(Step::post(FEED_STOP_PATH));
            steps.extend(self.advance(as_of, now));
        }
        if !is_rejected {
            steps.extend(self.put(now));
        }
        steps
    }

    /// The clock moves on, where it does.
    fn advance(&self, from: Timestamp, to: Timestamp) -> Option<Step> {
        let (start, end) = (self.zone.to_datetime(from), self.zone.to_datetime(to));
        let by = start.until((Unit::Year, end)).ok().filter(|by| by.is_positive())?;
        let advance = AdvanceRequest { by: Some(by.to_string()), to: None };
        Some(Step::post(ADVANCE_PATH).with(&advance))
    }

    /// The line is stated when the world's clock shows `now`.
    fn put(&self, now: Timestamp) -> Option<Step> {
        let line = self.line?;
        let today = self.zone.to_datetime(now).date();
        let before = |at: &String| {
            let day = self.zone.to_datetime(instant(at)?).date();
            let span = today.since((Unit::Year, day)).ok().filter(|span| !span.is_negative());
            span.map(|span| format!("-{span}"))
        };
        let ago = |at: &Option<String>| at.as_ref().map(|at| before(at).unwrap_or_else(|| at.clone()));
        // Nobody can state that a number of the world's own is not known; a line that ended is answered alike.
        let status = if line.status == "not_known" { "terminated" } else { &line.status };
        let stated = LineRequest {
            status: Some(status.to_owned()),
            registered_at: ago(&line.registered_at),
            holder_since: ago(&line.holder_since).map(Some),
            last_swap_at: ago(&line.last_swap_at).map(Some),
            swap_cause: line.swap_cause.clone(),
            contract_type: line.contract_type.clone().map(Some),
            restricted: line.restricted.then_some(true),
            hashed_imsi: line.hashed_imsi.clone().map(Some),
        };
        let put = Step { method: "PUT", path: format!("{LINES_PATH}/{}", self.number), body: None };
        Some(put.with(&stated))
    }

    /// Whether a swap was told; `None` where nothing was said of it.
    fn is_swapped(&self) -> Option<bool> {
        (!self.swap_date.is_empty()).then(|| !self.swap_date.starts_with(NO_SWAP_DATE))
    }

    /// Whether the registration is older than the window; `None` where nothing was said of it.
    fn is_older(&self) -> Option<bool> {
        (!self.registration.is_empty()).then(|| self.registration.starts_with(OLDER_TEXT_START))
    }

    fn curl(&self, steps: &[Step]) -> String {
        let Self { number, status, code, .. } = self;
        let path = published_path(self.product);
        let mut script = String::from(
            "# LAINI is the server, KEY and SECRET are those of a sandbox app.\nset -e\n\
             TOKEN=$(curl -sSf -u \"$KEY:$SECRET\" \"$LAINI/oauth/v1/generate?grant_type=client_credentials\" \\\n  \
             | jq -er .access_token)\nauth=\"Authorization: Bearer $TOKEN\"\njson=\"Content-Type: application/json\"\n",
        );
        for Step { method, path, body } in steps {
            script.push_str(&format!("curl -sSf -o /dev/null -X {method} \"$LAINI{path}\" -H \"$auth\""));
            if let Some(body) = body {
                script.push_str(&format!(" -H \"$json\" -d '{body}'"));
            }
            script.push('\n');
        }
        script.push_str(&format!(
            "status=$(curl -sS -o answer.json -w '%{{http_code}}' \"$LAINI{path}\" -H \"$auth\" -H \"$json\" \\\n  \
             -d '{{\"customerNumber\": \"{number}\"}}')\ntest \"$status\" = {status}\n"
        ));
        let mut expect = |filter: String| script.push_str(&format!("jq -e '{filter}' answer.json\n"));
        if let Some(is_swapped) = self.is_swapped() {
            let not = if is_swapped { " | not" } else { "" };
            expect(format!(".lastSwapDate | startswith(\"{NO_SWAP_DATE}\"){not}"));
        }
        if let Some(is_older) = self.is_older() {
            let not = if is_older { "" } else { " | not" };
            expect(format!(".msisdnRegistrationDate | startswith(\"{OLDER_TEXT_START}\"){not}"));
        }
        if !code.is_empty() {
            expect(format!(".errorCode == \"{code}\""));
        }
        script
    }

    fn rust(&self, steps: &[Step]) -> String {
        let (number, call) = (self.number, self.product.word());
        let (uses, expected) = self.expected();
        let mut told = String::new();
        for Step { method, path, body } in steps {
            let body = body.as_ref().map_or_else(|| "\"\"".to_owned(), |body| format!("r#\"{body}\"#"));
            told.push_str(&format!("\n        (\"{method}\", \"{path}\", {body}),"));
        }
        format!(
            r#"// LAINI is the server, KEY and SECRET are those of a sandbox app.
// Needs laini-client, reqwest, serde_json, and tokio with its features macros and rt.
use laini_client::{uses};

#[tokio::test]
async fn {call}_of_{number}() {{
    let env = |name| std::env::var(name).unwrap();
    let (base, key, secret) = (env("LAINI"), env("KEY"), env("SECRET"));
    let http = reqwest::Client::new();
    let door = format!("{{base}}/oauth/v1/generate?grant_type=client_credentials");
    let granted = http.get(door).basic_auth(&key, Some(&secret)).send().await.unwrap().text().await.unwrap();
    let granted: serde_json::Value = serde_json::from_str(&granted).unwrap();
    let token = granted["access_token"].as_str().unwrap();
    for (method, path, body) in [{told}
    ] {{
        let call = http.request(method.parse().unwrap(), format!("{{base}}{{path}}")).bearer_auth(token);
        let answer = call.header("Content-Type", "application/json").body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{{path}}: {{}}", answer.status());
    }}
    let laini = Laini::builder().base_url(&base).credentials(&key, &secret).build().unwrap();
    let answer = laini.{call}("{number}").await.map(|checked| checked.answer);
    assert!({expected});
}}
"#
        )
    }

    /// What the SDK makes of the answer, and what is to be imported to say so.
    fn expected(&self) -> (String, String) {
        let (status, code) = (self.status, self.code);
        let mut uses = vec!["Answer", "Laini"];
        let expected = match (status, code) {
            (200, _) if self.is_swapped().or(self.is_older()).is_some() => {
                let mut facts = Vec::new();
                if let Some(is_older) = self.is_older() {
                    uses.push("Registration");
                    let word = if is_older { "Older { .. }" } else { "Within(_)" };
                    facts.push(format!("matches!(facts.registration, Registration::{word})"));
                }
                if let Some(is_swapped) = self.is_swapped() {
                    uses.push("SwapStatus");
                    let word = if is_swapped { "Swapped" } else { "NotSwapped" };
                    facts.push(format!("matches!(facts.swap, SwapStatus::{word} {{ .. }})"));
                }
                format!("matches!(answer, Ok(Answer::Known(facts)) if {})", facts.join(" && "))
            }
            (200, _) => "matches!(answer, Ok(Answer::Known(_)))".to_owned(),
            (404, code::NOT_SERVED) => "matches!(answer, Ok(Answer::NotServed))".to_owned(),
            (403, code::WITHHELD) | (503, code::REGISTRY_UNKNOWN) => {
                uses.push("UnknownReason");
                let is = if status == 403 { "==" } else { "!=" };
                format!("matches!(answer, Ok(Answer::Unknown(unknown)) if unknown.reason {is} UnknownReason::Withheld)")
            }
            _ => {
                uses.retain(|word| *word != "Answer");
                format!(
                    "answer.is_err_and(|error| error.status() == Some({status}) && error.code() == Some(\"{code}\"))"
                )
            }
        };
        let uses = if let [one] = uses[..] { one.to_owned() } else { format!("{{{}}}", uses.join(", ")) };
        (uses, expected)
    }
}

/// An instant in whole seconds.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().and_then(|at| Timestamp::from_second(at.as_second()).ok())
}

#[cfg(test)]
mod tests {
    use laini_core::disclosure::{Decision, Freshness, Horizon, RegistrationFact, SwapFact, Windows, disclose};
    use laini_core::line::{Msisdn, NumberPlan};
    use laini_core::sandbox::{LifeEvent, Moment, World};
    use laini_server::sandbox::{line_answer, line_change, world_answer};

    use super::*;

    const NUMBER: &str = "254733000001";
    const REAL: &str = "2026-11-22T09:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn zone() -> TimeZone {
        TimeZone::get("Africa/Nairobi").unwrap()
    }

    fn number(text: &str) -> Msisdn {
        NumberPlan::KENYA.parse(text).unwrap()
    }

    /// A test about a number in a world, when it is really `real`.
    fn with_test<T>(world: &World, text: &str, real: Timestamp, then: impl FnOnce(SavedTest<'_>) -> T) -> T {
        let (zone, of) = (zone(), number(text));
        let line = line_answer(of, &world.state(of, Moment { real, zone: &zone }), world.owns(of));
        then(SavedTest {
            number: text,
            product: Product::Imsi,
            status: 200,
            code: "",
            swap_date: "",
            registration: "",
            world: &world_answer(world, real),
            line: world.owns(of).then_some(&line),
            zone: &zone,
        })
    }

    fn written(status: u16, code: &str, swap_date: &str, registration: &str) -> Saved {
        with_test(&World::default(), "254722000002", at(REAL), |test| {
            SavedTest { status, code, swap_date, registration, ..test }.written()
        })
    }

    /// The world that the steps make, as the API takes them.
    fn made(steps: &[Step], real: Timestamp) -> World {
        let (zone, mut world) = (zone(), World::default());
        let moment = Moment { real, zone: &zone };
        for Step { method, path, body } in steps {
            let body = body.as_deref().unwrap_or_default();
            let of = path.split('/').find_map(|part| NumberPlan::KENYA.parse(part).ok());
            match (*method, path.as_str(), of) {
                ("POST", RESET_PATH, _) => world.reset(),
                ("POST", FEED_STOP_PATH, _) => world.stop_feed(moment),
                ("POST", ADVANCE_PATH, _) => {
                    let step = laini_server::sandbox::Step::of(&serde_json::from_str(body).unwrap(), &zone).unwrap();
                    step.take(&mut world, moment).unwrap();
                }
                ("PUT", _, Some(of)) => {
                    let change = line_change(&serde_json::from_str(body).unwrap(), &zone).unwrap();
                    world.state_anew(of, &change, moment).unwrap();
                }
                ("POST", _, Some(of)) => {
                    let request = serde_json::from_str(body).unwrap();
                    let life = laini_server::sandbox::life_event(&request, NumberPlan::KENYA, &zone).unwrap();
                    life.happen(&mut world, of, moment).unwrap();
                }
                _ => panic!("{method} {path}"),
            }
        }
        world
    }

    /// What is told of a number.
    fn told(world: &World, of: Msisdn, real: Timestamp) -> String {
        let (zone, now) = (zone(), world.now(real));
        let horizon = Horizon { as_of: Some(world.feed_stopped().unwrap_or(now)), history_since: Timestamp::MIN };
        let freshness = Freshness {
            swap_stale_after: Some(SignedDuration::from_mins(15)),
            registration_stale_after: Some(SignedDuration::from_hours(26)),
        };
        let state = world.state(of, Moment { real, zone: &zone });
        match disclose(&state, horizon, Windows::default(), freshness, now, &zone) {
            Decision::Facts(facts) => {
                let swap = match facts.swap {
                    SwapFact::Swapped(swap) => format!("swapped ({})", swap.cause.word()),
                    other => format!("{other:?}"),
                };
                let is_new = matches!(facts.registration, RegistrationFact::Within(_));
                let registration = if is_new { "new".to_owned() } else { format!("{:?}", facts.registration) };
                format!("{:?}, {swap}, {registration}", facts.status)
            }
            other => format!("{other:?}"),
        }
    }

    /// Asks again, at once and on later days, in what a saved test makes of an app's world.
    fn asks_the_same_again(world: &World, text: &str, real: Timestamp, expected: &str) -> Vec<Step> {
        let of = number(text);
        assert_eq!(told(world, of, real), expected);
        let steps = with_test(world, text, real, |test| test.steps());
        for later in [0, 1, 40, 200] {
            let later = real + SignedDuration::from_hours(24 * later);
            assert_eq!(told(&made(&steps, later), of, later), expected, "at {later}");
        }
        steps
    }

    fn changed(changes: &[(&str, &str)]) -> World {
        let steps = changes.iter().map(|(path, body)| Step {
            method: if path.ends_with(NUMBER) { "PUT" } else { "POST" },
            path: (*path).to_owned(),
            body: Some((*body).to_owned()),
        });
        made(&steps.collect::<Vec<_>>(), at(REAL))
    }

    const LINE: &str = "/sandbox/v1/lines/254733000001";
    const EVENTS: &str = "/sandbox/v1/lines/254733000001/events";

    #[test]
    fn a_test_expects_what_was_answered() {
        let cases = [
            (written(200, "", "22-11-2026", ""), "\"01-01-1900\") | not", "SwapStatus::Swapped {"),
            (written(200, "", "01-01-1900 00:00", ""), "startswith(\"01-01-1900\")' ", "SwapStatus::NotSwapped {"),
            (written(200, "", "", "22-11-2026"), "than \") | not", "Registration::Within(_)"),
            (
                written(200, "", "22-11-2026", "MSISDN registration is more than 1 year old"),
                "startswith(\"MSISDN registration is more than \")' ",
                "Registration::Older { .. }) && matches!(facts.swap, SwapStatus::Swapped { .. })",
            ),
            (written(404, "404.002.01", "", ""), "404.002.01", "Answer::NotServed"),
            (written(403, "403.002.02", "", ""), "403.002.02", "reason == UnknownReason::Withheld"),
            (written(503, "503.002.02", "", ""), "503.002.02", "reason != UnknownReason::Withheld"),
            (written(429, "500.003.02", "", ""), "test \"$status\" = 429", "error.code() == Some(\"500.003.02\")"),
        ];
        for (saved, in_curl, in_rust) in cases {
            assert!(saved.curl.contains(in_curl), "{}", saved.curl);
            assert!(saved.rust.contains(in_rust), "{}", saved.rust);
            assert!(saved.rust.contains("use laini_client::{") || !saved.rust.contains("Answer::"), "{}", saved.rust);
        }
    }

    #[test]
    fn both_make_the_world_before_they_ask() {
        let world = changed(&[(LINE, "{}"), (ADVANCE_PATH, r#"{"by":"P93D"}"#), (EVENTS, r#"{"type":"swap"}"#)]);
        let Saved { curl, rust } = with_test(&world, NUMBER, at(REAL), |test| test.written());
        let expected = ["/sandbox/v1/reset", r#"{"by":"P3M1D"}"#, LINE, r#""last_swap_at":"-PT0S""#];
        for (saved, asked) in [(curl, published_path(Product::Imsi)), (rust, ".imsi(")] {
            let places: Vec<_> = expected.iter().chain([&asked]).map(|text| saved.find(text)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {saved}");
        }
        // Another test may have left its world.
        assert!(written(404, "404.002.01", "", "").curl.contains("/sandbox/v1/reset"));
    }

    #[test]
    fn a_line_that_was_swapped_after_the_clock_was_moved_asks_the_same_again() {
        let mut changes = vec![(LINE, "{}"), (ADVANCE_PATH, r#"{"by":"P3M"}"#), (EVENTS, r#"{"type":"swap"}"#)];
        asks_the_same_again(&changed(&changes), NUMBER, at(REAL), "Active, swapped (replacement), Older");
        changes.push((ADVANCE_PATH, r#"{"by":"P3M"}"#));
        asks_the_same_again(&changed(&changes), NUMBER, at(REAL), "Active, swapped (replacement), Older");
        changes.push((ADVANCE_PATH, r#"{"by":"P1D"}"#));
        asks_the_same_again(&changed(&changes), NUMBER, at(REAL), "Active, NotSwapped, Older");
        // So does a persona that the clock was moved past.
        let world = changed(&[(ADVANCE_PATH, r#"{"by":"P3M1D"}"#)]);
        asks_the_same_again(&world, "254722000002", at(REAL), "Active, NotSwapped, Older");
    }

    #[test]
    fn everything_that_is_stated_of_a_line_is_saved() {
        let stated = r#"{"registered_at":"-P9Y","holder_since":"-P7D","contract_type":"PAYM","hashed_imsi":"a1"}"#;
        let steps = asks_the_same_again(&changed(&[(LINE, stated)]), NUMBER, at(REAL), "Active, NotSwapped, new");
        let expected = r#"{"status":"active","registered_at":"-P9Y","holder_since":"-P7D","contract_type":"PAYM","hashed_imsi":"a1"}"#;
        assert_eq!(steps.last().unwrap().body.as_deref(), Some(expected));
        let steps = [(LINE, "{}"), (ADVANCE_PATH, r#"{"by":"P1Y"}"#), (EVENTS, r#"{"type":"recycle"}"#)];
        asks_the_same_again(&changed(&steps), NUMBER, at(REAL), "Active, swapped (new_holder), new");
        asks_the_same_again(&changed(&[(LINE, r#"{"restricted":true}"#)]), NUMBER, at(REAL), "Withheld");
        // A number that its holder left is nobody's.
        let mut world = changed(&[(LINE, "{}")]);
        let moment = Moment { real: at(REAL), zone: &zone() };
        world.happen(number("254722000003"), LifeEvent::NumberChange(number("254733000009")), None, moment).unwrap();
        asks_the_same_again(&world, "254722000003", at(REAL), "NotServed");
    }

    #[test]
    fn a_stopped_feed_is_saved_and_stops_where_it_did() {
        let stale = "Active, Unknown(StaleFeed), Older";
        let stop = (FEED_STOP_PATH, "");
        let mut changes = vec![(LINE, "{}"), (ADVANCE_PATH, r#"{"by":"P30D"}"#), stop];
        asks_the_same_again(&changed(&changes), NUMBER, at(REAL), "Active, NotSwapped, Older");
        // Time goes by without anybody who moves the clock.
        let later = at(REAL) + SignedDuration::from_mins(16);
        asks_the_same_again(&changed(&changes), NUMBER, later, stale);
        asks_the_same_again(&changed(&[stop]), "254722000001", later, stale);
        changes.push((ADVANCE_PATH, r#"{"by":"PT1H"}"#));
        asks_the_same_again(&changed(&changes), NUMBER, at(REAL), stale);
        // A line that was stated after the stop is as new as it was.
        changes.push((LINE, r#"{"registered_at":"-P1Y1D","last_swap_at":"-PT0S"}"#));
        let steps = asks_the_same_again(&changed(&changes), NUMBER, at(REAL), "Active, swapped (replacement), Older");
        assert_eq!(steps.iter().filter(|step| step.path == ADVANCE_PATH).count(), 2);
        let refused = [(LINE, "{}"), (EVENTS, r#"{"type":"row-refused"}"#), stop, (ADVANCE_PATH, r#"{"by":"P2D"}"#)];
        asks_the_same_again(&changed(&refused), NUMBER, at(REAL), "Unknown(SourceRejected)");
    }
}
