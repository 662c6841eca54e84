// Hostile texts on their way into forms: which fields there are, what is sent into each, and that no answer runs one.
//
// What an answer tells of them is looked at twice: as the browser reads it, where nothing may stand that could run, and
// as the browser shows it under the policy of pages, many answers at once, since showing is what takes the time.

import { readFileSync } from "node:fs";
import { base, expect, fail, routes } from "./lib.mjs";

/** What each hostile text would set, and what says that a page tells one. */
export const MARK = "laini_ran";
/** As many texts come into every field. */
export const PAYLOADS_MIN = 50;
/** Values with which the other fields hold what fits: what is taken is kept, and lists grow by it. */
const FITTING_MAX = 6;
/** So much of a field without a limit is filled. */
const CHARS_MAX = 2000;
/** Answers that are shown together, and how long they are at most. */
const SHOWN_MAX = 24;
const SHOWN_CHARS_MAX = 2_000_000;
/** Where a batch has its texts. */
const HEAD = ["Simu", "Payee", "Cheque no"];

export const payloads = readFileSync(new URL("hostile.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
expect(payloads.length >= PAYLOADS_MIN, `only ${payloads.length} hostile payloads`);

/** How many texts were sent into fields, and which of them into each field: by its form's method, path and its name. */
export const sent = { count: 0, into: new Map() };
/** Answers that tell a hostile text and were not shown yet. */
const pending = [];

/** A text alone, as a value. */
const alone = (payload) => ({ value: payload, of: [payload] });

/** Each of them as a value of its own. */
export const each = payloads.map(alone);

/** Texts side by side, as many as a field takes: all of them come in few values. */
export function packed(charsMax = CHARS_MAX) {
  const values = [];
  for (const payload of payloads) {
    const last = values.at(-1);
    if (last && last.value.length + 1 + payload.length <= charsMax) {
      last.value += ` ${payload}`;
      last.of.push(payload);
    } else values.push(alone(payload));
  }
  return values;
}

/** A part of them, another one at each turn, so that all of them come up. */
function some(values, count, turn) {
  const step = Math.ceil(values.length / count);
  return values.filter((_, place) => place % step === turn % step);
}

/** The forms of the page as it is: where each goes, its fields for text and for files, and what stands in all of its fields. */
const forms = (page) => page.$$eval("main form", (all) => {
  const TEXT = "input:not([type=hidden],[type=checkbox],[type=radio],[type=file]), textarea";
  // Anything may be written there; elsewhere a number, a day or an address stands.
  const isFree = (one) => one.matches("textarea") || (one.type === "text" && !one.inputMode && (one.maxLength < 0 || one.maxLength > 50));
  const day = new Date(Date.now() - 7 * 86_400_000).toISOString().slice(0, 10);
  const FITS = { email: "somebody#@bank.example", password: "four words walk home", tel: "0722000001", date: day };
  const fits = (one) => FITS[one.type] ?? FITS[one.inputMode] ?? "1";
  return all.flatMap((form) => {
    const named = (selector) => [...form.querySelectorAll(selector)].filter((one) => one.name);
    const texts = named(TEXT);
    const free = texts.filter(isFree);
    const lacking = texts.filter((one) => one.required && !one.value && !isFree(one));
    const buttons = [...form.querySelectorAll("button[formaction]")].map((one) => one.getAttribute("formaction"));
    // Fields of these names stand before the form's own.
    return [form.getAttribute("action") ?? "", ...buttons].map((action) => ({
      action: new URL(action, location.href).href,
      method: form.getAttribute("method") ?? "get",
      hasParts: form.getAttribute("enctype") === "multipart/form-data",
      texts: texts.map((one) => one.name),
      files: named("input[type=file]").map((one) => [one.name, one.accept]),
      free: free.map((one) => one.name),
      charsMax: Math.min(...free.map((one) => one.maxLength).filter((most) => most >= 0), Infinity),
      fitting: lacking.map((one) => [one.name, fits(one)]),
      others: [...new FormData(form)].filter(([, value]) => typeof value === "string"),
    }));
  }).filter(({ texts, files }) => texts.length + files.length);
});

/** The path of the table that is at an address. */
function pathOf(method, url) {
  const { pathname } = new URL(url);
  const found = routes.find((one) => one.method === method.toUpperCase() && one.matches(pathname));
  return found?.path ?? fail(`the table has no ${method} ${pathname}`);
}

/** Forms that go to the same thing of another one are one kind. */
const kind = ({ action, method, texts }) => `${pathOf(method, action)} ${method} ${texts}`;

function note({ action, method }, names, texts) {
  for (const name of names) {
    const field = `${method.toUpperCase()} ${pathOf(method, action)} ${name}`;
    if (!sent.into.has(field)) sent.into.set(field, new Set());
    for (const text of texts) sent.into.get(field).add(text);
  }
  sent.count += names.length * texts.length;
}

/** That what would run did not; a dialog, a script error or a word of the console ends the run by itself. */
export async function nothingRan(page, what) {
  expect((await page.evaluate((mark) => window[mark], MARK)) !== true, `it ran: ${what}`);
}

/** Of each of several pages, read by the browser and not run: the first thing in it that none of ours has. */
function readOnly(texts) {
  const HOLDERS = "iframe, frame, object, embed, base, style, marquee, video, math, meta[http-equiv]";
  // What runs, and where the texts would lead somebody.
  const LEADS = /^[\s\u0000-\u001f]*(javascript:|vbscript:|data:text|(https?:)?[/\\]{2}evil\.example)/i;
  const isWrong = (one) => {
    if (one.matches(HOLDERS)) return true;
    if (one.matches("script")) return !one.getAttribute("src")?.startsWith("/") || one.textContent.trim() !== "";
    if (one.matches("link")) return !one.getAttribute("href")?.startsWith("/");
    return [...one.attributes].some(({ name, value }) => /^(on|style$|(data-)?hx-on)/.test(name)
      || /^(data-)?hx-(vals|vars|headers)$/.test(name)
      || (["href", "src", "action", "formaction", "xlink:href"].includes(name) && LEADS.test(value)));
  };
  return texts.map((text) => {
    const all = new DOMParser().parseFromString(text, "text/html").querySelectorAll("*");
    return [...all].find(isWrong)?.outerHTML.slice(0, 300);
  });
}

/** Shows the answers that came since: nothing stands in them that could run, and nothing runs. */
export async function show({ page }) {
  const told = pending.splice(0);
  if (!told.length) return;
  const found = await page.evaluate(readOnly, told.map(({ text }) => text));
  for (const [place, wrong] of found.entries()) expect(!wrong, `${told[place].what}: the answer holds ${wrong}`);
  const [head] = told[0].text.split("<body", 1);
  const bodies = told.map(({ text }) => text.slice(text.indexOf("<body"), text.lastIndexOf("</body>")));
  await page.setContent(`${head}${bodies.join("\n")}</body></html>`);
  await nothingRan(page, told.map(({ what }) => what).join("\n"));
}

/** That an answer is none of a fault, and that its page runs nothing. Where it tells no hostile text, none could run. */
export async function harmless(visit, answer, what) {
  expect(answer.status() < 500, `${what}: ${answer.status()}`);
  const headers = answer.headers();
  if (!headers["content-type"]?.startsWith("text/html") || headers["content-disposition"]) return;
  const text = await answer.text();
  if (!/laini_ran|evil\.example/i.test(text)) return;
  expect(text.includes("<body"), `${what}: it is no whole page`);
  pending.push({ text, what });
  const chars = pending.reduce((sum, one) => sum + one.text.length, 0);
  if (pending.length >= SHOWN_MAX || chars > SHOWN_CHARS_MAX) await show(visit);
}

async function send(visit, at, { action, method, hasParts }, filled, what) {
  // Where somebody new is named, each has an address of their own.
  const value = (text) => (typeof text === "string" ? text.replace("#@", `${sent.count}@`) : text);
  const form = Object.fromEntries(Object.entries(filled).map(([name, text]) => [name, value(text)]));
  const headers = { origin: base, referer: base + at };
  const body = method === "get" ? { params: form } : hasParts ? { multipart: form } : { form };
  const answer = await visit.context.request.fetch(action, { method, headers, ...body })
    .catch((error) => fail(`${at} sends ${what} to ${action}: ${error.message}`));
  await harmless(visit, answer, `${method} ${action} of ${at} with ${what}`);
  return answer;
}

/** A file of a hostile name, and of hostile cells where it is a table; `accepts`: what its field says that it takes. */
function file(payload, accepts) {
  if (!accepts.includes(".pdf")) {
    const rows = [[...HEAD, payload], ["0722000001", payload, payload, payload]];
    return { name: `${payload}.csv`, mimeType: "text/csv", buffer: Buffer.from(table(rows)) };
  }
  const paper = `%PDF-1.7\n% ${payload}\n1 0 obj\n<< >>\nendobj\nstartxref\n9\n%%EOF\n`;
  return { name: `${payload}.pdf`, mimeType: "application/pdf", buffer: Buffer.from(paper) };
}

/** Rows as a file has them. */
const table = (rows) => rows.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`).join("");

/** A table of which every cell but the numbers is hostile, with all of the texts. */
export function hostileTable() {
  const cells = packed(60).map(({ value }) => value);
  const rows = [];
  for (let place = 0; place < cells.length; place += 2) {
    rows.push([`2547220001${10 + rows.length}`, cells[place], cells[place + 1] ?? cells[0]]);
  }
  return { name: "day.csv", mimeType: "text/csv", buffer: Buffer.from(table([HEAD, ...rows])) };
}

async function fill(visit, at, form, values, turn, spoiled) {
  const fitting = Object.fromEntries(form.others);
  const others = { ...fitting, ...spoiled };
  const all = (names, value) => Object.fromEntries(names.map((name) => [name, value]));
  for (const { value, of } of form.texts.length ? values : []) {
    await send(visit, at, form, { ...others, ...all(form.texts, value) }, value);
    note(form, form.texts, of);
  }
  for (const { value, of } of form.files.length ? values : []) {
    const files = Object.fromEntries(form.files.map(([name, accepts]) => [name, file(value, accepts)]));
    await send(visit, at, { ...form, hasParts: true }, { ...others, ...files }, `a file called ${value}`);
    note(form, form.files.map(([name]) => name), of);
  }
  if (turn === undefined || !form.free.length) return;
  for (const { value, of } of some(packed(Math.min(form.charsMax, CHARS_MAX)), FITTING_MAX, turn)) {
    await send(visit, at, form, { ...fitting, ...Object.fromEntries(form.fitting), ...all(form.free, value) }, value);
    note(form, form.free, of);
  }
}

/**
 * Sends each kind of form of a page: texts in every field, and at a turn some where the other fields hold what fits.
 * `only`: forms that go there alone; `spoiled`: what fields that are not for text hold beside texts in every field.
 */
export async function write(visit, at, { values = each, turn, only = /./, spoiled = {} } = {}) {
  const { page } = visit;
  const answer = await page.goto(base + at);
  if (answer.status() !== 200) fail(`${at} is answered ${answer.status()}: ${(await answer.text()).slice(0, 500)}`);
  expect(new URL(page.url()).pathname === at, `${at} leads to ${page.url()}`);
  const found = (await forms(page)).filter(({ action }) => only.test(new URL(action).pathname));
  const kinds = new Map(found.map((form) => [kind(form), form]));
  expect(kinds.size > 0, `there is nothing to write into on ${at}`);
  for (const form of kinds.values()) await fill(visit, at, form, values, turn, spoiled);
  await show(visit);
}

/** Sends texts as the fields of a form that a page shows at another time alone; its answer is that page all the same. */
export async function forge(visit, at, path, texts, files = []) {
  const { page } = visit;
  await page.goto(base + at);
  const csrf = await page.getAttribute("input[name=csrf] >> nth=0", "value");
  const form = { action: base + path, method: "post", hasParts: files.length > 0, texts, files, free: [], others: [["csrf", csrf]] };
  await fill(visit, at, form, each, undefined, {});
  await show(visit);
}

/** Asks for pages with texts in their addresses. */
export async function ask(visit, pages) {
  for (const [at, ...names] of pages) {
    for (const payload of payloads) {
      const params = Object.fromEntries(names.map((name) => [name, payload]));
      const answer = await visit.context.request.get(base + at, { params });
      await harmless(visit, answer, `${at} with ${payload} as ${names}`);
      note({ action: base + at, method: "get" }, names, [payload]);
    }
  }
  await show(visit);
}

/** That every form of the table was written into, but for those `without` a field for text, and every field enough. */
export function everyFieldWasWritten(without) {
  const all = [...sent.into].map(([field, texts]) => [field, texts.size]);
  const few = all.filter(([, count]) => count < PAYLOADS_MIN).map(([field, count]) => `${count} texts alone into ${field}`);
  expect(few.length === 0, few.join("\n"));
  const written = new Set(all.map(([field]) => field.split(" ").slice(0, 2).join(" ")));
  const posts = routes.filter(({ method }) => method === "POST").map(({ path }) => path);
  for (const one of without) expect(posts.some((path) => one.test(path)), `no form is left out as ${one}`);
  const missed = posts.filter((path) => !written.has(`POST ${path}`) && !without.some((one) => one.test(path)));
  expect(missed.length === 0, `nothing hostile was written into the forms of ${missed.join(", ")}`);
  const both = posts.filter((path) => written.has(`POST ${path}`) && without.some((one) => one.test(path)));
  expect(both.length === 0, `there are fields after all in the forms of ${both.join(", ")}`);
  return all.length;
}
