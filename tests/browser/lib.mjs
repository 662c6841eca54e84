// What every flow needs: a browser of somebody's own in which anything wrong ends the run, and a look at a page:
// axe finds nothing, nothing is wider than the window, and a picture of it is left at each width in each theme.

import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

const need = createRequire(path.join(process.env.LAINI_MODULES, "package.json"));
const { chromium } = need("playwright-core");
const axeSource = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");

export const base = process.env.LAINI_BASE_URL;
const pictures = process.env.LAINI_PICTURES;
export const PASSWORD = "four words walk home";
/** What comes by itself, such as a letter, and what a page does come within so long, on a busy machine, too. */
const WAIT_MS = 30_000;
/** The picture of a long page on a busy machine takes so long at most. */
const PICTURE_MS_MAX = 60_000;
/** The first paint of a page comes within so long. */
const FIRST_PAINT_MS_MAX = 1000;
export const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 800 }];
/** What axe asks in each theme, and what ends the name of its pictures. In the dark, only the colours are others. */
const THEMES = [
  { theme: "light", ending: "", rules: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
  { theme: "dark", ending: "-dark", rules: ["color-contrast"] },
];

/**
 * Every page and form of the table of access: its method, its path with ids in braces, and whether an address is its.
 * Those that name most come first: what several could be is the first of them.
 */
export const routes = readFileSync(process.env.LAINI_ACCESS, "utf8").split("\n").map((line) => line.split(/\s+/))
  .filter(([method]) => ["GET", "POST"].includes(method))
  .map(([method, path]) => {
    const plain = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
    const form = new RegExp(`^${plain.replace(/\{\w+\}/g, "[^/]+")}$`);
    return { method, path, matches: (pathname) => form.test(pathname) };
  })
  .sort((one, other) => one.path.split("{").length - other.path.split("{").length);

/** The paths of pages that were looked at as they are when somebody goes there. */
export const looked = new Set();
/** How many checks passed. */
export const count = { passed: 0 };
/** What was found on pages that were looked at; told all together, so that one run shows all of it. */
export const wrong = [];
export const fail = (what) => { throw new Error(what); };
export const expect = (truth, what) => truth || fail(what);
export const ok = (what) => { count.passed += 1; console.log(`${what} ... ok`); };

export const browser = await chromium.launch({ executablePath: process.env.LAINI_CHROMIUM, args: ["--no-sandbox"] });

/** A browser of somebody's own, in which anything wrong ends the run; `elsewhere`: the one other host that it goes to. */
export async function visitor({ elsewhere = base, ...options } = {}) {
  // Without motion a picture shows a page as it is, and not on its way there.
  const context = await browser.newContext({ viewport: SIZES[0], reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  // Whether what was last shown at an address is its page, and no answer to a form and no refusal.
  const arrived = new Map();
  page.on("response", (response) => {
    const request = response.request();
    if (request.isNavigationRequest()) arrived.set(response.url(), request.method() === "GET" && response.status() === 200);
  });
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
    if (![base, elsewhere, "data:"].some((start) => url.startsWith(start))) fail(`a request to ${url}`);
  });
  return { context, page, arrived };
}

/** Looks at the page as it is: accessible, no wider than its window, and a picture of it at each width in each theme. */
export async function look({ context, page, arrived }, name) {
  const at = new URL(page.url());
  at.hash = "";
  if (arrived.get(at.href)) looked.add(at.pathname);
  for (const { theme, ending, rules } of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > size.width) wrong.push(`${name} is ${width} px wide in a window of ${size.width}`);
      const picture = path.join(pictures, `${name}-${size.width}${ending}.png`);
      await page.screenshot({ path: picture, fullPage: true, timeout: PICTURE_MS_MAX });
      const found = await axe(context, page, rules);
      if (found !== "[]") wrong.push(`axe on ${name} at ${size.width} px, ${theme}: ${found}`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(SIZES[0]);
  count.passed += 1;
}

/** What axe finds on a page by some rules, or by all of some kinds. */
async function axe(context, page, rules) {
  const devtools = await context.newCDPSession(page);
  const { result, exceptionDetails } = await devtools.send("Runtime.evaluate", {
    expression: `${axeSource}; axe.run({ runOnly: ${JSON.stringify(rules)} })
      .then(({ violations }) => JSON.stringify(violations.map((one) => [one.id, one.nodes.map((node) => node.html)])))`,
    awaitPromise: true,
    returnByValue: true,
  });
  expect(!exceptionDetails, `axe did not run on ${page.url()}`);
  await devtools.detach();
  // What axe left on elements that it looked behind; a swap would copy it, which the page's policy forbids.
  await page.evaluate(() => document.querySelectorAll('[style=""]').forEach((one) => one.removeAttribute("style")));
  return result.value;
}

/** That the page, which was just gone to, was painted in time. */
export async function paintedInTime(page) {
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const paint = Math.round(await (await page.waitForFunction(painted)).jsonValue());
  const { pathname } = new URL(page.url());
  expect(paint <= FIRST_PAINT_MS_MAX, `the first paint of ${pathname} comes after ${paint} ms`);
  ok(`${pathname} paints after ${paint} ms`);
}

/** Counts from here on what is clicked on a page: its `clicks`. */
export function counted(page) {
  const counts = { clicks: 0 };
  const click = page.click.bind(page);
  page.click = (...what) => {
    counts.clicks += 1;
    return click(...what);
  };
  return counts;
}

export async function accept(somebody, token) {
  const { page } = somebody;
  await page.goto(`${base}/invitation#${token}`);
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/`);
}

export async function signIn(somebody, email) {
  const { page } = somebody;
  await page.goto(`${base}/sign-in`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/`);
}

/** Asks again until there is something. */
export async function until(page, what, ask, patienceMs = WAIT_MS) {
  for (const began = Date.now(); Date.now() - began < patienceMs;) {
    const found = await ask();
    if (found) return found;
    await page.waitForTimeout(250);
  }
  throw new Error(`there is no ${what} after ${patienceMs} ms`);
}

/** The token of the newest letter to somebody. */
export function letterTo(page, email) {
  const dir = process.env.LAINI_LETTERS;
  return until(page, `letter to ${email}`, () => {
    let files = [];
    try { files = readdirSync(dir).filter((name) => name.endsWith(".eml")).sort().reverse(); } catch { return null; }
    const texts = files.map((name) => readFileSync(path.join(dir, name), "utf8").replace(/=\r?\n/g, ""));
    return texts.find((text) => text.includes(email))?.match(/laini_t_[0-9a-zA-Z_]+/)?.[0];
  });
}
