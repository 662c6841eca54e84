import { PASSWORD, base, expect, letterTo, ok, signIn, visitor } from "../lib.mjs";
import {
  MARK, ask, everyFieldWasWritten, forge, hostileTable, nothingRan, packed, payloads, sent, write,
} from "../hostile_forms.mjs";

/** Pages on which a partner's people write; each has a form with a field for text. */
const MEMBERS_WRITE_ON = [
  "/", "/apps", "/simulator", "/requests", "/webhooks", "/desk", "/desk/batch", "/desk/history", "/desk/alarms",
  "/desk/settings", "/forgotten", "/invitation", "/reset", "/billing", "/billing/account", "/billing/paying",
  "/usage/references", "/support", "/organisation", "/go-live", "/team", "/audit", "/privacy-requests", "/register",
  "/registration", "/ask", "/docs/search",
];
/** What members ask of lists and forms in the address. */
const MEMBERS_ASK = [
  ["/apps", "tab", "sort", "after"], ["/requests", "code", "outcome", "answered", "sort"], ["/requests", "from", "until"],
  ["/webhooks", "state", "sort"], ["/webhooks", "after"], ["/desk/history", "reference", "verdict", "person", "until"],
  ["/usage", "environment", "apps", "days"], ["/usage", "month"], ["/invoices", "sort", "after"], ["/audit", "actor", "action"],
  ["/support", "subject", "reference", "text", "severity"], ["/simulator", "persona", "check", "number", "app"],
  ["/docs/search", "q"], ["/ask", "q"],
];
/** What staff ask so. */
const STAFF_ASK = [
  ["/operate/partners", "step", "sort"], ["/operate/audit", "actor", "action", "sort"], ["/operate/audit", "from", "after"],
  ["/operate/partners/all", "name", "sort", "after"], ["/operate/limits", "name", "sort"],
  ["/operate/tickets", "which", "sort"], ["/operate/incidents", "state", "sort"], ["/operate/agreements", "state", "sort"],
  ["/operate/invoices", "state", "sort"], ["/operate/prices", "sort", "after"], ["/operate/privacy", "show", "sort"],
  ["/operate/data", "retried", "sort"], ["/operate/data", "after"], ["/operate/data/events", "source"],
  ["/operate/data/events", "after"], ["/operate/revenue", "sort"],
];
/** Staff's pages of all partners on which their texts are told. */
const STAFF_READ = [
  "/operate/partners", "/operate/partners/all", "/operate/partners?step=submitted", "/operate/agreements", "/operate/traffic", "/operate/alarms",
  "/operate/limits", "/operate/tickets?which=all", "/operate/incidents", "/operate/prices", "/operate/revenue",
  "/operate/invoices", "/operate/payments", "/operate/closes", "/operate/privacy?show=all", "/operate/staff", "/operate/audit",
];
/** The pages of one partner. */
const TABS = ["", "/organisation", "/agreements", "/go-live", "/apps", "/team", "/audit", "/requests"];
const MONEY = ["/usage", "/billing", "/billing/account", "/billing/paying", "/invoices"];

/** Forms of buttons, boxes and lists alone: nobody writes into them. */
const WITHOUT_TEXT = [
  /^\/(preferences|sign-out|account\/sessions\/end|incidents\/letters)$/,
  /\/(close|closes|verify|retry|again|stop|columns|send|remove|take-back|prove|roll)$/,
  /^\/apps\/\{app\}\/(secrets|secrets\/retire|products|revoke-tokens)$/,
  /\/(agreement|agreements\/\{agreement\})$/,
  /\/(\{certificate\}\/accept|\{notice\}\/withdraw)$/,
  /\/go-live\/\{go_live\}\/(terms|run|run\/listen|run\/delivery|submit|approve|collect)$/,
  /\/\{person\}\/(role|enable|reset|sign-out)$/,
  /\/dossier(-paper)?$/,
];
/** A number that no case leads to: whoever looks it up raises an alarm. */
const CANARY = "254722000003";
/** Where a company is registered whose every name is hostile. */
const NEWCOMER = "newcomer@hostile.example";
const NAME = `"><img src=x onerror="window.${MARK}=true">`;
/** The id of nothing. */
const NOTHING = "0000000000000001";
/** What a list leads to, by its rows. */
const FIRST = "main tbody th a";
/** An address of an account is so long at most. */
const EMAIL_CHARS_MAX = 254;

