import { accept, base, expect, letterTo, look, ok, signIn, visitor } from "../lib.mjs";
import { readFileSync } from "node:fs";

const SECOND = "second@mobile.example";
const NUMBER = "254722000001";
/** One that no other flow asks about. */
const RESTRICTED = "254722000098";

/** What becomes of a call and of a privacy request: carried out on its page, and seen by staff as by the partner. */
export async function privacy() {
  const [first, second] = [await visitor(), await visitor()];
  await signIn(first, "staff@mobile.example");
  await first.page.goto(`${base}/operate/staff`);
  await first.page.fill("#email", SECOND);
  await first.page.fill("#name", "W. Otieno");
  await first.page.selectOption("#role", "admin");
  await first.page.click("#invite button.primary");
  await accept(second, await letterTo(first.page, SECOND));
  await exported(first, second);
  await erased(first, second);
  await restricted(first, second);
  await reported(first);
  const call = await seen();
  await told(first, call);
  for (const visit of [first, second]) await visit.context.close();
}

/** A request that one took down and checked, and the other approved, on the page of the other. */
async function approved(first, second, action, number = NUMBER) {
  const { page } = second;
  await page.goto(`${base}/operate/privacy`);
  await page.fill("#number", number);
  await page.selectOption("#action", action);
  await page.fill("#reason", `case of ${action}`);
  await page.click("main button.primary");
  await page.waitForURL(/privacy\/[0-9a-f]{16}$/);
  await page.fill("#number", number);
  await page.click("button:has-text('Note it')");
  await page.waitForSelector("button:has-text('Approve')");
  await first.page.goto(page.url());
  const again = first.page.locator("form[action$='/approve'] #number");
  if (await again.count()) await again.fill(number);
  await first.page.fill("#reason", "the papers fit");
  const hold = first.page.locator("input[name=override_hold]");
  if (await hold.count()) await hold.check();
  await first.page.click("button.primary:has-text('Approve')");
}

async function exported(first, second) {
  await approved(first, second, "export");
  const { page } = first;
  await page.waitForSelector("h2:has-text('Carry it out')");
  await look(first, "privacy-carry-out");
  await page.fill("#number", "254722000002");
  await page.click("button:has-text('Carry it out')");
  expect((await page.textContent("[role=alert]")).includes("another number"), "the number is compared");
  await page.fill("#number", NUMBER);
  await page.click("button:has-text('Carry it out')");
  await page.waitForSelector(".tag:has-text('done')");
  await look(first, "privacy-dossier");
  const take = async (name) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click(`button:has-text('${name}')`)]);
    return readFileSync(await file.path(), "utf8");
  };
  expect((await take("Take the paper")).includes(NUMBER), "the paper is about the number");
  expect(JSON.parse(await take("Take the JSON")).number === NUMBER, "the JSON is about the number");
  await page.reload();
  await page.waitForSelector("dt:has-text('How it ended')");
  expect(!(await page.content()).includes(NUMBER), "no page shows the number");
  ok("an export is carried out on its page, and ends when it is taken");
}

async function erased(first, second) {
  await approved(first, second, "erase");
  const { page } = first;
  await page.waitForSelector("h2:has-text('Carry it out')");
  await page.fill("#number", NUMBER);
  await page.selectOption("#holdings", "all");
  await page.click("button:has-text('Carry it out')");
  await page.waitForSelector("h3:has-text('What stays')");
  await look(first, "privacy-erased");
  ok("an erasure is carried out on its page, which says what stays");
}

async function restricted(first, second) {
  await approved(first, second, "restrict", RESTRICTED);
  await first.page.waitForSelector("dt:has-text('How it ended')");
  expect(!(await first.page.content()).includes(RESTRICTED), "no page shows the number");
  ok("a restriction is made with its approval, for which the number is typed again");
}

async function reported(first) {
  const { page } = first;
  await page.goto(`${base}/operate/privacy`);
  await page.click("summary:has-text('Who asked about whom')");
  await page.fill("#why", "notice 17");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("button:has-text('Download CSV')")]);
  expect(readFileSync(await file.path(), "utf8").startsWith("at,partner,"), "the report has a head");
  await page.waitForSelector("#report strong:has-text('done')");
  await look(first, "privacy-report");
  await page.goto(`${base}/operate/privacy?show=all&sort=received`);
  const list = await first.context.request.get(base + (await page.getAttribute("main a[href*='privacy.csv']", "href")));
  const requests = await list.text();
  expect(/,erase,done,/.test(requests) && !requests.includes(NUMBER), `the requests are a file without numbers: ${requests}`);
  ok("a report says beside its download how far it is");
}

/** A member asks why a call failed; its id. */
async function seen() {
  const owner = await visitor();
  await signIn(owner, "owner@bank.example");
  await owner.page.goto(`${base}/requests?answered=failed`);
  const id = (await owner.page.getAttribute("main tbody th a", "href")).split("/").pop();
  await owner.page.goto(`${base}/ask`);
  await owner.page.fill("#question", `Why did ${id} fail?`);
  await owner.page.click("main button.primary");
  await owner.page.waitForSelector("text=It failed at the step");
  await owner.page.waitForSelector("a[href^='/docs/errors/']");
  await look(owner, "ask-failed");
  await owner.page.click("a:has-text('Look it up among your requests')");
  await owner.page.waitForSelector("#call");
  await owner.context.close();
  return id;
}

async function told(first, id) {
  const { page } = first;
  await page.goto(`${base}/ask`);
  await page.fill("#question", `Kwa nini ombi ${id} lilishindwa?`);
  await page.click("main button.primary");
  await page.click("a[href*='/requests/']");
  await page.waitForSelector("#call");
  expect(/\/partners\/[0-9a-f]{16}\/requests\//.test(page.url()), `staff look under the partner: ${page.url()}`);
  await look(first, "partner-request");
  await page.click("main p a >> nth=0");
  await page.waitForSelector(".tabs a[aria-current=page]:has-text('Requests')");
  await look(first, "partner-requests");
  await page.fill("#find", id);
  await page.click("button:has-text('Find')");
  await page.waitForSelector("#call");
  ok("staff see a call as its partner does, and the assistant leads there");
}
