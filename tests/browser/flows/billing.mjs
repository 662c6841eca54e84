import { base, expect, look, ok, signIn, visitor } from "../lib.mjs";

/** The number of a certificate of withheld tax. */
const CERTIFICATE = "KRAWON1000001";
/** Who pays first; the flow of the staff added it. */
const TOPPED_UP = "Upendo Bank";

/** Money: a bank's owner looks at usage, sets a budget, disputes a line; the operator's finance answers and prices anew. */
export async function billing() {
  const owner = await visitor();
  await signIn(owner, "owner@bank.example");
  await usage(owner);
  await budget(owner);
  const invoice = await dispute(owner);
  await certificate(owner);
  const staff = await visitor();
  await signIn(staff, "staff@mobile.example");
  await settle(staff, invoice);
  await paying(staff);
  await prices(staff);
  await money(staff);
  await owner.context.close();
  await staff.context.close();
}

async function usage(visit) {
  const { page, context } = visit;
  await page.goto(`${base}/usage`);
  await look(visit, "usage");
  const csv = await context.request.get(`${base}/usage/days.csv`);
  expect((await csv.text()).startsWith("day,app,product,environment,outcome,checks"), "usage is a file too");
  const months = await page.$$eval("#month option", (all) => all.map((one) => one.value));
  await page.selectOption("#month", months[1]);
  await page.waitForURL(/month=/);
  await look(visit, "usage-last-month");
  const bars = await page.locator("svg.plot .bar-mark").count();
  expect(bars > 0, "the last month has its bars");
  expect((await page.textContent("#fast-title")).includes("How fast"), "how fast checks were answered is drawn");
  await page.locator("details > summary").first().click();
  const rows = await page.locator("figure").first().locator("tbody tr").count();
  expect(rows >= 28, `a row for each day, not ${rows}`);
  await page.goto(`${base}/usage/references?from=${months[0]}-01&until=${months[0]}-02`);
  await look(visit, "usage-references");
  ok("usage stands by day, app, product and reference, as a chart, a table and a file");
}

async function budget(visit) {
  const { page } = visit;
  await page.goto(`${base}/billing`);
  await look(visit, "billing");
  await page.fill("#amount", "a lot");
  await page.click("#budgets button.primary");
  expect(await page.isVisible("[role=alert]"), "an amount that is none is told");
  await page.fill("#amount", "50,000");
  await page.check("input[name=hard_stop]");
  await page.click("#budgets button.primary");
  await page.waitForURL(/saved/);
  expect((await page.textContent("#budgets")).includes("KES 50,000.00"), "the budget stands there");
  await look(visit, "billing-budget");
  ok("a budget is set");
}

async function dispute(visit) {
  const { page, context } = visit;
  await page.goto(`${base}/invoices`);
  await look(visit, "invoices");
  await page.click("main tbody th a");
  await page.waitForSelector("#dispute");
  const at = new URL(page.url()).pathname;
  await look(visit, "invoice");
  for (const [form, begins] of [["pdf", "%PDF"], ["csv", "invoice,month"], ["json", "{"], ["html", "<!doctype html>"], ["etims", "{"]]) {
    const file = await context.request.get(`${base}${at}/files/${form}`);
    expect(file.status() === 200 && (await file.text()).startsWith(begins), `the ${form} of ${at}`);
    expect(file.headers()["content-disposition"]?.startsWith("attachment"), `the ${form} is a file`);
  }
  await page.click("#verify button");
  await page.waitForSelector("#verify .note.good");
  await page.click("text=Rows");
  await page.waitForSelector("main tbody th.mono");
  await look(visit, "invoice-rows");
  await page.goto(base + at);
  await page.fill("#reason", "These checks were of a load test.");
  await page.click("#dispute button");
  await page.waitForSelector("text=These checks were of a load test.");
  await look(visit, "invoice-disputed");
  await page.goto(`${base}/billing/account`);
  await look(visit, "account-statement");
  const ledger = await context.request.get(`${base}/billing/ledger.csv`);
  expect((await ledger.text()).startsWith("requestRefID,at,partner"), "the ledger is exported");
  const statement = await context.request.get(`${base}/billing/account/statement.pdf`);
  expect((await statement.text()).startsWith("%PDF"), "the statement is a paper too");
  ok("an invoice is read, computed again, followed to its rows and disputed");
  return at;
}

