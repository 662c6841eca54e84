import { PASSWORD, accept, base, expect, look, ok, paintedInTime, visitor } from "../lib.mjs";

/** A bank's owner: an app with its keys, the guide with them, the desk and its thresholds. */
export async function owner() {
  const visit = await visitor();
  const { page } = visit;
  await accept(visit, process.env.LAINI_OWNER);
  await page.goto(`${base}/apps`);
  await look(visit, "apps");
  await page.fill("#name", "Payouts");
  await page.click("#create button.primary");
  await page.waitForSelector("#secret");
  const key = await page.textContent("#key");
  await look(visit, "app-new");
  await page.goto(`${base}/apps`);
  await page.click("main tbody th a:has-text('Payouts')");
  await page.waitForURL(/apps\/[0-9a-f]{16}$/);
  expect(!(await page.isVisible("#secret")), "a secret is shown once");
  await look(visit, "app");
  expect(await page.isVisible("#go-live a[href='/docs/going-live']"), "the page of an app leads to going live");
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
  await paintedInTime(page);
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
  await page.waitForURL(/second-factor$/);
  await look(visit, "second-factor-before");
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
