import { base, expect, look, ok, signIn, visitor } from "../lib.mjs";

/** An incident from its opening to its end, as staff, everybody and a member see it; a ticket there and back. */
export async function incidents() {
  const staff = await visitor();
  const member = await visitor();
  const everybody = await visitor();
  await signIn(staff, "staff@mobile.example");
  await signIn(member, "owner@bank.example");
  await incident(staff.page, member.page, everybody.page, { staff, member, everybody });
  await ticket(staff, member);
  await everybody.page.goto(`${base}/nowhere`);
  expect((await everybody.page.textContent("h1")).includes("no such page"), "an unknown path is a page");
  await look(everybody, "not-there");
  const api = await everybody.context.request.get(`${base}/nowhere`, { headers: { accept: "application/json" } });
  expect(api.status() === 404 && (await api.json()).errorCode, "an unknown path is the API's refusal for everybody else");
  ok("an unknown path is a page for a browser and JSON for the rest");
  for (const one of [staff, member, everybody]) await one.context.close();
}

async function incident(operator, bank, anybody, visits) {
  await operator.goto(`${base}/operate/incidents`);
  await look(visits.staff, "operate-incidents-before");
  await operator.click("main .head .primary");
  await operator.waitForSelector("#title");
  await look(visits.staff, "operate-incident-form");
  await operator.fill("#title", "Checks are slow");
  await operator.fill("#text", "Checks take longer than they should.\nAnswers are right. We look for the cause.");
  await operator.check("input[name=component][value=checks]");
  await operator.check("input[name=reaches][value=products]");
  await operator.check("input[name=product][value=imsi]");
  await operator.click("button:has-text('Show who is told')");
  expect((await operator.textContent("main")).includes("Demo Bank"), "the preview says who is told");
  expect((await operator.inputValue("#title")) === "Checks are slow", "what was typed stays");
  await look(visits.staff, "operate-incident-new");
  await operator.click("button:has-text('Open and tell them')");
  await operator.waitForURL(/operate\/incidents\/[0-9a-f]{16}/);
  const id = operator.url().split("/").pop();
  await look(visits.staff, "operate-incident");
  // The picture is taken anew every ten seconds.
  await anybody.goto(`${base}/status`);
  for (let turn = 0; turn < 30 && !(await anybody.textContent("main")).includes("Checks are slow"); turn += 1) {
    await anybody.waitForTimeout(500);
    await anybody.reload();
  }
  expect((await anybody.textContent(".verdict .word")).includes("does not work as it should"), "the status says so");
  await look(visits.everybody, "status");
  await anybody.click(".foot button[name=theme]");
  await anybody.waitForSelector("html[data-theme=dark]");
  await look(visits.everybody, "status-dark");
  await anybody.click("main h3 a");
  await look(visits.everybody, "status-incident");
  ok("an incident is on the status page");
  await bank.goto(`${base}/incidents`);
  await look(visits.member, "incidents");
  await bank.click("text=Send me letters too");
  await bank.waitForSelector("text=Send me no letters");
  await bank.click("tbody a");
  await bank.waitForURL(new RegExp(id));
  expect((await bank.textContent("main")).includes("reaches you"), "it says that it reaches them");
  expect((await bank.textContent("main")).includes("Your impact"), "it says what it meant");
  await look(visits.member, "incident");
  ok("a member sees what it means for them");
  await operator.goto(`${base}/operate/incidents/${id}`);
  await operator.selectOption("#state", "monitoring");
  await operator.fill("#text", "A disk was replaced.");
  await operator.click("main button.primary");
  await operator.waitForSelector("text=A disk was replaced.");
  await operator.fill("#text", "It was slow until 10:40.");
  await operator.click("button:has-text('Resolve')");
  await operator.waitForSelector(".head .tag:has-text('Resolved')");
  await operator.goto(`${base}/operate/incidents`);
  await look(visits.staff, "operate-incidents");
  const feed = await (await visits.everybody.context.request.get(`${base}/status.atom`)).text();
  expect(feed.includes("<feed") && feed.includes("Checks are slow"), "the feed has it");
  const status = await (await visits.everybody.context.request.get(`${base}/status.json`)).json();
  expect(status.components.length >= 4 && status.components.every((one) => one.status !== "down"), JSON.stringify(status));
  ok("an incident is resolved, and told as a feed and as JSON");
}

async function ticket(staff, member) {
  const { page } = member;
  await page.goto(`${base}/support`);
  await look(member, "support-none");
  await page.goto(`${base}/support?subject=A%20refused%20check&text=Why%3F&reference=not-an-id`);
  expect((await page.inputValue("#subject")) === "A refused check", "another page fills the form");
  await page.check("input[name=severity][value=major]");
  await page.click("#open button.primary");
  expect((await page.textContent("[role=alert]")).includes("requestRefID"), "an id that is none is told");
  expect(await page.isChecked("input[name=severity][value=major]"), "what was chosen stays");
  await page.fill("#reference", "");
  await page.fill("#text", "Why was 0722 000 001 refused?\nWe expected an answer.");
  await page.click("#open button.primary");
  await page.waitForURL(/support\/[0-9a-f]{16}/);
  expect(!(await page.textContent("main")).includes("0722 000 001"), "a number is masked before it is kept");
  await look(member, "ticket");
  const operator = staff.page;
  await operator.goto(`${base}/operate/tickets`);
  await look(staff, "operate-tickets");
  await operator.click("main .head .primary");
  await operator.fill("#text", "The app has no agreement for this product.");
  await operator.click("main form .primary");
  await operator.waitForSelector(".thread .own:has-text('no agreement')");
  await look(staff, "operate-ticket");
  await page.reload();
  expect((await page.textContent("main")).includes("no agreement"), "the partner reads the answer");
  expect((await page.textContent(".head")).includes("Your turn"), "the word is the partner's");
  await page.click("text=It is solved");
  await page.waitForSelector(".head .tag:has-text('Solved')");
  await page.goto(`${base}/support`);
  await look(member, "support");
  ok("a ticket goes there and back");
}
