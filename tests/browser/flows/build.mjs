import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { base, expect, look, ok, signIn, visitor } from "../lib.mjs";

const IMSI = "/imsi/v1/checkATI";
/** A number that is no persona. */
const OWN = "254733000001";
/** Calls are in the log a second after they were answered. */
const TRIES = 40;
/** From the id of a call that failed to its cause. */
const CAUSE_MS_MAX = 30_000;
/** A saved test ends within so long. */
const SAVED_TEST_MS_MAX = 30_000;

/** A developer: an app, the simulator, a call that failed and why, webhooks. */
export async function build() {
  await everybody();
  const visit = await visitor();
  const { page } = visit;
  await signIn(visit, "owner@bank.example");
  await page.goto(`${base}/apps`);
  await page.fill("#name", "Build flow");
  await page.click("#create button.primary");
  const secret = await page.textContent("#secret");
  const key = await page.textContent("#key");
  expect(await page.isVisible(".bar .mode.sandbox"), "the bar says which mode it is");
  expect((await page.textContent("#tokens")) === "0", "no token was given yet");
  expect(await page.isVisible("#go-live"), "the page of an app says how far it is to production");
  await look(visit, "app-whole");
  await page.click("main a.primary");
  await page.waitForURL(/simulator\?app=/);
  await page.click("text=SIM changed today");
  await page.waitForSelector("#result pre");
  expect((await page.textContent("#result")).includes("The SIM was changed on"), "the first answer");
  await look(visit, "simulator-swapped");
  ok("an app is made, and its first answer is in the simulator");
  await world(visit, { KEY: key.trim(), SECRET: secret.trim() });
  await ownLine(visit);
  const failed = await refused(key, secret);
  await explained(visit, failed);
  await webhooks(visit);
  await visit.context.close();
}

/** Without an account: personas answer, and the clock stands still. */
async function everybody() {
  const visit = await visitor();
  const { page } = visit;
  await page.goto(`${base}/simulator`);
  await look(visit, "simulator-visitor");
  await page.click("text=Feed stale: 503");
  await page.waitForSelector("#result pre");
  expect((await page.textContent("#result")).includes("HTTP 503"), "a visitor is answered");
  expect(await page.isDisabled("#days"), "a visitor moves no clock");
  expect((await page.getAttribute("#share", "href")).startsWith("/simulator?persona=58&check=imsi"), "the state can be shared");
  await page.goto(`${base}/simulator?persona=2&check=imsi&days=30`);
  expect(await page.isVisible("text=The link leads to a later day"), "a link to a later day says that the clock stands still");
  expect(!(await page.getAttribute("#share", "href")).includes("days"), "and is not passed on");
  await look(visit, "simulator-link");
  ok("the simulator answers without an account");
  await visit.context.close();
}

/** The clock and life events change what is told; a reset brings everything back. */
async function world(visit, credentials) {
  const { page } = visit;
  const told = async (what) => {
    await page.waitForFunction((text) => document.querySelector("#result").textContent.includes(text), what);
  };
  await page.click("text=+ 3 months");
  await page.waitForFunction(() => Number(document.querySelector("#days").value) >= 88);
  await page.click("text=+ 1 day");
  await told("No SIM change in the window");
  savedTestPasses(await page.textContent("#saved-curl"), credentials);
  await page.click("button[name=event][value=swap]");
  await told("The SIM was changed on");
  await look(visit, "simulator-moved");
  const swapped = await page.textContent("#saved-curl");
  expect(swapped.includes("/sandbox/v1/clock/advance"), "the saved test sets up its world");
  // The test that ran before has set the world back: this one makes it again.
  savedTestPasses(swapped, credentials);
  ok("saved tests pass, also about a SIM that was changed after the clock was moved");
  await page.click("button[name=do][value=reset]");
  await page.waitForFunction(() => document.querySelector("#days").value === "0");
  await page.click("button[name=do][value=feed-stop]");
  await page.waitForSelector("button[name=do][value=feed-start]");
  await dragged(page);
  await page.click("text=Long-standing, never swapped");
  await told("503.002.02");
  savedTestPasses(await page.textContent("#saved-curl"), credentials);
  ok("a saved test passes about a feed that stopped");
  await page.click("button[name=do][value=reset]");
  await page.waitForFunction(() => document.querySelector("#days").value === "0");
  await page.click("text=Asked too often: 429");
  await told("HTTP 429");
  ok("the clock, life events and a reset change what is told");
}

