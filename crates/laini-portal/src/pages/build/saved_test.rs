use laini_core::partner::Product;
use laini_wire::world::LineAnswer;
use serde_json::json;

use crate::asking::published_path;

/// What was asked and answered, to be asked again by a test.
pub(super) struct SavedTest<'a> {
    pub(super) number: &'a str,
    pub(super) product: Product,
    /// The published answer's status,
    pub(super) status: u16,
    /// and its code where it is an error.
    pub(super) code: &'a str,
    /// The word of the explicit answer.
    pub(super) swap: Option<&'a str>,
    /// How far the world's clock is ahead.
    pub(super) ahead_days: i64,
    /// The line, where it is one of the world's own.
    pub(super) line: Option<LineAnswer>,
}

/// The same test twice.
pub(super) struct Saved {
    pub(super) curl: String,
    pub(super) rust: String,
}

impl SavedTest<'_> {
    pub(super) fn written(&self) -> Saved {
        Saved { curl: self.curl(), rust: self.rust() }
    }

    fn curl(&self) -> String {
        let Self { number, status, ahead_days, .. } = self;
        let path = published_path(self.product);
        let mut script = String::from(
            "set -e\nTOKEN=$(curl -s -u \"$KEY:$SECRET\" \"$LAINI/oauth/v1/generate?grant_type=client_credentials\" \\\n  \
             | jq -r .access_token)\nauth=\"Authorization: Bearer $TOKEN\"\njson=\"Content-Type: application/json\"\n",
        );
        if self.line.is_some() || *ahead_days > 0 {
            script.push_str("curl -sf -X POST \"$LAINI/sandbox/v1/reset\" -H \"$auth\"\n");
        }
        if let Some(line) = &self.line {
            let stated = stated(line);
            script.push_str(&format!(
                "curl -sf -X PUT \"$LAINI/sandbox/v1/lines/{number}\" -H \"$auth\" -H \"$json\" -d '{stated}'\n"
            ));
        }
        if *ahead_days > 0 {
            script.push_str(&format!(
                "curl -sf -X POST \"$LAINI/sandbox/v1/clock/advance\" -H \"$auth\" -H \"$json\" -d '{{\"by\": \"P{ahead_days}D\"}}'\n"
            ));
        }
        script.push_str(&format!(
            "status=$(curl -s -o answer.json -w '%{{http_code}}' \"$LAINI{path}\" -H \"$auth\" -H \"$json\" \\\n  \
             -d '{{\"customerNumber\": \"{number}\"}}')\ntest \"$status\" = {status}\n"
        ));
        match (status, self.swap, self.product) {
            (200, Some("swapped"), Product::Imsi | Product::Swap) => {
                script.push_str("jq -e '.lastSwapDate | startswith(\"01-01-1900\") | not' answer.json\n");
            }
            (200, Some("not_swapped"), Product::Imsi | Product::Swap) => {
                script.push_str("jq -e '.lastSwapDate | startswith(\"01-01-1900\")' answer.json\n");
            }
            (200, ..) => {}
            _ => script.push_str(&format!("jq -e '.errorCode == \"{}\"' answer.json\n", self.code)),
        }
        script
    }

    fn rust(&self) -> String {
        let (number, call) = (self.number, self.product.word());
        let expected = match (self.status, self.code, self.swap, self.product) {
            (200, _, Some("swapped"), Product::Imsi | Product::Swap) => {
                "matches!(answer, Ok(Answer::Known(facts)) if matches!(facts.swap, SwapStatus::Swapped { .. }))"
            }
            (200, _, Some("not_swapped"), Product::Imsi | Product::Swap) => {
                "matches!(answer, Ok(Answer::Known(facts)) if matches!(facts.swap, SwapStatus::NotSwapped { .. }))"
            }
            (200, ..) => "matches!(answer, Ok(Answer::Known(_)))",
            (404, ..) => "matches!(answer, Ok(Answer::NotServed))",
            (_, "403.002.02" | "503.002.02", ..) => "matches!(answer, Ok(Answer::Unknown(_)))",
            _ => "answer.is_err()",
        };
        format!(
            "use laini_client::{{Answer, Laini, SwapStatus}};\n\n#[tokio::test]\nasync fn {call}_of_{number}() {{\n    \
             let env = |name| std::env::var(name).unwrap();\n    \
             let laini = Laini::builder().base_url(&env(\"LAINI\")).credentials(&env(\"KEY\"), &env(\"SECRET\"));\n    \
             let answer = laini.build().unwrap().{call}(\"{number}\").await.map(|checked| checked.answer);\n    \
             assert!({expected});\n}}\n"
        )
    }
}

/// The line as the world API is told it.
fn stated(line: &LineAnswer) -> String {
    let mut stated = json!({"status": line.status, "registered_at": line.registered_at});
    if let (Some(at), Some(cause)) = (&line.last_swap_at, &line.swap_cause) {
        stated["last_swap_at"] = json!(at);
        stated["swap_cause"] = json!(cause);
    }
    if line.restricted {
        stated["restricted"] = json!(true);
    }
    stated.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(status: u16, code: &str, swap: Option<&str>) -> Saved {
        let (number, product) = ("254722000002", Product::Imsi);
        SavedTest { number, product, status, code, swap, ahead_days: 0, line: None }.written()
    }

    #[test]
    fn a_test_expects_what_was_answered() {
        let cases = [
            (saved(200, "", Some("swapped")), "| not", "SwapStatus::Swapped"),
            (saved(200, "", Some("not_swapped")), "startswith", "SwapStatus::NotSwapped"),
            (saved(404, "404.002.01", None), "404.002.01", "Answer::NotServed"),
            (saved(503, "503.002.02", None), "503.002.02", "Answer::Unknown"),
            (saved(429, "500.003.02", None), "test \"$status\" = 429", "is_err()"),
        ];
        for (saved, in_curl, in_rust) in cases {
            assert!(saved.curl.contains(in_curl), "{}", saved.curl);
            assert!(saved.rust.contains(in_rust), "{}", saved.rust);
            assert!(!saved.curl.contains("sandbox/v1"), "an untouched world is not reset");
        }
    }

    #[test]
    fn a_world_is_set_up_before_it_is_asked() {
        let test = SavedTest {
            number: "254722000002",
            product: Product::Swap,
            status: 200,
            code: "",
            swap: Some("swapped"),
            ahead_days: 30,
            line: None,
        };
        let curl = test.written().curl;
        let (reset, advance) = (curl.find("/reset").unwrap(), curl.find("P30D").unwrap());
        assert!(reset < advance && advance < curl.find("/imsi/v2/checkATI").unwrap(), "{curl}");
    }
}
