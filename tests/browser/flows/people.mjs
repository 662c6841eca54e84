import { PASSWORD, accept, base, expect, letterTo, look, ok, until, visitor } from "../lib.mjs";
import { readFileSync } from "node:fs";

const COMPANY = "Riverside Bank";
const OWNER = "owner@riverside.example";
/** A run's step shows within so long. */
const WAIT_MS = 30_000;
/** From the first page to the first answer of one's own key. */
const OWN_KEY_MS_MAX = 180_000;
/** What a complete partner takes the operator. */
const REVIEW_MS_MAX = 600_000;
const PDF = Buffer.from("%PDF-1.7\n1 0 obj\n<< >>\nendobj\nstartxref\n9\n%%EOF\n");

/** One form of the page, by where it goes. */
const press = (page, action) => page.click(`main form[action$="${action}"] button`);

async function token(key, secret) {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString("base64")}`;
  const answer = await fetch(`${base}/oauth/v1/generate?grant_type=client_credentials`, { headers: { authorization } });
  expect(answer.status === 200, `a token: ${answer.status}`);
  return (await answer.json()).access_token;
}

function check(bearer, number, headers = {}) {
  return fetch(`${base}/imsi/v1/checkATI`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ customerNumber: number }),
  });
}

/** From registering to production: both sides of the road, through pages and the real gateway. */
export async function people() {
  const owner = await visitor();
  const staff = await visitor();
  const keys = await register(owner);
  await handIn(owner);
  const partner = await review(staff);
  await signTheirs(owner);
  await goLive(owner, staff, keys, partner);
  await team(owner);
  await operate(staff, partner);
  await owner.context.close();
  await staff.context.close();
}

async function register(visit) {
  const { page } = visit;
  const began = Date.now();
  await page.goto(`${base}/register`);
  await look(visit, "register");
  await page.fill("#company", COMPANY);
  await page.fill("#name", "A. Wanjiru");
  await page.fill("#email", OWNER);
  await page.check("main form input[type=checkbox]");
  await page.click("main button.primary");
  await page.waitForURL(/sent/);
  await look(visit, "register-sent");
  await page.goto(`${base}/registration#${await letterTo(page, OWNER)}`);
  await look(visit, "registration");
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.waitForURL(`${base}/apps`);
  await page.fill("#name", "Cheque desk");
  await page.click("#create button.primary");
  await page.waitForSelector("#secret");
  const keys = { key: await page.textContent("#key"), secret: await page.textContent("#secret") };
  const bearer = await until(page, "token", () => token(keys.key, keys.secret).catch(() => null));
  const answer = await check(bearer, "254722000001");
  expect(answer.status === 200, `the first answer is ${answer.status}`);
  const took = Date.now() - began;
  expect(took <= OWN_KEY_MS_MAX, `own account and key took ${took} ms`);
  ok(`a stranger has an account, a key and an answer after ${Math.round(took / 1000)} s`);
  return keys;
}

async function handIn(visit) {
  const { page } = visit;
  await page.goto(`${base}/onboarding`);
  await look(visit, "onboarding-new");
  await page.click("main a.primary");
  await page.waitForURL(/organisation/);
  const texts = {
    legal_name: "Riverside Bank Limited", registration_number: "PVT-2019/4711", kra_pin: "P051234567Z",
    data_protection_number: "ODPC-2211", data_protection_expires: "2031-12-31", physical_address: "River Road 7, Nairobi",
    billing_name: "B. Otieno", billing_email: "billing@riverside.example",
    technical_name: "C. Mwangi", technical_email: "tech@riverside.example",
  };
  await page.fill("#kra_pin", "nonsense");
  await page.click("main button.primary");
  expect(await page.isVisible("[role=alert]"), "a PIN that is none is told");
  for (const [name, text] of Object.entries(texts)) await page.fill(`#${name}`, text);
  await page.click("main button.primary");
  await page.waitForURL(/saved/);
  await page.selectOption("#purpose", "tax_pin");
  await page.setInputFiles("#file", { name: "pin.pdf", mimeType: "application/pdf", buffer: Buffer.from("no PDF") });
  await press(page, "/documents");
  expect((await page.textContent("[role=alert]")).includes("it is"), "what is no PDF is told");
  for (const purpose of ["incorporation", "tax_pin", "data_protection"]) {
    await page.selectOption("#purpose", purpose);
    await page.setInputFiles("#file", { name: `${purpose}.pdf`, mimeType: "application/pdf", buffer: PDF });
    await press(page, "/documents");
    await page.waitForSelector(`#documents a:has-text("${purpose}.pdf")`);
  }
  expect(!(await page.isVisible(".note.care")), "nothing is missing any more");
  await look(visit, "organisation");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("#documents a >> nth=0")]);
  expect(readFileSync(await file.path()).equals(PDF), "a document comes back byte for byte");
  ok("papers are complete");
}