/** A certificate of withheld tax, which a member registers and the operator accepts. */
async function certificate(visit) {
  const { page } = visit;
  await page.goto(`${base}/billing`);
  await page.click("main .tabs a[href='/billing/paying']");
  await page.waitForURL(/paying$/);
  await look(visit, "paying");
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await page.fill("#number", CERTIFICATE);
  await page.fill("#withheld", "0");
  await page.fill("#on", yesterday);
  await page.click("#certificates button.primary");
  expect((await page.textContent("[role=alert]")).includes("above zero"), "a certificate of nothing is told");
  expect((await page.inputValue("#number")) === CERTIFICATE, "what was typed stays");
  await page.fill("#withheld", "10.00");
  await page.click("#certificates button.primary");
  await page.waitForSelector("#certificates .tag:has-text('waits for the operator')");
  expect((await page.locator("#top-ups form, #references form").count()) === 0, "the rest is the operator's to record");
  ok("a member registers a certificate of withheld tax");
}

/** Finance accepts it, keeps what the bank writes when it pays, and tops up the balance of another partner. */
async function paying(visit) {
  const { page } = visit;
  await page.goto(`${base}/operate/partners/all?name=demo`);
  await page.click("main tbody a:has-text('Demo Bank')");
  await page.waitForURL(/partners\/[0-9a-f]{16}$/);
  await page.click("main .tabs a[href$='/billing']");
  await page.waitForURL(/billing$/);
  await page.click("main .tabs a[href$='/billing/paying']");
  await page.waitForURL(/paying$/);
  await page.click("#certificates form[action$='/accept'] button.primary");
  await page.waitForSelector("#certificates .tag:has-text('accepted')");
  await page.fill("#references-text", "12");
  await page.click("#references form button");
  expect((await page.textContent("[role=alert]")).includes("3 to 40"), "a reference that says nothing is told");
  await page.fill("#references-text", "DEMOBANK\nDemo Bank Limited");
  await page.click("#references form button");
  await page.waitForSelector("#references tbody th:has-text('DEMOBANK')");
  await look(visit, "partner-paying");
  ok("finance accepts a certificate, and keeps what a partner writes when it pays");
  await page.goto(`${base}/operate/payments`);
  await page.selectOption("#by-hand #partner", { label: TOPPED_UP });
  await page.fill("#by-hand #amount", "1,160");
  await page.fill("#by-hand #on", new Date(Date.now() - 86_400_000).toISOString().slice(0, 10));
  await page.click("#by-hand button");
  await page.waitForSelector(`main tbody tr:has-text('${TOPPED_UP}')`);
  await page.goto(`${base}/operate/partners/all?name=upendo`);
  await page.click(`main tbody a:has-text('${TOPPED_UP}')`);
  await page.waitForURL(/partners\/[0-9a-f]{16}$/);
  await page.goto(`${page.url()}/billing/paying`);
  await page.fill("#tax", "a lot");
  await page.click("#top-ups form button");
  expect((await page.textContent("[role=alert]")).includes("per cent"), "a rate that is none is told");
  await page.fill("#tax", "16");
  await page.click("#top-ups form button");
  await page.waitForSelector("#top-ups tbody td:has-text('KES 1,000.00')");
  await look(visit, "partner-topped-up");
  ok("a balance is topped up on a page, without the tax");
}

