// Drives the portal as people do, in a real browser, one flow after the other.
//
// LAINI_BASE_URL: a demo server. LAINI_OWNER, LAINI_STAFF: tokens of invitations. LAINI_PICTURES: a folder.
// LAINI_LETTERS: where the server's letters are. LAINI_SIGN_ON: as what the server is registered at an identity provider
// ({"issuer", "client_id", "client_secret", "redirect_url"}), and the token of an "invitation" of both@bank.example.
// LAINI_CHROMIUM: the browser. LAINI_MODULES: where the packages are, since NODE_PATH does not hold for modules.
// LAINI_FLOWS: the names of some flows, with commas between; without it, all of them.

import { browser, count, expect, wrong } from "./lib.mjs";

/** In this order: later ones find what earlier ones left. */
const FLOWS = ["everybody", "owner", "build", "staff", "billing", "incidents", "desk", "people", "privacy", "sign_on", "docs", "hostile"];

const chosen = process.env.LAINI_FLOWS?.split(",") ?? FLOWS;
for (const name of FLOWS.filter((name) => chosen.includes(name))) {
  const flow = await import(`./flows/${name}.mjs`);
  await flow[name]();
}
await browser.close();
expect(wrong.length === 0, wrong.join("\n"));
console.log(`browser checks passed: ${count.passed}`);