/** Reads pages as a browser shows them; how many of them tell a hostile text. */
async function read({ page }, pages) {
  let told = 0;
  for (const at of pages) {
    const answer = await page.goto(base + at);
    expect(answer.status() === 200, `${at} is answered ${answer.status()}`);
    await nothingRan(page, at);
    told += Number((await page.textContent("main")).includes(MARK));
  }
  return told;
}

/** The first link of its kind on a page, as a path. */
async function first({ page }, at, selector = FIRST) {
  await page.goto(base + at);
  return page.getAttribute(`${selector} >> nth=0`, "href");
}

/** All links of a kind on a page, as paths. */
async function every({ page }, at, selector) {
  await page.goto(base + at);
  return page.$$eval(selector, (all) => all.map((one) => one.getAttribute("href")));
}

/** Presses the button of the one form that goes there. */
const press = (page, action) => page.click(`main form[action$="${action}"] button`);

/** The sandbox app of the desk that is on the page. */
async function sandboxApp(page) {
  const apps = await page.$$eval("#app option", (all) => all.map((one) => [one.value, one.textContent]));
  return apps.find(([, name]) => name.includes("sandbox"))[0];
}

/** Every text field takes what would run, and nothing runs: as a partner's people, as staff who read it, and at the door. */
export async function hostile() {
  const began = Date.now();
  const request = await newcomer();
  const owner = await visitor();
  await signIn(owner, "owner@bank.example");
  const bank = await members(owner);
  const staff = await visitor();
  await signIn(staff, "staff@mobile.example");
  const incident = await operator(staff, bank, request);
  const ticket = await first(owner, "/support");
  const told = await read(owner, ["/incidents", `/incidents/${incident}`, "/support", ticket, "/apps", "/go-live", "/desk/history"]);
  expect(told >= 3, `members read hostile texts on ${told} pages alone`);
  await last(owner, ticket);
  await door(incident);
  const fields = everyFieldWasWritten(WITHOUT_TEXT);
  ok(`${sent.count} hostile texts ran nothing, in ${fields} fields, after ${Math.round((Date.now() - began) / 1000)} s`);
  for (const visit of [owner, staff]) await visit.context.close();
}

