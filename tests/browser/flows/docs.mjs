import { base, expect, look, ok, visitor } from "../lib.mjs";

/** The documentation: the reference, search, the assistant, error pages, papers, downloads; in both languages. */
export async function docs() {
  const visit = await visitor();
  const { page } = visit;

  await page.goto(`${base}/docs/how-it-works`);
  expect(await page.isVisible("svg.diagram"), "the sequence is drawn");
  await page.click("#sequence-words summary");
  expect((await page.$$("#sequence-words li")).length > 5, "and told in words");
  await look(visit, "docs-diagram");

  await page.goto(`${base}/docs/reference`);
  expect((await page.$$(".operations tr")).length > 100, "every operation is listed");
  await look(visit, "reference");
  await page.click(".operations a[href='/docs/reference/create_checks']");
  await page.waitForSelector("#answers");
  await look(visit, "reference-operation");
  await page.click("main a[href^='/docs/reference/shapes/'] >> nth=0");
  await page.waitForURL(/shapes/);
  await look(visit, "reference-shape");
  ok("the reference leads from an operation to its shapes");

  await page.goto(`${base}/docs/overview`);
  await page.keyboard.press("/");
  await page.keyboard.type("idempotency key");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".found li");
  expect((await page.textContent(".found li >> nth=0")).includes("Idempotency-Key"), "the passage is quoted");
  await look(visit, "search");
  await page.click(".found a >> nth=0");
  await page.waitForSelector("h1");
  await page.goto(`${base}/docs/search?q=xyzzyplugh`);
  await look(visit, "search-nothing");
  ok("a slash searches, and a passage leads to its page");

  // The drawer, over another page, by keyboard.
  await page.goto(`${base}/products`);
  await page.click(".bar >> text=Ask");
  await page.waitForSelector("dialog[open] #question");
  await page.fill("#question", "What does a repeat cost?");
  await page.click("dialog button.primary");
  await page.waitForSelector("dialog .found li");
  expect((await page.textContent("dialog .quote >> nth=0")).includes("Nothing"), "the answer quotes the page");
  await look(visit, "ask-drawer");
  await page.keyboard.press("Escape");
  expect(!(await page.isVisible("dialog")), "Escape closes the drawer");
  await page.goto(`${base}/ask`);
  await look(visit, "ask");
  await page.fill("#question", "Which airline flies to Kisumu on Sundays?");
  await page.click("main button.primary");
  await page.waitForSelector("#answer .note");
  expect((await page.textContent("#answer")).includes("no answer"), "what it does not know it says");
  await look(visit, "ask-unknown");
  await page.fill("#question", "what became of 971f-4359-b611-6845a1be45ef280786?");
  await page.click("main button.primary");
  await page.waitForSelector("#answer a[href^='/sign-in']");
  ok("the assistant quotes what it knows, and says what it does not");

  for (const code of ["404.002.01", "503.002.02", "401.002.01"]) {
    await page.goto(`${base}/docs/errors/${code}`);
    const text = await page.textContent("article");
    for (const said of ["what to do", "repeat?", "charged?", "seen in the sandbox with"]) {
      expect(text.includes(said), `${code} says: ${said}`);
    }
  }
  ok("error pages say all of it");

  for (const [name, size] of [["openapi.json", 500_000], ["postman.json", 50_000]]) {
    const answer = await visit.context.request.get(`${base}/${name}`);
    const body = await answer.body();
    expect(answer.status() === 200 && body.length > size, `${name} has ${body.length} bytes`);
    JSON.parse(body);
  }
  await page.goto(`${base}/docs/reference`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("main >> text=Postman")]);
  expect(download.suggestedFilename().includes("postman"), "the collection is saved");
  ok("the document and the collection are downloaded");

  await page.goto(`${base}/docs/getting-started`);
  expect((await page.textContent("article")).includes(`"${base}/imsi/v1/checkATI"`), "code asks the reader's own server");
  await page.click("main button[name=code][value=python]");
  await page.waitForSelector("article input[value=Python]:checked", { state: "attached" });
  await page.goto(`${base}/simulator`);
  await page.click("#elsewhere summary");
  expect(await page.isVisible("#elsewhere pre:has-text('requests.post')"), "the language that was chosen is open elsewhere, too");
  await look(visit, "simulator-terminal");
  await page.goto(`${base}/`);
  await page.click(".personas button >> nth=0");
  await page.click("#result summary");
  expect(await page.isVisible("#result pre:has-text('requests.post')"), "and beside the first answer");
  await look(visit, "home-answer-terminal");
  ok("a language of code is chosen once, and a check is shown in it wherever it is asked");

  for (const name of ["changelog", "terms", "privacy"]) {
    await page.goto(`${base}/${name}`);
    await look(visit, name);
  }
  await page.goto(`${base}/ask`);
  await page.click(".foot button[name=language]");
  await page.waitForSelector("html[lang=sw]");
  await look(visit, "ask-kiswahili");
  await page.goto(`${base}/docs/getting-started`);
  expect((await page.getAttribute("html", "lang")) === "sw", "the page around the guide is in Kiswahili");
  expect((await page.getAttribute("article", "lang")) === "en", "and says that the guide is in English");
  await page.goto(`${base}/docs/reference/create_checks`);
  await page.click(".foot button[name=theme]");
  await page.waitForSelector("html[data-theme=dark]");
  await look(visit, "reference-operation-kiswahili-dark");
  await page.goto(`${base}/docs/how-it-works`);
  await look(visit, "docs-diagram-dark");
  await visit.context.close();

  const plain = await visitor({ javaScriptEnabled: false });
  await plain.page.goto(`${base}/`);
  await plain.page.click(".bar >> text=Ask");
  await plain.page.fill("#question", "Is a 404 a good sign?");
  await plain.page.click("main button.primary");
  expect((await plain.page.textContent("#answer")).includes("not served"), "a question is answered without scripts");
  ok("the assistant works without scripts");
  await plain.context.close();
}
