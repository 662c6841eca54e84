import { accept, base, look, ok, paintedInTime, visitor } from "../lib.mjs";

/** The operator's staff: a partner's papers, its agreement, both signatures. */
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
  ok("a partner is taken up and told what is missing");
  await visit.context.close();
}