async function review(visit) {
  const { page } = visit;
  await page.goto(`${base}/sign-in`);
  await page.fill("#email", "staff@mobile.example");
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  // Where the flow of the staff has not run, they have not come in yet.
  if (await page.isVisible("[role=alert]")) await accept(visit, process.env.LAINI_STAFF);
  const began = Date.now();
  await page.goto(`${base}/operate/partners`);
  await look(visit, "partners-board");
  await page.click(`.board a:has-text("${COMPANY}")`);
  await page.waitForURL(/partners\/[0-9a-f]{16}$/);
  const partner = page.url();
  await page.click("button:has-text('Take up the review')");
  await page.waitForSelector("[aria-current=step]:has-text('Under review')");
  await look(visit, "partner-complete");
  await page.goto(`${partner}/agreements/new`);
  await look(visit, "agreement-form");
  await page.fill("#imsi_bands", "10000: 18.00\n15.00");
  await page.fill("#per_second", "50");
  await page.click("main button.primary");
  await page.waitForURL(/agreements\/[0-9a-f]{16}$/);
  await look(visit, "agreement-draft");
  await page.click("main a[href$='/edit']");
  await page.waitForSelector("#per_second");
  expect((await page.inputValue("#per_second")) === "50", "a draft is changed from what it says");
  await look(visit, "agreement-edit");
  await page.click("main button.primary");
  await page.waitForURL(/agreements\/[0-9a-f]{16}$/);
  await page.click("button:has-text('Send to both sides')");
  await page.waitForSelector("main button.primary:has-text('Sign')");
  expect((await page.textContent("article")).includes("KES 18.00 each from the 1. to the 10000."), "bands are in the text");
  await page.check("main form input[type=checkbox]");
  await page.click("main button.primary:has-text('Sign')");
  await page.waitForSelector("main button.primary", { state: "detached" });
  const took = Date.now() - began;
  expect(took <= REVIEW_MS_MAX, `a complete partner took the operator ${took} ms`);
  ok(`a complete partner takes the operator ${Math.round(took / 1000)} s`);
  return partner;
}

async function signTheirs(visit) {
  const { page } = visit;
  await page.goto(`${base}/onboarding`);
  await page.click("main a.primary");
  await page.waitForURL(/agreements\//);
  await look(visit, "agreement-to-sign");
  await page.check("main form input[type=checkbox]");
  await page.click("main button.primary");
  await page.waitForSelector(".tag:has-text('Signed')");
  await page.goto(`${base}/agreements`);
  await look(visit, "agreements");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("main td a:has-text('PDF')")]);
  expect(readFileSync(await file.path()).subarray(0, 5).toString() === "%PDF-", "the agreement is a PDF");
  ok("both sides signed the same text");
}

async function goLive(owner, staff, keys, partner) {
  const { page } = owner;
  await page.goto(`${base}/go-live`);
  await look(owner, "go-live-empty");
  await page.fill("#name", "Cheque desk live");
  await page.click("main button.primary");
  await page.waitForURL(/go-live\/[0-9a-f]{16}$/);
  const request = page.url();
  expect((await page.textContent(".checklist .now strong")) === "Scripted run", "all but the run is done");
  await look(owner, "go-live-request");
  await page.click("button:has-text('Begin the scripted run')");
  await page.waitForSelector("#steps");
  await press(page, "/run/listen");
  await page.waitForSelector("main form[action$='/run/delivery']");
  await press(page, "/run/delivery");
  await page.waitForSelector("#nonce");
  await look(owner, "scripted-run");
  const bearer = await token(keys.key, keys.secret);
  const statuses = [];
  const asks = async (...asked) => statuses.push((await check(bearer, ...asked)).status);
  await asks("254722000040");
  await asks("254722000054");
  await page.waitForTimeout(2_500);
  await asks("254722000001", { "idempotency-key": "go-live-1" });
  await asks("254722000001", { "idempotency-key": "go-live-1" });
  expect(statuses.join() === "404,429,200,200", `the script is answered ${statuses}`);
  const nonce = await until(page, "delivery", async () => {
    const answer = await fetch(`${base}/v1/deliveries`, { headers: { authorization: `Bearer ${bearer}` } });
    const { deliveries } = await answer.json();
    return deliveries?.length && JSON.parse(deliveries[0].body).nonce;
  });
  await page.fill("#nonce", nonce);
  await press(page, "/run/echo");
  // The steps tick themselves off: the last one once an unknown number was left alone for ten seconds.
  await page.waitForSelector("#steps .tag:has-text('passed') >> nth=4", { timeout: WAIT_MS });
  await page.goto(request);
  await look(owner, "scripted-run-passed");
  ok("the scripted run is passed at the real gateway");
  await page.click("button.primary:has-text('Hand it in')");
  await page.waitForSelector(".tag:has-text('Waiting for approval')");
  await staff.page.goto(`${base}/operate/partners`);
  await look(staff, "partners-board-go-live");
  await staff.page.click(`.board a[href*='go-live']:has-text("${COMPANY}")`);
  await staff.page.waitForURL(/go-live/);
  await look(staff, "go-live-to-approve");
  await staff.page.click("button.primary:has-text('Approve')");
  await staff.page.waitForSelector(".tag:has-text('Approved')");
  await staff.page.goto(partner);
  await staff.page.click("button:has-text('Go live')");
  await staff.page.waitForSelector(".steps .done:has-text('Live')");
  await page.goto(request);
  await page.click("button.primary:has-text('Take the production keys')");
  await page.waitForSelector("#secret");
  const live = { key: await page.textContent("#key"), secret: await page.textContent("#secret") };
  await look(owner, "production-keys");
  await page.goto(request);
  expect(!(await page.isVisible("#secret")), "the secret is shown once");
  const answer = await until(page, "production token", () => token(live.key, live.secret).catch(() => null));
  const checked = await check(answer, "254722000100");
  expect(checked.headers.get("laini-environment") === "production", "production answers");
  expect([200, 404].includes(checked.status), `a production check is ${checked.status}: ${await checked.text()}`);
  ok("the operator approved, and the production keys work");
}

