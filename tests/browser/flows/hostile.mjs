import { PASSWORD, base, expect, fail, letterTo, ok, signIn, visitor } from "../lib.mjs";
import { readFileSync } from "node:fs";

/** Pages on which a partner's people write; each has a form with a field for text. */
const MEMBERS_WRITE_ON = [
  "/", "/apps", "/simulator", "/requests", "/webhooks", "/desk", "/desk/batch", "/desk/history", "/desk/alarms",
  "/desk/settings", "/forgotten", "/invitation", "/reset", "/billing", "/billing/account", "/usage/references", "/support",
  "/organisation", "/go-live", "/team", "/audit", "/privacy-requests", "/register", "/registration", "/ask", "/docs/search",
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
  ["/operate/tickets", "which", "sort"], ["/operate/incidents", "state", "sort"], ["/operate/agreements", "state", "sort"],
  ["/operate/invoices", "state", "sort"], ["/operate/prices", "sort", "after"], ["/operate/privacy", "show", "sort"],
  ["/operate/data", "retried", "sort"], ["/operate/data", "after"], ["/operate/data/events", "source"],
  ["/operate/data/events", "after"], ["/operate/revenue", "sort"],
];
/** Staff's pages of all partners on which their texts are told. */
const STAFF_READ = [
  "/operate/partners", "/operate/partners?step=submitted", "/operate/agreements", "/operate/traffic", "/operate/alarms",
  "/operate/limits", "/operate/tickets?which=all", "/operate/incidents", "/operate/prices", "/operate/revenue",
  "/operate/invoices", "/operate/payments", "/operate/closes", "/operate/privacy?show=all", "/operate/staff", "/operate/audit",
];
/** The pages of one partner. */
const TABS = ["", "/organisation", "/agreements", "/go-live", "/apps", "/team", "/audit", "/requests"];
const MONEY = ["/usage", "/billing", "/billing/account", "/invoices"];

/** What each hostile text would set, and what says that a page tells one. */
const MARK = "laini_ran";
/** A number that no case leads to: whoever looks it up raises an alarm. */
const CANARY = "254722000003";
/** Where a company is registered whose every name is hostile. */
const NEWCOMER = "newcomer@hostile.example";
const NAME = `"><img src=x onerror="window.${MARK}=true">`;

/** How many texts were sent. */
let fields = 0;

/** A part of the texts, another one at each turn, so that all of them come up. */
function some(payloads, count, turn) {
  const step = Math.ceil(payloads.length / count);
  return payloads.filter((_, place) => place % step === turn % step);
}

/** The forms of the page as it is: where each goes, its fields for text, and what stands in all of its fields. */
const forms = (page) => page.$$eval("main form", (all) => {
  const TEXT = "input:not([type=hidden],[type=checkbox],[type=radio],[type=file]), textarea";
  // Anything may be written there; elsewhere a number, a day or an address stands.
  const isFree = (one) => one.matches("textarea") || (one.type === "text" && !one.inputMode && (one.maxLength < 0 || one.maxLength > 50));
  const FITS = { email: "somebody#@bank.example", password: "four words walk home", tel: "0722000001" };
  const fits = (one) => FITS[one.type] ?? FITS[one.inputMode] ?? "1";
  return all.map((form) => {
    const texts = [...form.querySelectorAll(TEXT)].filter((one) => one.name);
    const lacking = texts.filter((one) => one.required && !one.value && !isFree(one));
    return {
      // Fields of these names stand before the form's own.
      action: new URL(form.getAttribute("action") ?? "", location.href).href,
      method: form.getAttribute("method") ?? "get",
      texts: texts.map((one) => one.name),
      free: texts.filter(isFree).map((one) => one.name),
      fitting: lacking.map((one) => [one.name, fits(one)]),
      others: [...new FormData(form)].filter(([, value]) => typeof value === "string"),
    };
  }).filter(({ texts }) => texts.length);
});

/** Forms that go to the same thing of another one are one kind. */
const kind = ({ action, method, texts }) => `${method} ${new URL(action).pathname.replace(/[0-9a-f]{16}/g, "*")} ${texts}`;

/** That what would run did not; a dialog, a script error or a word of the console ends the run by itself. */
async function nothingRan(page, what) {
  expect((await page.evaluate((mark) => window[mark], MARK)) !== true, `it ran: ${what}`);
}

