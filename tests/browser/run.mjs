// Drives the portal as people do, in a real browser, and looks at every page it comes to:
// axe finds nothing, nothing is wider than the window, the console is silent, no request leaves the server.
//
// LAINI_BASE_URL: a demo server. LAINI_OWNER, LAINI_STAFF: tokens of invitations. LAINI_PICTURES: a folder.
// NODE_PATH does not hold for modules: LAINI_MODULES is where the packages are.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const need = createRequire(path.join(process.env.LAINI_MODULES, "package.json"));
const { chromium } = need("playwright-core");
const axeSource = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");

const base = process.env.LAINI_BASE_URL;
const pictures = process.env.LAINI_PICTURES;
const PASSWORD = "four words walk home";
const FIRST_LOAD_BYTES_MAX = 100 * 1024;
const FIRST_PAINT_MS_MAX = 1000;
const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 800 }];

let passed = 0;
/** What was found on pages that were looked at; told all together, so that one run shows all of it. */
const wrong = [];
const fail = (what) => { throw new Error(what); };
const expect = (truth, what) => truth || fail(what);
const ok = (what) => { passed += 1; console.log(`${what} ... ok`); };

const browser = await chromium.launch({ executablePath: process.env.LAINI_CHROMIUM, args: ["--no-sandbox"] });

/** A browser of somebody's own, in which anything wrong ends the run. */
async function visitor(options = {}) {
  const context = await browser.newContext({ viewport: SIZES[0], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => fail(`script on ${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A refused form is an answer with its own status, which the console tells too.
    if (message.type() === "error" && !message.text().includes("the server responded with a status")) {
      fail(`console on ${page.url()}: ${message.text()}`);
    }
  });
  page.on("dialog", () => fail(`a dialog on ${page.url()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("data:")) fail(`a request to ${url}`);
  });
  return { context, page };
}

/** Looks at the page as it is: accessible, no wider than its window, and a picture of it at each width. */
async function look({ context, page }, name) {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > size.width) wrong.push(`${name} is ${width} px wide in a window of ${size.width}`);
    await page.screenshot({ path: path.join(pictures, `${name}-${size.width}.png`), fullPage: true });
    const devtools = await context.newCDPSession(page);
    const { result, exceptionDetails } = await devtools.send("Runtime.evaluate", {
      expression: `${axeSource}; axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
        .then(({ violations }) => JSON.stringify(violations.map((one) => [one.id, one.nodes.map((node) => node.html)])))`,
      awaitPromise: true,
      returnByValue: true,
    });
    expect(!exceptionDetails, `axe did not run on ${name}`);
    if (result.value !== "[]") wrong.push(`axe on ${name} at ${size.width} px: ${result.value}`);
    await devtools.detach();
  }
  await page.setViewportSize(SIZES[0]);
  passed += 1;
}