/** A line of one's own is put, asked about, suspended and resumed, shared without its number, and removed. */
async function ownLine(visit) {
  const { page } = visit;
  await page.fill("#line_number", "mistyped");
  await page.fill("#line_registered", "2024-03-01");
  await page.fill("#line_swapped", "2024-06-01");
  await page.click("button[name=put]");
  await page.waitForSelector("#sim [role=alert]:has-text('expected a number')");
  expect((await page.inputValue("#line_number")) === "mistyped", "a number that is none stays in its form");
  expect((await page.inputValue("#line_swapped")) === "2024-06-01", "and so do its days");
  await look(visit, "simulator-refused");
  await page.fill("#line_number", OWN);
  await page.click("button[name=put]");
  await page.waitForSelector("#own-lines button[name=own][aria-current=true]");
  expect((await page.inputValue("#number")) === OWN, "the line that was put is asked about");
  expect((await page.textContent("#clear-request")).includes(OWN), "the request of the other answer stands beside it");
  await look(visit, "simulator-own-line");
  await page.click("button[name=event][value=suspend]");
  await page.click("button[name=event][value=resume]");
  await page.waitForSelector("button[name=event][value=resume]", { state: "detached" });
  const share = await page.getAttribute("#share", "href");
  expect(/own=254\*+001/.test(share) && !share.includes(OWN), `a link names no number: ${share}`);
  await page.goto(base + share);
  expect((await page.inputValue("#number")) === OWN, "the link leads to the line");
  await page.click("#own-lines button[name=remove]");
  await page.waitForSelector("#own-lines table", { state: "detached" });
  await page.goto(base + share);
  expect(await page.isVisible("#lost-line"), "a link to a line that is gone says so");
  await look(visit, "simulator-lost-line");
  ok("a line of one's own is put, asked about, suspended, resumed, shared and removed");
}

/** The clock is dragged, as a hand does it: the slider tells where it is, and then that it was let go. */
async function dragged(page) {
  const before = await page.textContent("label[for=days] output");
  await page.$eval("#days", (days) => {
    days.value = "10";
    for (const what of ["input", "change"]) days.dispatchEvent(new Event(what, { bubbles: true }));
  });
  await page.waitForFunction((before) => document.querySelector("label[for=days] output").textContent !== before, before);
  const after = await page.textContent("label[for=days]");
  expect(after.includes("10 days ahead of today"), `the clock is where it was dragged to: ${after}`);
  expect((await page.getAttribute("#share", "href")).endsWith("&days=10"), "a link leads there");
  ok("the clock is dragged");
}

/** Runs a saved test as a developer does, with the credentials of the app. */
function savedTestPasses(script, credentials) {
  const cwd = mkdtempSync(path.join(tmpdir(), "laini-saved-test-"));
  const env = { PATH: process.env.PATH, LAINI: base, ...credentials };
  const { status, signal, stdout, stderr } = spawnSync("bash", ["-c", script], { cwd, env, timeout: SAVED_TEST_MS_MAX, encoding: "utf8" });
  rmSync(cwd, { recursive: true });
  expect(status === 0, `the saved test ended with ${status ?? signal}: ${stdout}${stderr}\n${script}`);
}

