import { accept, base, expect, look, ok, paintedInTime, visitor } from "../lib.mjs";

/** Who is added with the standard agreement; the flow of the money pays in for it. */
const ADDED = "Upendo Bank";

/** The operator's staff: a partner on its way, all partners, one that is added, and what is told of its debt. */
export async function staff() {
  const visit = await visitor();
  const { page } = visit;
  await accept(visit, process.env.LAINI_STAFF);
  await page.goto(`${base}/operate/partners`);
  await paintedInTime(page);
  await look(visit, "partners");
  await page.click("main .primary");
  await page.waitForURL(/partners\//);
  await look(visit, "partner");
  await page.fill("#text", "Please add the certificate.");
  await page.click("form[action$=comment] button");
  await page.waitForSelector("text=Please add the certificate.");
  await page.click("button:has-text('Take up the review')");
  await page.waitForSelector("[aria-current=step]:has-text('Under review')");
  const way = await page.textContent("ol.steps");
  expect(/Submitted\s+\d{4}-\d\d-\d\d/.test(way), `a step that is done says since when: ${way}`);
  expect(/Under review\s+Since .* waiting/.test(way), `and the present one for how long it waits: ${way}`);
  ok("a partner is taken up and told what is missing");
  await allPartners(visit);
  await added(visit);
  await debt(visit);
  await lists(visit);
  await visit.context.close();
}

/** All partners, those that came with an agreement among them: found by a part of the name, and as a file. */
async function allPartners(visit) {
  const { page, context } = visit;
  await page.goto(`${base}/operate/partners?step=live`);
  await page.click("main .tabs a[href$='/partners/all']");
  await page.waitForURL(/partners\/all$/);
  await look(visit, "partners-all");
  const bank = await page.textContent("main tbody tr:has-text('Demo Bank')");
  expect(bank.includes("Live") && bank.includes("in force"), `who came with an agreement is there: ${bank}`);
  await page.click("#sort-checks a");
  await page.waitForURL(/sort=-checks/);
  expect((await page.getAttribute("#sort-checks", "aria-sort")) === "descending", "who asks most comes first");
  await page.fill("#wanted", "PENDING");
  await page.click("main form.ask button");
  await page.waitForURL(/name=PENDING/);
  expect((await page.locator("main tbody tr").count()) === 1, "a partner is found by a part of its name");
  const file = await context.request.get(base + (await page.getAttribute("main a[href*='partners.csv']", "href")));
  const lines = (await file.text()).trim().split("\r\n");
  expect(lines[0].startsWith("partner,name,status,step") && lines.length === 2, `the file has who is looked for: ${lines}`);
  await page.fill("#wanted", "nobody is called so");
  await page.click("main form.ask button");
  await page.waitForSelector("main .empty");
  ok("all partners are listed, found by name, and a file");
}

/** A partner is added with the standard agreement; its page says how it came. */
async function added(visit) {
  const { page } = visit;
  await page.goto(`${base}/operate/partners`);
  await page.click("main a[href$='#add']");
  await page.waitForURL(/partners\/all/);
  await page.fill("#name", "demo bank");
  await page.click("#add button.primary");
  const told = await page.textContent("[role=alert]");
  expect(told.includes("another partner has this name"), `a name that another one has is told: ${told}`);
  expect((await page.inputValue("#name")) === "demo bank", "what was typed stays");
  await page.fill("#name", ADDED);
  await page.click("#add button.primary");
  await page.waitForURL(/done=added/);
  await look(visit, "partner-added");
  const main = await page.textContent("main");
  expect(main.includes(ADDED) && main.includes("signed for both sides in one step"), "its page says how it came");
  ok("a partner is added on a page");
}

/** Nobody is suspended for debt without a notice, which is given beside the button; of the partner that is on the page. */
async function debt(visit) {
  const { page } = visit;
  await page.click("main .tabs a[href$='/apps']");
  await page.waitForSelector("#debt");
  expect((await page.locator("button[value=suspend_for_debt]").count()) === 0, "without a notice there is no button");
  await page.fill("#days", "3");
  await page.fill("#invoices", "invoice 17 is 45 days late");
  await page.click("#debt form[action$='/debt-notices'] button");
  expect((await page.textContent("[role=alert]")).includes("expected 7 to 180"), "a notice that is too short is told");
  expect((await page.inputValue("#invoices")).includes("invoice 17"), "what was typed stays");
  await page.fill("#days", "14");
  await page.click("#debt form[action$='/debt-notices'] button");
  await page.waitForSelector("#debt .tag:has-text('runs')");
  await look(visit, "partner-debt");
  await page.click("#debt form[action$='/withdraw'] button");
  await page.waitForSelector("#debt .tag:has-text('withdrawn')");
  ok("notice of debt is given and withdrawn");
}

/** Lists that are files, and those in which a name is looked for. */
async function lists(visit) {
  const { page, context } = visit;
  for (const [at, begins] of [
    ["agreements.csv?state=signed", "partner,name,agreement,version"], ["limits.csv", "partner,name,app,app_name"],
    ["traffic.csv", "app,name,partner,partner_name"], ["closes.csv", "month,frozen"],
    ["staff.csv", "name,email,role,status"], ["privacy.csv?show=all", "request,number,action,state"],
    ["alarms.csv", "at,app,name,partner,partner_name"],
  ]) {
    const file = await context.request.get(`${base}/operate/${at}`);
    expect(file.status() === 200 && (await file.text()).startsWith(begins), `the file ${at}`);
  }
  for (const at of ["limits", "prices"]) {
    await page.goto(`${base}/operate/${at}`);
    await page.fill("#wanted", "upendo");
    await page.click("main form.ask button.primary");
    await page.waitForURL(/name=upendo/);
    expect((await page.textContent("main tbody")).includes(ADDED), `${at} are found by name`);
    expect(!(await page.textContent("main tbody")).includes("Demo Bank"), `${at} of others are not shown`);
    await look(visit, `${at}-found`);
  }
  ok("lists are files, and are looked through by name");
}