async function accept(somebody, token) {
  const { page } = somebody;
  await page.goto(`${base}/invitation#${token}`);
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/`);
}

/** Public pages, in both themes and languages. */
async function everybody() {
  const visit = await visitor();
  const { page } = visit;
  let bytes = 0;
  const devtools = await visit.context.newCDPSession(page);
  await devtools.send("Network.enable");
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(`${base}/`);
  expect(bytes <= FIRST_LOAD_BYTES_MAX, `the first load is ${bytes} bytes`);
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const paint = await (await page.waitForFunction(painted)).jsonValue();
  expect(paint <= FIRST_PAINT_MS_MAX, `the first paint comes after ${paint} ms`);
  ok(`the first load is ${Math.round(bytes / 1024)} KiB and paints after ${Math.round(paint)} ms`);
  await look(visit, "home");
  // The first answer without an account: one click.
  await page.click("text=SIM changed today");
  await page.waitForSelector("#result section");
  expect((await page.textContent("#result")).includes("The SIM was changed on"), "the answer says when");
  await look(visit, "home-answer");
  ok("the first answer takes one click");
  await page.fill("#number", "12345");
  await page.click("main button.primary");
  await page.goto(`${base}/products`);
  await look(visit, "products");
  await page.goto(`${base}/docs`);
  const guide = await page.$$eval(".rail a", (links) => links.map((link) => link.getAttribute("href")));
  expect(guide.length > 20, "the guide has its pages");
  for (const href of guide) {
    await page.goto(base + href);
    await look(visit, `docs-${path.basename(href)}`);
  }
  await page.goto(`${base}/docs/errors/404.002.01`);
  await look(visit, "error-page");
  await page.goto(`${base}/docs/nothing`);
  await look(visit, "not-found");
  await page.goto(`${base}/sign-in`);
  await look(visit, "sign-in");
  await page.fill("#email", "nobody@bank.example");
  await page.fill("#password", "not the password at all");
  await page.click("main button.primary");
  expect(await page.isVisible("[role=alert]"), "a wrong password is told");
  await page.goto(`${base}/`);
  await page.click("text=Kiswahili");
  await page.waitForSelector("html[lang=sw]");
  await page.click(".foot button[name=theme]");
  await page.waitForSelector("html[data-theme=dark]");
  await look(visit, "home-kiswahili-dark");
  await visit.context.close();
  const plain = await visitor({ javaScriptEnabled: false });
  await plain.page.goto(`${base}/`);
  await plain.page.click(".personas button >> nth=1");
  expect((await plain.page.textContent("#result")).includes("No SIM change"), "a form works without scripts");
  ok("the look-up works without scripts");
  await plain.context.close();
}

/** A bank's owner: an app with its keys, the guide with them, the desk and its thresholds. */
async function owner() {
  const visit = await visitor();
  const { page } = visit;
  await accept(visit, process.env.LAINI_OWNER);
  await page.goto(`${base}/apps`);
  await look(visit, "apps");
  await page.fill("#name", "Cheque desk");
  await page.click("#create button.primary");
  await page.waitForSelector("#secret");
  const key = await page.textContent("#key");
  await look(visit, "app-new");
  await page.goto(page.url());
  await page.goto(`${base}/docs/getting-started`);
  expect(!(await page.textContent("article")).includes("YOUR_CONSUMER_KEY"), "the guide shows the reader's own key");
  ok("an app is made, and the guide shows its key");
  const desk = async (number, expected) => {
    await page.goto(`${base}/desk`);
    const apps = await page.$$eval("#app option", (all) => all.map((one) => [one.value, one.textContent]));
    await page.selectOption("#app", apps.find(([, name]) => name.includes("sandbox"))[0]);
    await page.fill("#number", number);
    await page.fill("#reference", "cheque 4711");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".verdict");
    const word = await page.textContent(".verdict .word");
    expect(word.startsWith(expected), `${number}: ${word}`);
    expect(!(await page.textContent("main")).includes(number), "the number is masked");
  };
  await page.goto(`${base}/desk`);
  await look(visit, "desk");
  for (const [number, expected, name] of [
    ["254722000001", "Allow", "desk-allow"],
    ["254722000003", "Step up", "desk-step-up"],
    ["254722000002", "Hold: the SIM was changed today", "desk-hold"],
    ["254722000040", "Hold: the number is not served", "desk-not-served"],
    ["254722000042", "Hold", "desk-withheld"],
  ]) {
    await desk(number, expected);
    await look(visit, name);
  }
  ok("the desk gives a verdict for each kind of number, and an unknown is never allowed");
  await page.goto(`${base}/desk/settings`);
  await look(visit, "desk-settings");
  await page.fill("#swap_hold_days", "30");
  await page.fill("#swap_step_up_days", "60");
  await page.fill("#canaries", "254722000001");
  await page.click("main button.primary");
  await page.waitForURL(/saved/);
  await desk("254722000003", "Hold: the SIM was changed 30 days ago");
  ok("the bank's own thresholds decide");
  await page.goto(`${base}/onboarding`);
  await look(visit, "onboarding");
  await page.goto(`${base}/account`);
  await look(visit, "account");
  await page.click("text=Set it up");
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForSelector("#factor");
  await look(visit, "second-factor");
  await page.fill("#code", "000000");
  await page.click("main button.primary");
  expect(await page.isVisible("[role=alert]"), "a wrong code is told, and asked for again");
  const other = await page.goto(`${base}/partners/0000000000000001`);
  expect(other.status() === 404, "another partner is not there");
  const staff = await page.goto(`${base}/operate/partners`);
  expect(staff.status() === 403, "the operator's pages are not a partner's");
  await look(visit, "forbidden");
  await page.click("text=Sign out");
  await page.goto(`${base}/apps`);
  expect(page.url().includes("/sign-in"), "after signing out there is the door");
  ok(`${key.slice(0, 4)}… is nobody's any more after signing out`);
  await visit.context.close();
}