/** A call with a good token and a bad number, as a client sends it; the id that its answer named. */
async function refused(key, secret) {
  const credentials = Buffer.from(`${key.trim()}:${secret.trim()}`).toString("base64");
  const door = `${base}/oauth/v1/generate?grant_type=client_credentials`;
  const { access_token: token } = await (await fetch(door, { headers: { authorization: `Basic ${credentials}` } })).json();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${base}${IMSI}`, { method: "POST", headers, body: '{"customerNumber": "12345"}' });
  expect(answer.status === 400, `a bad number: ${answer.status}`);
  return (await answer.json()).requestRefID;
}

async function explained(visit, id) {
  const { page } = visit;
  const began = Date.now();
  for (let tries = 0; !page.url().includes(id); tries += 1) {
    expect(tries < TRIES, "a failed call is found by its id");
    await page.goto(`${base}/requests`);
    await page.fill("#find", id);
    await page.click("main form button.primary");
    await page.waitForLoadState();
  }
  expect((await page.textContent(".steps .failed")).includes("Request"), "it says where the call ended");
  expect(await page.isVisible('a[href="/docs/errors/400.002.02"]'), "the error has a page");
  const took = Date.now() - began;
  expect(took <= CAUSE_MS_MAX, `the cause of a failed call was found after ${took} ms`);
  await look(visit, "request-failed");
  ok(`the cause of a failed call was found by its id in ${Math.ceil(took / 1000)} s`);
  await page.click("main button.primary");
  await page.waitForSelector("#result pre");
  expect((await page.textContent("#result")).includes(id), "the replay names the call");
  await look(visit, "simulator-replay");
  await page.goto(`${base}/requests`);
  await look(visit, "requests");
  expect(!(await page.isVisible(".bar .mode")), "the log of all apps is of no one mode");
  await page.selectOption("#app", { label: "Build flow" });
  await page.click("main form[method=get] button");
  await page.waitForSelector(".bar .mode.sandbox");
  await page.goto(`${base}/requests`);
  await page.fill("#find", "254722000054");
  await page.click("main form button.primary");
  await page.waitForSelector("text=254******054");
  expect(!page.url().includes("254722"), "a number is in no URL");
  await look(visit, "requests-of-number");
  await page.goto(`${base}/requests?answered=failed`);
  await page.click("main table td a >> nth=0");
  await page.goto(`${base}/requests?answered=answered`);
  await page.click("main tbody th a >> nth=0");
  await page.waitForSelector(".steps .done");
  await look(visit, "request-answered");
  ok("calls are found by their number, by cause, and replayed in the sandbox");
}

async function webhooks(visit) {
  const { page } = visit;
  await page.goto(`${base}/webhooks`);
  await look(visit, "webhooks-empty");
  const apps = await page.$$eval("#app option", (all) => all.map((one) => [one.value, one.textContent]));
  await page.selectOption("#app", apps.find(([, name]) => name.startsWith("Build flow"))[0]);
  await page.fill("#url", "laini:listen");
  await page.click("#add button.primary");
  await page.waitForSelector("#secret");
  expect((await page.textContent("#secret")).startsWith("whsec_"), "the signing secret is shown once");
  await page.goto(`${base}/webhooks`);
  expect(!(await page.isVisible("#secret")), "and never again");
  await page.fill("#url", "http://192.0.2.1/laini");
  await page.click("#add button.primary");
  expect(await page.isVisible("[role=alert]"), "an address that must not be reached is refused");
  await page.goto(`${base}/apps`);
  await page.click("text=Build flow");
  await page.waitForSelector("#tokens");
  expect(Number(await page.textContent("#tokens")) > 0, "tokens that are good are counted");
  expect(!(await page.textContent("main")).includes("none known"), "the last call is told");
  await look(visit, "app-used");
  await page.click("main a.primary");
  await page.selectOption("#deliver", { index: 1 });
  await page.click("#send");
  await page.waitForSelector("text=Accepted for processing");
  await page.click("text=See its delivery");
  for (let tries = 0; !(await page.isVisible("text=webhook-id")); tries += 1) {
    expect(tries < TRIES, "a delivery is listed");
    await page.reload();
  }
  await look(visit, "webhooks");
  await page.click("main tbody th a.id >> nth=0");
  await page.waitForURL(/webhooks\/deliveries\//);
  expect((await page.textContent("main")).includes("254******002"), "what was sent is told, its number masked");
  await look(visit, "delivery");
  const delivery = page.url();
  await page.click("main dl a.id");
  await page.waitForSelector("#deliveries");
  expect(page.url() !== delivery && (await page.textContent("h1")).includes("laini:listen"), "the address has a page of its own");
  await look(visit, "webhook");
  await page.click("text=Send again");
  await page.waitForURL(delivery);
  ok("a result address is added, a result is delivered to it, and sent again from its page");
}