async function settle(visit, invoice) {
  const { page } = visit;
  await page.goto(`${base}/operate/invoices?state=disputed`);
  await look(visit, "operate-invoices");
  await page.click("main tbody th a");
  await page.waitForSelector("text=Settle the dispute");
  expect(page.url().endsWith(invoice), "it is the one that was disputed");
  await page.fill("[id^=answer-]", "It was answered as agreed.");
  await page.click("button[value=reject]");
  await page.waitForSelector("text=It was answered as agreed.");
  await look(visit, "operate-invoice");
  const back = "main p.soft a[href='/operate/partners']";
  expect(await page.isVisible(back), "the way back to all partners is on the page");
  await page.emulateMedia({ media: "print" });
  expect(!(await page.isVisible(back)), "and not on the paper");
  await page.emulateMedia({ media: null });
  ok("finance answers the dispute");
  const partner = page.url().split("/invoices")[0];
  await page.click("main a[href*='/lines/'] >> nth=0");
  await page.waitForSelector("main tbody th.mono");
  await look(visit, "partner-invoice-rows");
  for (const section of ["usage", "usage/references", "billing", "billing/account", "billing/paying", "invoices"]) {
    const answer = await page.goto(`${partner}/${section}`);
    expect(answer.status() === 200, `finance sees ${section} of a partner: ${answer.status()}`);
    await look(visit, `partner-${section.replace("/", "-")}`);
    const here = await page.getAttribute("main .tabs a[aria-current=page] >> nth=0", "href");
    expect(`${base}${here}` === `${partner}/${section.split("/")[0]}`, `${section} is a tab of the partner: ${here}`);
  }
  ok("finance sees a partner's money by the partner's own pages");
}

async function prices(visit) {
  const { page } = visit;
  await page.goto(`${base}/operate/prices`);
  await look(visit, "prices");
  await page.click("text=Demo Bank");
  await page.waitForSelector("#bands");
  await page.fill("#bands", "10=20, 15");
  await page.click("#new button.primary");
  await page.waitForSelector("text=It would have cost");
  await look(visit, "price-simulated");
  await page.check("input[name=at_once]");
  await page.fill("#reason", "agreed by letter");
  await page.click("button[formaction]");
  await page.waitForURL(/done=signed/);
  expect((await page.textContent("main")).includes("KES 20.00 up to 10, KES 15.00"), "the new version is there");
  await look(visit, "price-changed");
  ok("a price is simulated, and becomes a new version");
}

async function money(visit) {
  const { page } = visit;
  await page.goto(`${base}/operate/revenue`);
  await look(visit, "revenue");
  expect((await page.locator("svg.plot .bar-mark").count()) > 0, "revenue has its bars");
  await page.click("#sort-revenue a");
  await page.waitForURL(/sort=-revenue/);
  expect((await page.getAttribute("#sort-revenue", "aria-sort")) === "descending", "the largest comes first");
  expect((await page.getAttribute("a.primary", "href")) === "/operate/revenue.csv?sort=-revenue", "the file follows");
  await page.focus("#sort-revenue a");
  await page.keyboard.press("Enter");
  await page.waitForURL(/sort=revenue/);
  expect((await page.getAttribute("#sort-revenue", "aria-sort")) === "ascending", "and is turned by the keyboard");
  await look(visit, "revenue-sorted");
  ok("a table is sorted, and turned");
  await page.goto(`${base}/operate/closes`);
  await look(visit, "closes");
  await page.goto(`${base}/operate/payments`);
  const statement = "date,amount,reference,description,id\n2026-11-20,1500.00,SAMPLE,somebody unknown,b-1\n2026-11-20,12.345,x,y,b-2\n";
  await page.setInputFiles("#statement input[type=file]", { name: "statement.csv", mimeType: "text/csv", buffer: Buffer.from(statement) });
  await page.click("#statement button.primary");
  await page.waitForSelector("text=somebody unknown");
  await look(visit, "payments");
  const came = await page.textContent("main [role=status]");
  expect(came.includes("not readable") && came.includes("CSV of a bank"), "what it was read as, and what cannot be read, is told");
  await page.click("main tbody td a");
  await page.waitForSelector("text=not known");
  await look(visit, "payment");
  await page.click("button.primary");
  await page.waitForURL(`${base}/operate/payments`);
  expect((await page.textContent("main")).includes("Of every payment it is known whose it is."), "it is matched");
  await look(visit, "payments-matched");
  ok("a statement comes in, and what nobody knows of is matched");
}