/** The operator's staff: a partner's papers, its agreement, both signatures. */
async function staff() {
  const visit = await visitor();
  const { page } = visit;
  await accept(visit, process.env.LAINI_STAFF);
  await page.goto(`${base}/operate/partners`);
  await look(visit, "partners");
  await page.click("main .primary");
  await page.waitForURL(/partners\//);
  await look(visit, "partner");
  await page.fill("#text", "Please add the certificate.");
  await page.click("form[action$=comment] button");
  await page.waitForSelector("text=Please add the certificate.");
  await page.click("button:has-text('Take up the review')");
  await page.waitForSelector("[aria-current=step]:has-text('Under review')");
  ok("a partner is taken up and told what is missing");
  await visit.context.close();
}

/** Pages on which people write. */
const WRITTEN_ON = ["/", "/apps", "/desk", "/desk/settings", "/onboarding", "/sign-in", "/forgotten", "/invitation", "/reset"];

/** The forms of the page as it is: where each goes, and its fields with what stands in them. */
const forms = (page) => page.$$eval("main form", (all) => all.map((form) => ({
  action: form.action,
  method: form.method,
  texts: [...form.querySelectorAll("input:not([type=hidden],[type=checkbox],[type=radio],[type=file]), textarea")].map((one) => one.name),
  others: [...new FormData(form)].filter(([, value]) => typeof value === "string"),
})).filter(({ texts }) => texts.length));

/** Every text field takes what would run, and nothing runs: a dialog or a script error ends the run. */
async function hostile() {
  const payloads = readFileSync(new URL("hostile.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
  expect(payloads.length >= 50, `only ${payloads.length} hostile payloads`);
  const visit = await visitor();
  const { page } = visit;
  await page.goto(`${base}/sign-in`);
  await page.fill("#email", "owner@bank.example");
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/`);
  let fields = 0;
  for (const at of WRITTEN_ON) {
    await page.goto(base + at);
    const origin = { origin: base, referer: base + at };
    for (const { action, method, texts, others } of await forms(page)) {
      for (const payload of payloads) {
        const form = { ...Object.fromEntries(others), ...Object.fromEntries(texts.map((name) => [name, payload])) };
        const sent = method === "get" ? { params: form } : { form };
        const answer = await visit.context.request.fetch(action, { method, headers: origin, ...sent });
        // Shown under the page's own policy, as the browser would show it.
        await page.setContent(await answer.text());
        expect((await page.evaluate(() => window.laini_ran)) !== true, `${at} ran ${payload}`);
        fields += texts.length;
      }
    }
  }
  for (const payload of payloads) {
    await page.goto(`${base}/sign-in?next=${encodeURIComponent(payload)}`);
    expect((await page.evaluate(() => window.laini_ran)) !== true, `the way back ran ${payload}`);
    fields += 1;
  }
  ok(`${fields} hostile texts ran nothing`);
  await visit.context.close();
}

await everybody();
await owner();
await staff();
await hostile();
await browser.close();
expect(wrong.length === 0, wrong.join("\n"));
console.log(`browser checks passed: ${passed}`);
