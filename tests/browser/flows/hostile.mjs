import { base, expect, fail, ok, signIn, visitor } from "../lib.mjs";
import { readFileSync } from "node:fs";

/** Pages on which people write. */
const WRITTEN_ON = [
  "/", "/apps", "/simulator", "/requests", "/webhooks", "/desk", "/desk/batch", "/desk/history", "/desk/alarms",
  "/desk/settings", "/onboarding", "/sign-in", "/forgotten", "/invitation", "/reset", "/billing", "/billing/account",
  "/usage", "/usage/references", "/invoices/1", "/support", "/organisation", "/go-live", "/team", "/audit",
  "/privacy-requests", "/register", "/registration", "/ask", "/docs/search",
];

/** The forms of the page as it is: where each goes, and its fields with what stands in them. */
const forms = (page) => page.$$eval("main form", (all) => all.map((form) => ({
  // Fields of these names stand before the form's own.
  action: new URL(form.getAttribute("action") ?? "", location.href).href,
  method: form.getAttribute("method") ?? "get",
  texts: [...form.querySelectorAll("input:not([type=hidden],[type=checkbox],[type=radio],[type=file]), textarea")].map((one) => one.name),
  others: [...new FormData(form)].filter(([, value]) => typeof value === "string"),
})).filter(({ texts }) => texts.length));

/** Every text field takes what would run, and nothing runs: a dialog or a script error ends the run. */
export async function hostile() {
  const payloads = readFileSync(new URL("../hostile.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
  expect(payloads.length >= 50, `only ${payloads.length} hostile payloads`);
  const visit = await visitor();
  const { page } = visit;
  await signIn(visit, "owner@bank.example");
  let fields = 0;
  await page.goto(`${base}/apps`);
  const app = new URL(await page.$eval("main tbody a", (link) => link.href)).pathname;
  for (const at of [...WRITTEN_ON, app]) {
    await page.goto(base + at);
    const origin = { origin: base, referer: base + at };
    for (const { action, method, texts, others } of await forms(page)) {
      for (const payload of payloads) {
        const form = { ...Object.fromEntries(others), ...Object.fromEntries(texts.map((name) => [name, payload])) };
        const sent = method === "get" ? { params: form } : { form };
        const answer = await visit.context.request.fetch(action, { method, headers: origin, ...sent })
          .catch((error) => fail(`${at} sends ${payload} to ${action}: ${error.message}`));
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