async function team(visit) {
  const { page } = visit;
  await page.goto(`${base}/team`);
  await page.fill("#email", "dev@riverside.example");
  await page.fill("#name", "D. Achieng");
  await page.selectOption("#role", "developer");
  await page.click("main button.primary");
  await page.waitForURL(/sent/);
  await look(visit, "team");
  const dev = await visitor();
  await accept(dev, await letterTo(dev.page, "dev@riverside.example"));
  expect((await dev.page.goto(`${base}/team`)).status() === 403, "a developer does not see the team");
  await page.goto(`${base}/team`);
  await page.click("summary:has-text('D. Achieng')");
  await page.fill("main tr:has-text('D. Achieng') input[name=reason]", "left");
  await page.click("button:has-text('Let not sign in any more')");
  await page.waitForSelector("tr:has-text('D. Achieng') .tag:has-text('disabled')");
  await dev.page.goto(`${base}/apps`);
  expect(dev.page.url().includes("/sign-in"), "whoever is disabled is out at once");
  await dev.context.close();
  const file = await visit.context.request.get(base + (await page.getAttribute("main a[href*='team.csv']", "href")));
  const people = await file.text();
  expect(people.includes("D. Achieng,dev@riverside.example,developer,disabled,"), `the team is a file: ${people}`);
  await page.goto(`${base}/audit`);
  await page.fill("#action", "person.");
  await page.click("main button.primary");
  await page.waitForSelector("td:has-text('person.disable')");
  await look(visit, "audit");
  await page.goto(`${base}/privacy-requests`);
  await page.fill("#number", "254722000001");
  await page.fill("#reason", "case 12");
  await page.click("main button.primary");
  await page.waitForSelector("td:has-text('What is held')");
  await look(visit, "privacy-filed");
  ok("people are invited, kept out, and everything is in the trail");
}

async function operate(visit, partner) {
  const { page } = visit;
  await page.goto(`${partner}/apps`);
  await page.click("section:has(h2:has-text('Cheque desk live')) summary:has-text('Suspend')");
  await look(visit, "partner-apps");
  await page.fill("section:has(h2:has-text('Cheque desk live')) input[name=reason]", "ticket 4711");
  await page.click("section:has(h2:has-text('Cheque desk live')) button[value=suspend]");
  await page.waitForSelector("h2:has-text('Cheque desk live') .tag:has-text('suspended')");
  for (const section of ["organisation", "agreements", "go-live", "team", "audit"]) {
    await page.goto(`${partner}/${section}`);
    await look(visit, `partner-${section}`);
  }
  await page.goto(`${base}/operate/agreements?state=signed`);
  await look(visit, "agreements-all");
  await page.goto(`${base}/operate/staff`);
  await look(visit, "staff");
  await page.goto(`${base}/operate/audit`);
  await look(visit, "audit-all");
  await page.goto(`${base}/operate/privacy`);
  await page.fill("#number", "254722000001");
  await page.selectOption("#action", "erase");
  await page.fill("#reason", "case 13");
  await page.click("main button.primary");
  await page.waitForURL(/privacy\/[0-9a-f]{16}$/);
  await look(visit, "privacy-request");
  await page.fill("#number", "254722000001");
  await page.click("button:has-text('Note it')");
  await page.waitForSelector("button:has-text('Approve')");
  await page.fill("#reason", "the papers fit");
  await page.click("button.primary:has-text('Approve')");
  expect((await page.textContent("[role=alert]")).includes("somebody else"), "nobody approves what they took down");
  await page.goto(`${base}/operate/privacy`);
  await look(visit, "privacy");
  ok("staff suspend an app, and no one alone decides about a subscriber");
}
