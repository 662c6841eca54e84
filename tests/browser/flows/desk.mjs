import { base, expect, look, ok, signIn, until, visitor } from "../lib.mjs";
import { readFileSync } from "node:fs";

/** A snapshot is loaded within so long, though it gives up all other lines of the demo. */
const LOADED_MS_MAX = 120_000;
/** What a feed tells may lie so far ahead. */
const AHEAD_S_MAX = 300;
/** A line that the snapshot brings and the feed tells of. */
const LINE = "254722990001";

/** Numbers of made-up people, each once: some were swapped, some are new, some are nobody's. */
const numbers = (count) => Array.from({ length: count }, (_, place) => `25472200${String(100 + place).padStart(4, "0")}`);

async function sandboxApp(page) {
  const apps = await page.$$eval("#app option", (all) => all.map((one) => [one.value, one.textContent]));
  await page.selectOption("#app", apps.find(([, name]) => name.includes("sandbox"))[0]);
}

/** A bank's fraud desk: batches from paste and file to export, receipts, a number uncovered, alarms; the operator's side of it. */
export async function desk() {
  const visit = await visitor({ acceptDownloads: true });
  const { page } = visit;
  await signIn(visit, "owner@bank.example");
  await page.goto(`${base}/desk/batch`);
  await look(visit, "batches-none");
  const began = Date.now();
  await page.keyboard.press("Escape");
  const personas = ["254722000001", "254722000002", "254722000003", "0722000040", "+254722000001", "not a number"];
  await page.fill("#numbers", [...personas, ...numbers(45)].join("\n"));
  await sandboxApp(page);
  await page.click("main button.primary");
  await page.waitForSelector("#reference");
  expect((await page.textContent("main")).includes("49"), "what will be asked is counted");
  await look(visit, "batch-draft");
  await page.selectOption("#purpose", "cheque_confirmation");
  await page.fill("#reference", "cheques of Friday");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#batch:not([hx-trigger])");
  await page.waitForSelector("tbody .tag.stop");
  const seconds = (Date.now() - began) / 1000;
  expect(seconds < 120, `50 numbers took ${seconds} s`);
  ok(`50 numbers came from paste to verdicts in ${seconds.toFixed(1)} s`);
  await look(visit, "batch-done");
  const text = await page.textContent("main");
  expect(!text.includes("254722000002") && text.includes("2547•••••002"), "numbers are masked");
  await page.click("nav.tabs a:has-text('Hold')");
  expect(await page.$$eval("tbody tr", (rows) => rows.every((row) => row.textContent.includes("Hold"))), "held ones alone");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export CSV")]);
  const csv = readFileSync(await download.path(), "utf8");
  expect(csv.startsWith("line,number,reference") && csv.includes("hold") && !csv.includes("254722000002"), csv);
  const [workbook] = await Promise.all([page.waitForEvent("download"), page.click("text=Export XLSX")]);
  const isArchive = readFileSync(await workbook.path()).subarray(0, 2).toString() === "PK";
  expect(workbook.suggestedFilename().endsWith(".xlsx") && isArchive, workbook.suggestedFilename());
  ok("verdicts are filtered and exported, numbers masked");
  await page.click("tbody th a");
  await page.waitForSelector(".verdict");
  await look(visit, "batch-row");
  await page.click("summary:has-text('whole number')");
  await page.fill("#reason", "calling the drawer");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".verdict strong");
  expect(/^254\d{9}$/.test(await page.textContent(".verdict strong")), "the whole number");
  await look(visit, "batch-row-revealed");
  ok("a number is uncovered with a reason");
  await page.goto(`${base}/desk/batch`);
  const table = "Payee,Simu,Cheque no,Kiasi\nA. Person,0722000001,C-1,100\nB. Person,0722000002,=cmd|calc,200\n";
  await page.setInputFiles("#file", { name: "day.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await sandboxApp(page);
  await page.click("main button.primary");
  await page.waitForSelector("#column-1");
  expect((await page.inputValue("#column-1")) === "number", "the numbers' column is found by what is in it");
  await look(visit, "batch-file");
  await page.fill("#reference", "payouts");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#batch:not([hx-trigger]) tbody .tag.stop");
  ok("a file's columns are found, confirmed and asked");
  await page.goto(`${base}/desk`);
  await sandboxApp(page);
  await page.fill("#number", "254722000002");
  await page.fill("#reference", "cheque 9");
  await page.keyboard.press("Enter");
  await page.waitForURL(/desk\/history\//);
  const receipt = page.url();
  await page.emulateMedia({ media: "print" });
  await look(visit, "receipt-print");
  await page.emulateMedia({ media: null });
  await page.goto(`${base}/desk/history?reference=CHEQUE+9`);
  await look(visit, "history");
  await page.click("tbody th a");
  expect(page.url() === receipt, "a receipt has an address of its own");
  ok("past checks are found by case");
  await enrolled(page);
  await page.goto(`${base}/desk/settings`);
  await page.fill("#canaries", "254722000003");
  await page.click("main button.primary");
  await page.waitForURL(/saved/);
  await page.goto(`${base}/desk`);
  await sandboxApp(page);
  await page.fill("#number", "254722000003");
  await page.fill("#reference", "none");
  await page.keyboard.press("Enter");
  await page.waitForURL(/desk\/history\//);
  await page.goto(`${base}/desk/alarms`);
  await look(visit, "desk-alarms");
  await page.fill("input[name=explanation]", "a drill, agreed with her");
  // The page comes again at the same address.
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  await page.goto(`${base}/desk/alarms?show=all`);
  expect((await page.textContent("main")).includes("a drill"), "the alarm is done with");
  const alarms = await visit.context.request.get(base + (await page.getAttribute("main a[href*='alarms.csv']", "href")));
  const told = await alarms.text();
  expect(told.startsWith("alarm,what,person") && /,canary,.*,"a drill, agreed with her"\r\n/.test(told), `the file has it: ${told}`);
  await look(visit, "desk-alarms-all");
  ok("a canary raises an alarm, which an owner looks at");
  await visit.context.close();
  await operator();
}

/** A SIM is enrolled by the digits of a receipt, and compared with them later: the same, then another. */
async function enrolled(page) {
  const check = async (digits) => {
    await page.goto(`${base}/desk`);
    await sandboxApp(page);
    await page.fill("#number", "254722000001");
    await page.fill("#reference", "mobile banking 12");
    await page.fill("#expect", digits);
    await page.keyboard.press("Enter");
    await page.waitForURL(/desk\/history\//);
    const digitsShown = (await page.$$eval("dl.facts dd.mono", (all) => all.map((one) => one.textContent))).find((text) => /^\d{16}$/.test(text));
    return { digits: digitsShown, verdict: await page.textContent(".verdict .word") };
  };
  const first = await check("");
  expect(first.verdict.startsWith("Allow"), first.verdict);
  const same = await check(first.digits);
  expect(same.verdict.startsWith("Allow") && same.digits === first.digits, `still the SIM that was enrolled: ${same.verdict}`);
  const other = await check(first.digits.replace(/\d$/, (last) => String((Number(last) + 1) % 10)));
  expect(other.verdict.startsWith("Hold"), `another SIM is held: ${other.verdict}`);
  await page.goto(`${base}/desk`);
  await sandboxApp(page);
  await page.fill("#number", "254722000001");
  await page.fill("#reference", "mobile banking 12");
  await page.fill("#expect", "a SIM");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main .note.bad, main [role=alert]");
  ok("a SIM is enrolled and compared; another one is held");
}

/** The operator's staff: data sources, traffic, limits, alarms. */
async function operator() {
  const visit = await visitor();
  const { page } = visit;
  await signIn(visit, "staff@mobile.example");
  await page.goto(`${base}/operate/data`);
  await look(visit, "data-sources");
  const rows = "msisdn,imsi,registered_at,last_swap_at\n0722000001,not an imsi,2020-01-01,\n";
  await page.setInputFiles("#file", { name: "extract.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await page.click("main button.primary");
  await page.waitForSelector("#now .note.bad");
  await look(visit, "data-sources-refused");
  ok("a snapshot that cannot be is refused, and changes nothing");
  await snapshot(visit);
  await feed(visit);
  await page.goto(`${base}/operate/traffic`);
  expect(await page.isVisible("svg.plot"), "the hours are drawn");
  await look(visit, "traffic");
  await page.click("tbody th a");
  await page.waitForSelector("#rate-all");
  await page.fill("#rate-all", "50");
  await page.fill("#reason", "agreed");
  await look(visit, "limit");
  await page.click("main button.primary");
  await page.waitForURL(/saved/);
  await page.goto(`${base}/operate/limits`);
  await look(visit, "limits");
  await page.click("main tbody th a >> nth=0");
  await page.waitForURL(/limits\/[0-9a-f]{16}$/);
  await look(visit, "limit-partner");
  await page.goto(`${base}/operate/alarms`);
  await look(visit, "operate-alarms");
  ok("staff see traffic, change a limit, look at alarms");
  await visit.context.close();
}

/** A snapshot of three lines and one that cannot be read is brought, read and loaded; the others are given up by it. */
async function snapshot(visit) {
  const { page } = visit;
  const good = [LINE, "254722990002", "254722990003"].map((number, place) => `${number},63902000099000${place},2020-01-01,`);
  const rows = ["msisdn,imsi,registered_at,last_swap_at", ...good, "254722990004,not an imsi,2020-01-01,", ""].join("\n");
  await page.goto(`${base}/operate/data`);
  await page.fill("#as_of", new Date(Date.now() - 30_000).toISOString());
  await page.fill("#max_rejects", "1");
  await page.check("input[name=allow_shrink]");
  await page.setInputFiles("#file", { name: "extract.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  // The page comes again at the same address.
  await Promise.all([page.waitForEvent("load"), page.click("main button.primary")]);
  await until(page, "loaded snapshot", async () => {
    await page.goto(`${base}/operate/data`);
    return page.isVisible("#now .note.good");
  }, LOADED_MS_MAX);
  expect(/, 1 /.test(await page.textContent("#now .note.good")), "one row is told as refused");
  await look(visit, "data-sources-loaded");
  ok("a snapshot is brought, and loaded");
}

/** What the operator's own system tells is listed as it came; what could not be read yet is read again later. */
async function feed(visit) {
  const { page } = visit;
  const at = (seconds) => new Date(Date.now() + seconds * 1_000).toISOString();
  const soon = AHEAD_S_MAX + 6;
  const events = () => [
    { type: "sim_replaced", id: "b-1", at: at(-2), msisdn: LINE, imsi: "639020000990009" },
    { type: "device_changed", id: "b-2", at: at(-1), msisdn: LINE },
    { type: "suspended", id: "b-3", at: at(soon), msisdn: LINE },
    { type: "heartbeat", at: at(0) },
  ].map((event) => JSON.stringify({ ...event, source: "hlr-2" })).join("\n");
  const headers = { authorization: `Bearer ${process.env.LAINI_FEED_KEY}` };
  // A running server knows a new key a little later.
  const told = await until(page, "answer to the key of the feed", async () => {
    const answer = await fetch(`${base}/operator/v1/events`, { method: "POST", headers, body: events() });
    return answer.status === 200 && answer.text();
  });
  const readable = Date.now() + (soon - AHEAD_S_MAX + 1) * 1_000;
  expect(told.includes('"refused":1'), `all but one are taken: ${told}`);
  await page.goto(`${base}/operate/data`);
  await page.waitForSelector("main tbody tr:has-text('can be read again')");
  await look(visit, "data-sources-rejects");
  await page.click("main a[href='/operate/data/events']");
  await page.waitForSelector("main tbody th:has-text('b-2')");
  expect(!(await page.textContent("main")).includes(LINE), "numbers of events are masked");
  await look(visit, "feed-events");
  ok("what feeds told is listed");
  await page.waitForTimeout(Math.max(0, readable - Date.now()));
  await page.goto(`${base}/operate/data`);
  await page.click("form[action='/operate/data/rejects/retry'] button");
  await page.waitForURL(/retried=/);
  expect(/retried=\d+-1$/.test(page.url()), `what lay in the future is taken now: ${page.url()}`);
  await look(visit, "data-sources-retried");
  await page.goto(`${base}/operate/data/events?source=hlr-2`);
  await page.waitForSelector("main tbody th:has-text('b-3')");
  ok("what could not be read is read again");
}
