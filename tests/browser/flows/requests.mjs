import { base, expect, look, ok, signIn, visitor } from "../lib.mjs";

const IMSI = "/imsi/v1/checkATI";
/** A look for a masked number ends after 2,000 failed calls: these are more, in portions that the log has room for. */
const PORTIONS = 3;
const CALLS_OF_PORTION = 800;
/** So many calls are on their way at once. */
const AT_ONCE = 8;
/** Calls are in the log a second after they were answered, and so does a new app come to be known; on a busy machine, later. */
const WITHIN_MS = 20_000;
const LOOK_AGAIN_MS = 100;

/** A developer looks for a call that lies behind thousands of others. */
export async function requests() {
  const visit = await visitor();
  const { page } = visit;
  await signIn(visit, "owner@bank.example");
  await page.goto(`${base}/apps`);
  await page.fill("#name", "Log flow");
  await page.click("#create button.primary");
  const [secret, key] = [await page.textContent("#secret"), await page.textContent("#key")];
  const credentials = Buffer.from(`${key.trim()}:${secret.trim()}`).toString("base64");
  const check = (authorization, customerNumber) => {
    const headers = { authorization, "content-type": "application/json" };
    return fetch(`${base}${IMSI}`, { method: "POST", headers, body: JSON.stringify({ customerNumber }) });
  };
  const token = await tokenOf(page, credentials);
  const answered = await check(`Bearer ${token}`, "254722000002");
  expect(answered.status === 200, `a good call: ${answered.status}`);
  const { requestRefID: wanted } = await answered.json();
  await page.goto(`${base}/requests`);
  const app = await page.getAttribute("#app option:has-text('Log flow')", "value");
  for (let portion = 1; portion <= PORTIONS; portion += 1) {
    await many(CALLS_OF_PORTION, async () => {
      const refused = await check(`Bearer ${token}`, "12345");
      await refused.arrayBuffer();
      expect(refused.status >= 400, `a bad number: ${refused.status}`);
    });
    await logged(page, app, portion * CALLS_OF_PORTION);
  }

  const looks = [];
  page.on("response", (answer) => answer.request().method() === "POST" && looks.push(answer.status()));
  await page.goto(`${base}/requests`);
  await page.fill("#find", "254******002");
  await page.click("main form button.primary");
  await page.waitForSelector(`#calls a[href$="${wanted}"]`);
  expect(looks.length > 1 && looks.every((status) => status === 200), `the page looked on by itself: ${looks}`);
  expect(!(await page.isVisible("#calls[aria-busy]")), "it has done looking");
  await look(visit, "requests-of-number-far-back");
  ok(`a call behind ${PORTIONS * CALLS_OF_PORTION} others was found by ${looks.length} looks`);

  // Whose session ends meanwhile is asked to sign in, and comes back.
  await page.route((url) => url.pathname === "/requests", async (route) => {
    if (route.request().headers()["hx-request"]) await visit.context.clearCookies();
    await route.continue();
  });
  await page.fill("#find", "254******002");
  await page.click("main form button.primary");
  await page.waitForURL(`${base}/sign-in?next=%2Frequests`);
  ok("a page that looks on after its session ended leads to signing in");
  await visit.context.close();
}

/** A token; an app that was just made is known to the doors a moment later. */
async function tokenOf(page, credentials) {
  const headers = { authorization: `Basic ${credentials}` };
  return inTime(page, "a new app is given a token", async () => {
    const given = await fetch(`${base}/oauth/v1/generate?grant_type=client_credentials`, { headers });
    return (await given.json()).access_token;
  });
}

/** What comes of something, as soon as something does. */
async function inTime(page, what, something) {
  for (const until = Date.now() + WITHIN_MS; ; await page.waitForTimeout(LOOK_AGAIN_MS)) {
    const come = await something();
    if (come) return come;
    expect(Date.now() < until, what);
  }
}

/** Does something so often, some of it at the same time. */
async function many(times, something) {
  let left = times;
  const some = async () => {
    while (left > 0) {
      left -= 1;
      await something();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

/** Waits until so many failed calls of an app are in the log. */
async function logged(page, app, calls) {
  await inTime(page, `${calls} failed calls are in the log`, async () => {
    const file = await page.context().request.get(`${base}/requests.csv?answered=failed&app=${app}`);
    return (await file.text()).trimEnd().split("\r\n").length > calls;
  });
}