/** That an answer is none of a fault, and that its page runs nothing under the policy of pages. */
async function harmless({ page }, answer, what) {
  expect(answer.status() < 500, `${what}: ${answer.status()}`);
  const headers = answer.headers();
  if (!headers["content-type"]?.startsWith("text/html") || headers["content-disposition"]) return;
  await page.setContent(await answer.text());
  await nothingRan(page, what);
}

async function send(visit, at, { action, method }, filled, what) {
  // Where somebody new is named, each has an address of their own.
  const form = Object.fromEntries(Object.entries(filled).map(([name, value]) => [name, value.replace("#@", `${fields}@`)]));
  const headers = { origin: base, referer: base + at };
  const sent = method === "get" ? { params: form } : { form };
  const answer = await visit.context.request.fetch(action, { method, headers, ...sent })
    .catch((error) => fail(`${at} sends ${what} to ${action}: ${error.message}`));
  await harmless(visit, answer, `${method} ${action} of ${at} with ${what}`);
}

/** Sends each kind of form of a page: some texts in every field, and some where the other fields hold what fits. */
async function write(visit, at, everywhere, fitting) {
  const { page } = visit;
  const answer = await page.goto(base + at);
  if (answer.status() !== 200) fail(`${at} is answered ${answer.status()}: ${(await answer.text()).slice(0, 500)}`);
  expect(new URL(page.url()).pathname === at, `${at} leads to ${page.url()}`);
  const kinds = new Map((await forms(page)).map((form) => [kind(form), form]));
  expect(kinds.size > 0, `there is nothing to write into on ${at}`);
  const all = (names, payload) => Object.fromEntries(names.map((name) => [name, payload]));
  for (const form of kinds.values()) {
    const others = Object.fromEntries(form.others);
    for (const payload of everywhere) {
      await send(visit, at, form, { ...others, ...all(form.texts, payload) }, payload);
      fields += form.texts.length;
    }
    for (const payload of form.free.length ? fitting : []) {
      await send(visit, at, form, { ...others, ...Object.fromEntries(form.fitting), ...all(form.free, payload) }, payload);
      fields += form.free.length;
    }
  }
}

/** Asks for pages with texts in their addresses. */
async function ask(visit, pages, payloads) {
  for (const [turn, [at, ...names]] of pages.entries()) {
    for (const payload of some(payloads, 10, turn)) {
      const params = Object.fromEntries(names.map((name) => [name, payload]));
      const answer = await visit.context.request.get(base + at, { params });
      await harmless(visit, answer, `${at} with ${payload} as ${names}`);
      fields += names.length;
    }
  }
}

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
async function first({ page }, at, selector) {
  await page.goto(base + at);
  return page.getAttribute(`${selector} >> nth=0`, "href");
}

/** All links of a kind on a page, as paths. */
async function every({ page }, at, selector) {
  await page.goto(base + at);
  return page.$$eval(selector, (all) => all.map((one) => one.getAttribute("href")));
}

