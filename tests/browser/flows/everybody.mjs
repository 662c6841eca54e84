import { base, counted, expect, look, ok, paintedInTime, visitor } from "../lib.mjs";
import path from "node:path";

const FIRST_LOAD_BYTES_MAX = 100 * 1024;
/** From the address of the pages to the first answer, without an account. */
const FIRST_ANSWER_MS_MAX = 60_000;
const FIRST_ANSWER_CLICKS_MAX = 3;
/** How the guide calls an error. */
const CODE = /^\d{3}\.\d{3}\.\d{2}$/;

/** Public pages, in both themes and languages. */
export async function everybody() {
  await firstAnswer();
  const visit = await visitor();
  const { page } = visit;
  let bytes = 0;
  const devtools = await visit.context.newCDPSession(page);
  await devtools.send("Network.enable");
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(`${base}/`);
  expect(bytes <= FIRST_LOAD_BYTES_MAX, `the first load is ${bytes} bytes`);
  ok(`the first load is ${Math.round(bytes / 1024)} KiB`);
  await paintedInTime(page);
  await look(visit, "home");
  expect(await page.isVisible(".bar .mode.sandbox"), "the bar says that numbers are tried in the sandbox");
  await page.click("text=SIM changed today");
  await page.waitForSelector("#result section");
  expect((await page.textContent("#result")).includes("The SIM was changed on"), "the answer says when");
  await look(visit, "home-answer");
  await page.fill("#number", "12345");
  await page.click("main button.primary");
  await page.goto(`${base}/products`);
  await look(visit, "products");
  await page.goto(`${base}/docs`);
  await paintedInTime(page);
  const guide = await page.$$eval(".rail a", (links) => links.map((link) => link.getAttribute("href")));
  expect(guide.length > 20, "the guide has its pages");
  for (const href of guide) {
    await page.goto(base + href);
    await look(visit, `docs-${path.basename(href)}`);
  }
  await errors(page);
  await page.goto(`${base}/docs/errors/404.002.01`);
  await look(visit, "error-page");
  await page.goto(`${base}/docs/nothing`);
  await look(visit, "not-found");
  for (const name of ["forgotten", "invitation", "reset"]) {
    await page.goto(`${base}/${name}`);
    await look(visit, name);
  }
  await page.goto(`${base}/sign-in`);
  await look(visit, "sign-in");
  await page.fill("#email", "nobody@bank.example");
  await page.fill("#password", "not the password at all");
  await page.click("main button.primary");
  expect(await page.isVisible("[role=alert]"), "a wrong password is told");
  await page.goto(`${base}/`);
  await page.click(".foot button[name=language]");
  await page.waitForSelector("html[lang=sw]");
  await page.click(".foot button[name=theme]");
  await page.waitForSelector("html[data-theme=dark]");
  await look(visit, "home-kiswahili-dark");
  await page.fill("#number", "12345");
  await page.click("main button.primary");
  await page.waitForSelector("[role=alert]:has-text('si namba ya simu')");
  ok("what is refused is said in Kiswahili, too");
  await visit.context.close();
  const plain = await visitor({ javaScriptEnabled: false });
  await plain.page.goto(`${base}/`);
  await plain.page.click(".personas button >> nth=1");
  expect((await plain.page.textContent("#result")).includes("No SIM change"), "a form works without scripts");
  ok("the look-up works without scripts");
  await plain.context.close();
}

/** A stranger comes to the first page, and goes to the first answer. */
async function firstAnswer() {
  const visit = await visitor();
  const { page } = visit;
  const counts = counted(page);
  const began = Date.now();
  await page.goto(`${base}/`);
  await page.click("text=SIM changed today");
  await page.waitForSelector("#result section");
  expect((await page.textContent("#result")).includes("The SIM was changed on"), "the first answer says when");
  const took = Date.now() - began;
  expect(took <= FIRST_ANSWER_MS_MAX, `the first answer took ${took} ms`);
  expect(counts.clicks <= FIRST_ANSWER_CLICKS_MAX, `the first answer took ${counts.clicks} clicks`);
  ok(`the first answer takes a stranger ${(took / 1000).toFixed(1)} s and ${counts.clicks} of ${FIRST_ANSWER_CLICKS_MAX} clicks`);
  await visit.context.close();
}

/** Every code of the guide has a page of its own. */
async function errors(page) {
  await page.goto(`${base}/docs/errors`);
  const codes = (await page.locator("article h2").allTextContents()).filter((title) => CODE.test(title));
  expect(codes.length > 20, `only ${codes.length} error codes`);
  for (const code of codes) {
    const answer = await page.goto(`${base}/docs/errors/${code}`);
    expect(answer.status() === 200 && (await page.textContent("article h1")) === code, `the page of ${code}`);
  }
  ok(`${codes.length} error codes have a page each`);
}
