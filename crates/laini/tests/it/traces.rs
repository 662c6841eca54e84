//! Spans of requests, as a collector gets them.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::bank::{Bank, IMSI};
use crate::collector::{Collector, attribute};
use crate::receiver::Receiver;
use crate::running::{Lab, Running, wait_until};

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const CALLERS_SPAN: u128 = 0x00f0_67aa_0ba9_02b7;
/// A collector that is down, or takes its time, is no reason for an answer to come later.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

fn traced(lab: &Lab, endpoint: &str, settings: &[(&str, &str)]) -> Running {
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_TRACES_OTLP_ENDPOINT", endpoint).envs(settings.iter().copied());
    lab.start(command)
}

fn figure(id: &[u8]) -> u128 {
    id.iter().fold(0, |figure, byte| figure << 8 | u128::from(*byte))
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[test]
fn traces_of_a_check_hang_under_the_callers_span_and_name_nobody() {
    let (lab, collector) = (Lab::new(), Collector::start());
    let number = lab.import_sample(50, 1).served().remove(0);
    let app = lab.partner_app("Bank A", "production");
    let server = traced(&lab, &collector.url(), &[]);
    let bank = Bank::of(&server, &app);
    let parent = format!("00-{TRACE:032x}-{CALLERS_SPAN:016x}-00");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "bank=254722999888")];
    lab.canaries.number("254722999888");
    let answer = bank.post(IMSI, &headers, &format!(r#"{{"customerNumber":"{number}"}}"#)).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(bank.check(IMSI, "254733123456").status, 404);
    assert_eq!(bank.post("/254733123456", &[], "{}").unwrap().status, 404);
    // What waits is sent before the end.
    server.stop();

    let spans = collector.spans();
    let of_check: Vec<_> = spans.iter().filter(|span| figure(&span.trace_id) == TRACE).cloned().collect();
    let [request] = named(&of_check, "imsi")[..] else { panic!("{of_check:?}") };
    assert_eq!(figure(&request.parent_span_id), CALLERS_SPAN);
    assert_eq!(request.trace_state, "");
    assert_eq!(attribute(request, "http.response.status_code"), "200");
    assert_eq!(attribute(request, "laini.request_id"), answer.field("requestRefID"));
    for step in ["admit", "look_up", "record"] {
        let [step] = named(&of_check, step)[..] else { panic!("{step}: {of_check:?}") };
        assert_eq!(step.parent_span_id, request.span_id);
        assert!(step.start_time_unix_nano >= request.start_time_unix_nano);
        assert!(step.end_time_unix_nano <= request.end_time_unix_nano);
    }
    let record = named(&of_check, "record")[0];
    let told = ["laini.product", "laini.environment", "laini.outcome"].map(|key| attribute(record, key));
    assert_eq!(told, ["imsi", "production", "answered"]);
    let refused = named(&spans, "imsi").into_iter().find(|span| figure(&span.trace_id) != TRACE).unwrap();
    assert_eq!(attribute(refused, "laini.error_code"), "404.002.01");
    assert_eq!((named(&spans, "token").len(), named(&spans, "other").len()), (1, 1));
    // Texts stand in protobuf as they are.
    let text = String::from_utf8_lossy(&collector.bytes()).into_owned();
    assert_eq!(lab.canaries.find(&text), None);
}

#[test]
fn traces_follow_an_accepted_check_to_its_delivery() {
    let (lab, collector, receiver) = (Lab::new(), Collector::start(), Receiver::start());
    let number = lab.import_sample(50, 2).served().remove(0);
    let app = lab.partner_app("Bank A", "production");
    let added = lab.json(&["app", "result-address", "add", &app.consumer_key, &receiver.url()]);
    lab.canaries.word(added["signing_secret"].as_str().unwrap());
    let server = traced(&lab, &collector.url(), &[]);
    let bank = Bank::of(&server, &app);
    let body = format!(r#"{{"customerNumber":"{number}","resultURL":"{}"}}"#, receiver.url());
    let id = bank.post(IMSI, &[], &body).unwrap().field("requestRefID");
    wait_until("the delivery", Duration::from_secs(10), || receiver.received().len() == 1);
    server.stop();
    let spans = collector.spans();
    for name in ["imsi", "decide", "deliver"] {
        let [span] = named(&spans, name)[..] else { panic!("{name}: {spans:?}") };
        assert_eq!(attribute(span, "laini.request_id"), id, "{name}");
    }
    let decide = named(&spans, "decide")[0];
    assert!(named(&spans, "record").iter().any(|step| step.parent_span_id == decide.span_id));
    assert_eq!(attribute(named(&spans, "deliver")[0], "http.response.status_code"), "200");
    assert_eq!(lab.canaries.find(&String::from_utf8_lossy(&collector.bytes())), None);
}

#[test]
fn traces_are_lost_and_counted_where_the_collector_takes_none() {
    let (lab, collector) = (Lab::new(), Collector::stuck());
    let numbers = lab.import_sample(200, 3).served();
    let app = lab.partner_app("Bank A", "production");
    // Nobody listens there any more.
    let gone = Collector::start().url();
    for endpoint in [collector.url(), gone.clone()] {
        let server = traced(&lab, &endpoint, &[("LAINI_METRICS_LISTEN", "127.0.0.1:0")]);
        let bank = Bank::of(&server, &app);
        for number in &numbers[..100] {
            let asked = Instant::now();
            assert_eq!(bank.check(IMSI, number).status, 200);
            assert!(asked.elapsed() < ANSWERED_WITHIN, "{:?}", asked.elapsed());
        }
        if endpoint == gone {
            let log = server.printed().1;
            let told = "metrics can be collected address=";
            let address = log.lines().find_map(|line| line.split_once(told)).unwrap().1.to_owned();
            wait_until("lost spans are counted", Duration::from_secs(10), || {
                let metrics = bank.send(bank.http().get(format!("http://{address}/metrics"))).unwrap().text;
                let lost = metrics.lines().find_map(|line| line.strip_prefix("laini_trace_spans_lost_total "));
                lost.unwrap().parse::<u64>().unwrap() > 0
            });
            let log = server.printed().1;
            assert_eq!(log.matches("spans cannot be sent").count(), 1, "{log}");
        }
        server.stop();
    }
}

#[test]
fn traces_are_of_as_many_requests_as_the_settings_say_whatever_callers_want() {
    let (lab, collector) = (Lab::new(), Collector::start());
    let server = traced(&lab, &collector.url(), &[("LAINI_TRACES_SAMPLED_PER_MILLE", "500")]);
    let bank = Bank::stranger(&server);
    for n in 1..=400_u64 {
        let parent =
            format!("00-{:032x}-{n:016x}-01", u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        bank.send(bank.http().get(bank.url("/")).header("traceparent", parent)).unwrap();
    }
    assert_eq!(bank.get("/livez").unwrap().status, 200, "probes are never traced");
    server.stop();
    assert!(named(&collector.spans(), "probe").is_empty());
    let traced = collector.spans().len();
    assert!((120..280).contains(&traced), "{traced} of 400");
}