/** Every text field takes what would run, and nothing runs: as a partner's people, as staff who read it, and at the door. */
export async function hostile() {
  const payloads = readFileSync(new URL("../hostile.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
  expect(payloads.length >= 50, `only ${payloads.length} hostile payloads`);
  await newcomer(payloads);
  const owner = await visitor();
  await signIn(owner, "owner@bank.example");
  const bank = await members(owner, payloads);
  const staff = await visitor();
  await signIn(staff, "staff@mobile.example");
  const incident = await operator(staff, bank, payloads);
  const ticket = await first(owner, "/support", "main tbody th a");
  const told = await read(owner, ["/incidents", `/incidents/${incident}`, "/support", ticket, "/apps", "/go-live", "/desk/history"]);
  expect(told >= 3, `members read hostile texts on ${told} pages alone`);
  await door(incident, payloads);
  ok(`${fields} hostile texts ran nothing`);
  for (const visit of [owner, staff]) await visit.context.close();
}

/** A company that is on its way, and its owner, of names that would run. */
async function newcomer(payloads) {
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
    await write(visit, at, [], some(payloads, 4, turn));
  }
  await visit.context.close();
}

/** An owner writes everything everywhere; the id of their bank. */
async function members(visit, payloads) {
  const { page } = visit;
  await page.goto(`${base}/organisation`);
  const bank = (await page.getAttribute("main form[action$='/organisation']", "action")).split("/")[2];
  const app = await first(visit, "/apps", "main tbody th a");
  const invoice = await first(visit, "/invoices", "main tbody th a");
  await alarm(page);
  for (const [turn, at] of [...MEMBERS_WRITE_ON, invoice, app].entries()) {
    await write(visit, at, payloads, some(payloads, 6, turn));
  }
  await ask(visit, MEMBERS_ASK, payloads);
  // Whoever is signed in goes on at once, to a page of ours.
  for (const payload of payloads) {
    await page.goto(`${base}/sign-in?next=${encodeURIComponent(payload)}`);
    expect(page.url().startsWith(`${base}/`), `${payload} leads to ${page.url()}`);
    fields += 1;
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
  const apps = await page.$$eval("#app option", (all) => all.map((one) => [one.value, one.textContent]));
  await page.selectOption("#app", apps.find(([, name]) => name.includes("sandbox"))[0]);
  await page.fill("#number", CANARY);
  await page.fill("#reference", "none");
  await page.keyboard.press("Enter");
  await page.waitForURL(/desk\/history\//);
}

/** Staff write into their own forms, and read what partners wrote; the id of an incident that they opened. */
async function operator(visit, bank, payloads) {
  const { page } = visit;
  await page.goto(`${base}/operate/partners`);
  const newcomer = await page.getAttribute(`.board a.card:has-text("${MARK}") >> nth=0`, "href");
  await page.goto(`${base}/operate/incidents/new`);
  await page.fill("#title", NAME);
  await page.fill("#text", NAME);
  await page.check("input[name=component][value=checks]");
  await page.check("input[name=reaches][value=everyone]");
  await page.click("main button[value=open]");
  await page.waitForURL(/operate\/incidents\/[0-9a-f]{16}$/);
  const incident = page.url().split("/").pop();
  const limits = `/operate/limits/${bank}`;
  const pages = [
    newcomer, `${newcomer}/organisation`, `${newcomer}/agreements/new`, `${newcomer}/team`,
    ...["apps", "audit", "requests", "usage/references", "billing", "billing/account"].map((tab) => `/partners/${bank}/${tab}`),
    await first(visit, `/partners/${bank}/invoices`, "main tbody th a"),
    `/operate/prices/${bank}`, limits, await first(visit, "/operate/limits", `main a[href^='${limits}/']`),
    "/operate/incidents/new", `/operate/incidents/${incident}`, await first(visit, "/operate/tickets", "main tbody th a"),
    "/operate/privacy", await first(visit, "/operate/privacy", "main tbody th a"),
    "/operate/payments", "/operate/data", "/operate/audit", "/operate/staff",
  ];
  for (const [turn, at] of pages.entries()) await write(visit, at, some(payloads, 8, turn), some(payloads, 4, turn + 1));
  const payment = await first(visit, "/operate/payments", "main tbody td a");
  await write(visit, payment, some(payloads, 8, 0), []);
  ok("staff write what would run, and nothing runs");
  await ask(visit, STAFF_ASK, payloads);
  const lists = [...STAFF_READ, ...TABS.map((tab) => newcomer + tab), ...[...TABS, ...MONEY].map((tab) => `/partners/${bank}${tab}`)];
  const goLives = [...await every(visit, `/partners/${bank}/go-live`, "main tbody th a"), ...await every(visit, `${newcomer}/go-live`, "main tbody th a")];
  const told = await read(visit, [...lists, ...goLives, ...pages.filter((at) => !lists.includes(at)), payment]);
  expect(told >= TABS.length, `staff read hostile texts on ${told} pages alone`);
  ok(`staff read what partners wrote: hostile texts on ${told} pages ran nothing`);
  return incident;
}

/** Whoever did not sign in: the door, and the status. */
async function door(incident, payloads) {
  const visit = await visitor();
  const { page } = visit;
  for (const payload of payloads) {
    await page.goto(`${base}/sign-in?next=${encodeURIComponent(payload)}`);
    await nothingRan(page, `the way back to ${payload}`);
    fields += 1;
  }
  // Forms without a session are taken slowly.
  await write(visit, "/sign-in", some(payloads, 12, 0), []);
  expect((await read(visit, ["/status", `/status/${incident}`])) > 0, "the incident is told to everybody");
  const feed = await (await visit.context.request.get(`${base}/status.atom`)).text();
  expect(!feed.includes("<img"), "no element comes into the feed");
  await visit.context.close();
}
