import { PASSWORD, accept, base, expect, look, ok, visitor } from "../lib.mjs";
import { createHmac } from "node:crypto";
import { provider } from "../provider.mjs";

/** As what laini is registered at the provider, and an invitation of somebody who has a password as well. */
const client = JSON.parse(process.env.LAINI_SIGN_ON);
/** Who has none: they were invited and come by the provider alone. */
const INVITED = "invited@bank.example";
const BOTH = "both@bank.example";
const STEP_S = 30;

/** The code of a second factor (RFC 6238) now. */
function factorCode(secret) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / STEP_S)));
  const hash = createHmac("sha1", key).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** From the door to the provider. */
async function goThere(page, next = "") {
  await page.goto(`${base}/sign-in${next && `?next=${encodeURIComponent(next)}`}`);
  await page.click("text=Sign in at the identity provider");
}

/** Until the browser is there. */
const arrived = (page) => page.waitForURL((url) => url.href.startsWith(`${client.issuer}/authorize?`));

/** What somebody says there. */
async function say(page, email, { factor = false, decision = "allow" } = {}) {
  await arrived(page);
  await page.fill("[name=email]", email);
  if (factor) await page.check("[name=factor]");
  await page.click(`[value=${decision}]`);
  await page.waitForURL((url) => url.href.startsWith(base));
}

/** That they are not let in, and are told why where they may try again. */
async function refused(visit, name, why) {
  const { page } = visit;
  const told = await page.textContent("[role=alert]");
  expect(told.includes(why) && !told.includes("Invalid"), `${name}: ${told}`);
  expect(await page.isVisible("#password"), "the password is there");
  expect(await page.isVisible("text=Sign in at the identity provider"), "and the way to begin anew");
  await look(visit, `sign-on-${name}`);
}

async function signOut(page) {
  await page.click("text=Sign out");
  await page.waitForSelector("a[href='/sign-in']");
}

/** Signing in at an identity provider: who is let in, who is not, and the second factor of one of the two. */
export async function sign_on() {
  const visit = await visitor({ elsewhere: client.issuer });
  const { page } = visit;
  await page.goto(`${base}/sign-in`);
  await look(visit, "sign-on");
  await goThere(page);
  await refused(visit, "down", "cannot be asked now");
  ok("a provider that is down keeps nobody from the password");
  const there = await provider(client);
  await refusals(visit);
  await invited(visit);
  await both();
  await there.close();
  await visit.context.close();
}

async function refusals(visit) {
  const { page } = visit;
  await goThere(page);
  await say(page, "stranger@bank.example");
  await refused(visit, "unknown", "nobody here has this e-mail address");
  await goThere(page);
  await say(page, "somebody@elsewhere.example");
  await refused(visit, "domain", "a domain that does not sign in here");
  await goThere(page);
  await say(page, INVITED, { decision: "deny" });
  await refused(visit, "denied", "did not let you in");
  await page.goto(`${base}/back?error=invalid_scope&error_description=%3Cb%3Ecall+0700%3C%2Fb%3E`);
  await refused(visit, "wrong-there", "tell whoever runs this portal");
  expect(!(await page.textContent("body")).includes("0700"), "what an address says is not repeated");
  ok("who is not known, not of here or not let in is told so");

  // A code that another browser was granted, with a state of its own: nobody is signed in as somebody else.
  const other = await visitor({ elsewhere: client.issuer });
  await goThere(other.page);
  await arrived(other.page);
  const id = (await (await fetch(other.page.url())).text()).match(/name="id" value="([^"]+)"/)[1];
  const said = new URLSearchParams({ id, email: INVITED, decision: "allow" });
  const answer = await fetch(`${client.issuer}/authorize`, { method: "POST", body: said, redirect: "manual" });
  const taken = answer.headers.get("location");
  await other.context.close();
  await goThere(page);
  await arrived(page);
  await page.goto(taken);
  await refused(visit, "crossed", "not begun in this browser");
  const fresh = await visitor();
  await fresh.page.goto(taken);
  await refused(fresh, "not-begun", "not begun in this browser");
  await fresh.context.close();
  ok("what another browser began signs nobody in");
}

async function invited(visit) {
  const { page } = visit;
  await goThere(page, "/account");
  await say(page, INVITED);
  expect(page.url() === `${base}/account`, `the page that was wanted, and not ${page.url()}`);
  expect((await page.textContent(".head p")).startsWith(`${INVITED.split("@")[0]} ·`), "it is they");
  await look(visit, "sign-on-account");
  const names = (await visit.context.cookies()).map((cookie) => cookie.name);
  expect(!names.some((name) => /sign_on|next|code/.test(name)), `what the way needed is gone: ${names}`);
  await signOut(page);
  await goThere(page, "//evil.example/");
  await say(page, INVITED);
  expect(page.url() === `${base}/`, `no other host: ${page.url()}`);
  await signOut(page);
  ok("whoever was invited comes in without a password, to the page that they wanted");
}

async function both() {
  const visit = await visitor({ elsewhere: client.issuer });
  const { page } = visit;
  await accept(visit, client.invitation);
  await page.goto(`${base}/account`);
  await page.click("text=Set it up");
  await page.fill("#password", PASSWORD);
  await page.click("main button.primary");
  await page.fill("#code", factorCode(await page.textContent("#factor")));
  await page.click("main button.primary");
  const recovery = (await page.textContent(".note.good code")).trim().split(/\s+/);
  await signOut(page);
  await goThere(page, "/account");
  await say(page, BOTH);
  await page.waitForURL(`${base}/sign-in/code`);
  await look(visit, "sign-on-code");
  await page.fill("#code", "no");
  await page.click("main button.primary");
  expect(await page.isVisible("[role=alert]"), "what cannot be a code is told");
  await page.fill("#code", recovery[0]);
  await page.click("main button.primary");
  await look(visit, "sign-on-code-kept");
  await page.click("main a.primary");
  await say(page, BOTH);
  expect(page.url() === `${base}/account`, `after the code, the page that was wanted: ${page.url()}`);
  await signOut(page);
  ok("a second factor of here is asked for where the provider asked for none");
  await goThere(page);
  await say(page, BOTH, { factor: true });
  expect(page.url() === `${base}/`, `the provider's own counts: ${page.url()}`);
  await signOut(page);
  ok("and not where it asked for its own");
  await visit.context.close();
}
