// Drives the portal as people do, in a real browser, one flow after the other.
//
// LAINI_BASE_URL: a demo server. LAINI_OWNER, LAINI_STAFF: tokens of invitations. LAINI_PICTURES: a folder.
// LAINI_LETTERS: where the server's letters are. LAINI_SIGN_ON: as what the server is registered at an identity provider
// ({"issuer", "client_id", "client_secret", "redirect_url"}), and the token of an "invitation" of both@bank.example.
// LAINI_FEED_KEY: an operator key that may write to the feed. LAINI_ACCESS: the table of every page.
// LAINI_CHROMIUM: the browser. LAINI_MODULES: where the packages are, since NODE_PATH does not hold for modules.
// LAINI_FLOWS: the names of some flows, with commas between; without it, all of them, and every page is to be looked at.

import { browser, count, expect, looked, ok, routes, wrong } from "./lib.mjs";

/** In this order: later ones find what earlier ones left. */
const FLOWS = ["everybody", "owner", "build", "staff", "billing", "incidents", "desk", "people", "privacy", "sign_on", "docs", "requests", "hostile"];

/** What nobody looks at, and why. */
const NO_PAGES = [
  [/csv$/, "a table as a file"],
  [/^\/status\.(json|atom)$/, "the status for programs"],
  [/\/(invoices\/\{invoice\}\/files|billing\/account)\/\{form\}$/, "a paper as a file"],
  [/\/(documents\/\{document\}|\{agreement\}\/pdf|\{batch\}\/export)$/, "a file"],
  [/^\/docs$/, "it leads to the first page of the guide"],
  [/^\/sign-in\/elsewhere$/, "it leads to the identity provider"],
  [/^\/back$/, "it leads on; whoever is refused there is shown the page of signing in"],
];

/** Every page of the table that there is to look at. */
function pages() {
  const all = routes.filter(({ method }) => method === "GET");
  expect(all.length > 100, `the table has ${all.length} pages`);
  for (const [files, why] of NO_PAGES) expect(all.some(({ path }) => files.test(path)), `nothing is left out as ${files}: ${why}`);
  return all.filter(({ path }) => !NO_PAGES.some(([files]) => files.test(path)));
}

/** Notes the pages that nobody looked at. */
function everyPageWasLookedAt() {
  const all = pages();
  const seen = new Set([...looked].map((at) => all.find(({ matches }) => matches(at))?.path));
  const missed = all.filter(({ path }) => !seen.has(path)).map(({ path }) => path);
  if (missed.length) wrong.push(`nobody looked at ${missed.join(", ")}`);
  else ok(`all of ${all.length} pages were looked at`);
}

const chosen = process.env.LAINI_FLOWS?.split(",") ?? FLOWS;
for (const name of chosen) expect(FLOWS.includes(name), `there is no flow '${name}'; the flows are ${FLOWS.join(", ")}`);
for (const name of FLOWS.filter((name) => chosen.includes(name))) {
  const flow = await import(`./flows/${name}.mjs`);
  await flow[name]();
}
await browser.close();
if (!process.env.LAINI_FLOWS) everyPageWasLookedAt();
expect(wrong.length === 0, wrong.join("\n"));
console.log(`browser checks passed: ${count.passed}`);