/** A company that is on its way, and its owner, of names that would run; the request to go live that is open. */
async function newcomer() {
  const visit = await visitor();
  const { page } = visit;
  await page.goto(`${base}/register`);
  await page.fill("#company", NAME);
  await page.fill("#name", NAME);
  await page.fill("#email", NEWCOMER);
  await page.check("main form input[type=checkbox]");
  await page.click("main button.primary");
  await page.waitForURL(/sent/);
  await page.goto(`${base}/registration#${await letterTo(page, NEWCOMER)}`);
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/apps`);
  for (const [turn, at] of ["/onboarding", "/organisation", "/go-live", "/support", "/apps"].entries()) {
    await write(visit, at, { values: packed(200), turn });
  }
  const [withdrawn, open] = await every(visit, "/go-live", FIRST);
  await scriptedRun(page, open);
  await write(visit, open, { only: /echo$/ });
  await write(visit, withdrawn, { only: /withdraw$/ });
  await visit.context.close();
  return open;
}

/** Begins the run of a request, as far as its nonce is asked for. */
async function scriptedRun(page, request) {
  await page.goto(base + request);
  await press(page, "/run");
  await page.waitForSelector("#steps");
  if (await page.isVisible("main form[action$='/run/listen']")) await press(page, "/run/listen");
  await page.waitForSelector("main form[action$='/run/delivery']");
  await press(page, "/run/delivery");
  await page.waitForSelector("#nonce");
}

/** An owner writes everything everywhere; the id of their bank. */
async function members(visit) {
  const { page } = visit;
  await page.goto(`${base}/organisation`);
  const bank = (await page.getAttribute("main form[action$='/organisation']", "action")).split("/")[2];
  const app = await first(visit, "/apps");
  const invoice = await first(visit, "/invoices");
  await alarm(page);
  await batch(visit);
  const check = await first(visit, "/desk/history");
  for (const [turn, at] of [...MEMBERS_WRITE_ON, check, invoice, app].entries()) await write(visit, at, { turn });
  // A line of one's own is put by its button.
  await write(visit, "/simulator", { spoiled: { put: "line" } });
  await ask(visit, MEMBERS_ASK);
  // Whoever is signed in goes on at once, to a page of ours.
  for (const payload of payloads) {
    await page.goto(`${base}/sign-in?next=${encodeURIComponent(payload)}`);
    expect(page.url().startsWith(`${base}/`), `${payload} leads to ${page.url()}`);
    sent.count += 1;
  }
  ok("a partner's people write what would run, and nothing runs");
  return bank;
}

/** Raises an alarm, so that there is one to explain. */
async function alarm(page) {
  await page.goto(`${base}/desk/settings`);
  await page.fill("#canaries", CANARY);
  await page.click("main button.primary");
  await page.waitForURL(/saved/);
  await page.goto(`${base}/desk`);
  await page.selectOption("#app", await sandboxApp(page));
  await page.fill("#number", CANARY);
  await page.fill("#reference", "none");
  await page.keyboard.press("Enter");
  await page.waitForURL(/desk\/history\//);
}

/** Brings a table of hostile cells, writes into the form that starts it, and into that which uncovers a number of it. */
async function batch(visit) {
  const { page } = visit;
  await page.goto(`${base}/desk/batch`);
  await page.setInputFiles("#file", hostileTable());
  await page.selectOption("#app", await sandboxApp(page));
  await page.click("main button.primary");
  await page.waitForSelector("#reference");
  await nothingRan(page, "a draft of hostile cells");
  const draft = new URL(page.url()).pathname;
  // What nobody may ask for starts nothing.
  await write(visit, draft, { only: /start$/, spoiled: { purpose: "none" } });
  await page.goto(base + draft);
  await page.fill("#reference", NAME);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#batch:not([hx-trigger]) tbody th a");
  await nothingRan(page, "a batch of hostile cells");
  const row = await page.getAttribute(`${FIRST} >> nth=0`, "href");
  const told = await read(visit, [draft, row, "/desk/history"]);
  expect(told >= 2, `hostile cells are told on ${told} pages alone`);
  await write(visit, row);
}

/** Staff write into their own forms, and read what partners wrote; the id of an incident that they opened. */
async function operator(visit, bank, request) {
  const { page } = visit;
  await page.goto(`${base}/operate/partners`);
  const newcomer = await page.getAttribute(`.board a.card:has-text("${MARK}") >> nth=0`, "href");
  const incident = await opened(page);
  const agreement = await drafted(page, newcomer);
  const limits = `/operate/limits/${bank}`;
  const invoice = await first(visit, `/partners/${bank}/invoices`);
  const privacy = await first(visit, "/operate/privacy");
  const pages = [
    newcomer, `${newcomer}/organisation`, `${newcomer}/agreements/new`, `${agreement}/edit`, `${newcomer}/team`,
    ...["apps", "audit", "requests", "usage/references", "billing", "billing/account", "billing/paying"].map((tab) => `/partners/${bank}/${tab}`),
    invoice, `/operate/prices/${bank}`, limits, await first(visit, "/operate/limits", `main a[href^='${limits}/']`),
    "/operate/incidents/new", `/operate/incidents/${incident}`, await first(visit, "/operate/tickets"),
    "/operate/privacy", privacy, "/operate/payments", "/operate/data", "/operate/audit", "/operate/staff",
  ];
  for (const [turn, at] of pages.entries()) await write(visit, at, { turn });
  // A partner that begins in no way that there is is none.
  await write(visit, "/operate/partners/all", { turn: 0, spoiled: { agreement: "none of both" } });
  const payment = await first(visit, "/operate/payments", "main tbody td a");
  // What these pages ask for depends on how far the thing is.
  const paying = `/partners/${bank}/billing`;
  for (const [at, what, texts, files] of [
    [paying, "certificates", ["number", "amount", "on", "invoice"]], [paying, "top-ups", ["amount", "tax"]],
    [paying, `certificates/${NOTHING}/refuse`, ["reason"]], [`/partners/${bank}`, "debt-notices", ["days", "invoices"]],
    [newcomer, "move", ["reason"]], [request, "return", ["reason"]], [agreement, "on-paper", [], [["file", ".pdf"]]],
    [privacy, "identity", ["number"]], [privacy, "approve", ["number", "reason"]], [privacy, "refuse", ["reason"]],
    [privacy, "carry-out", ["number", "event", "source", "at", "imsi", "from", "until"]],
    [invoice, "settle", ["answer", "amount"]], [payment, "match", ["invoice"]], [payment, "reverse", ["reason"]],
  ]) await forge(visit, at, `${at}/${what}`, texts, files);
  ok("staff write what would run, and nothing runs");
  await ask(visit, STAFF_ASK);
  const lists = [...STAFF_READ, ...TABS.map((tab) => newcomer + tab), ...[...TABS, ...MONEY].map((tab) => `/partners/${bank}${tab}`)];
  const goLives = [...await every(visit, `/partners/${bank}/go-live`, FIRST), ...await every(visit, `${newcomer}/go-live`, FIRST)];
  const told = await read(visit, [...lists, ...goLives, ...pages.filter((at) => !lists.includes(at)), payment]);
  expect(told >= TABS.length, `staff read hostile texts on ${told} pages alone`);
  ok(`staff read what partners wrote: hostile texts on ${told} pages ran nothing`);
  return incident;
}

/** The id of an incident of hostile words that is open. */
async function opened(page) {
  await page.goto(`${base}/operate/incidents/new`);
  await page.fill("#title", NAME);
  await page.fill("#text", NAME);
  await page.check("input[name=component][value=checks]");
  await page.check("input[name=reaches][value=everyone]");
  await page.click("main button[value=open]");
  await page.waitForURL(/operate\/incidents\/[0-9a-f]{16}$/);
  return page.url().split("/").pop();
}

/** The path of an agreement with a partner that is drafted. */
async function drafted(page, partner) {
  await page.goto(`${base}${partner}/agreements/new`);
  await page.click("main button.primary");
  await page.waitForURL(/agreements\/[0-9a-f]{16}$/);
  return new URL(page.url()).pathname;
}

/** What ends something, or is refused for long after some of it. */
async function last(owner, ticket) {
  await write(owner, ticket, { turn: 0 });
  await write(owner, "/agreements");
  // After a few wrong passwords nobody looks at the next one for a while: few values, with all of the texts.
  await write(owner, "/account", { values: packed(500) });
  await write(owner, "/account/second-factor", { values: packed(500) });
  await forge(owner, "/account/second-factor", "/account/second-factor/confirm", ["code"]);
  ok("what is one's own takes what would run, and nothing runs");
}

/** Whoever did not sign in: the door, and the status. */
async function door(incident) {
  const visit = await visitor();
  const { page } = visit;
  for (const payload of payloads) {
    await page.goto(`${base}/sign-in?next=${encodeURIComponent(payload)}`);
    await nothingRan(page, `the way back to ${payload}`);
    sent.count += 1;
  }
  // Forms without a session are taken slowly: few values, with all of the texts.
  await write(visit, "/sign-in", { values: packed(EMAIL_CHARS_MAX) });
  await write(visit, "/sign-in/code", { values: packed() });
  expect((await read(visit, ["/status", `/status/${incident}`])) > 0, "the incident is told to everybody");
  const feed = await (await visit.context.request.get(`${base}/status.atom`)).text();
  expect(!feed.includes("<img"), "no element comes into the feed");
  await visit.context.close();
}
