// An identity provider on this machine (OpenID Connect Core 1.0): discovery, the authorization code flow with PKCE, a
// page on which somebody says who they are, and tokens signed by a key of its own. It is as strict as one has to be.

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const TOKEN_LASTS_S = 300;
const json = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Whoever asks is told why not, and sent nowhere. */
class Refused extends Error {}
const insist = (truth, why) => { if (!truth) throw new Refused(why); };

/** Runs for one client, `{ issuer, client_id, client_secret, redirect_url }`, until it is closed. */
export async function provider(client) {
  const { issuer } = client;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomUUID();
  /** What was asked and not answered yet, and codes that were not redeemed yet. */
  const asked = new Map();
  const codes = new Map();
  const subjects = new Map();

  function describe() {
    return {
      issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
      response_types_supported: ["code"], subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"], code_challenge_methods_supported: ["S256"],
    };
  }

  /** The page on which somebody says who they are. */
  function ask(query) {
    const is = (name, value) => insist(query.get(name) === value, `${name} is ${query.get(name)}`);
    is("client_id", client.client_id);
    is("redirect_uri", client.redirect_url);
    is("response_type", "code");
    is("code_challenge_method", "S256");
    insist(query.get("scope").split(" ").includes("openid"), "the scope is not openid");
    for (const name of ["state", "nonce", "code_challenge"]) insist(query.get(name)?.length >= 32, `${name} is too short`);
    const id = randomUUID();
    asked.set(id, Object.fromEntries(query));
    return `<!doctype html><html lang="en"><title>Sign in</title><form method="post" action="/authorize">
      <input type="hidden" name="id" value="${id}"><label>E-mail <input name="email"></label>
      <label><input type="checkbox" name="factor"> with a second factor</label>
      <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form></html>`;
  }

  /** Where their browser goes then. */
  function decide(form) {
    const question = asked.get(form.get("id"));
    insist(asked.delete(form.get("id")), "it was not asked, or was answered already");
    const back = new URL(question.redirect_uri);
    back.searchParams.set("state", question.state);
    if (form.get("decision") === "allow") {
      const code = randomUUID();
      codes.set(code, { question, email: form.get("email"), factor: form.get("factor") !== null });
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", "access_denied");
    }
    return back.href;
  }

  function redeem(authorization, form) {
    // Each of the two is form-encoded first (RFC 6749, 2.3.1).
    const shown = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString().split(":");
    const [id, secret] = shown.map((part) => new URLSearchParams(`of=${part}`).get("of"));
    insist(id === client.client_id && secret === client.client_secret, "that is another client");
    const granted = codes.get(form.get("code"));
    insist(codes.delete(form.get("code")), "the code was not granted, or was used already");
    const { question, email, factor } = granted;
    insist(form.get("grant_type") === "authorization_code", "no other grant");
    insist(form.get("redirect_uri") === question.redirect_uri, "that is another address");
    const challenge = createHash("sha256").update(form.get("code_verifier")).digest("base64url");
    insist(challenge === question.code_challenge, "the verifier does not fit");
    if (!subjects.has(email)) subjects.set(email, randomUUID());
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer, sub: subjects.get(email), aud: client.client_id, iat: now, exp: now + TOKEN_LASTS_S,
      nonce: question.nonce, email, email_verified: true, amr: factor ? ["pwd", "otp", "mfa"] : ["pwd"],
    };
    const text = `${json({ alg: "ES256", typ: "JWT", kid })}.${json(claims)}`;
    const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
    const id_token = `${text}.${signature.toString("base64url")}`;
    return { access_token: randomUUID(), token_type: "Bearer", expires_in: TOKEN_LASTS_S, id_token };
  }

  async function answer(request, response) {
    const url = new URL(request.url, issuer);
    let body = "";
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    const send = (type, text) => response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(text);
    const tell = (value) => send("application/json", JSON.stringify(value));
    switch (`${request.method} ${url.pathname}`) {
      case "GET /.well-known/openid-configuration": return tell(describe());
      case "GET /keys": return tell({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" }] });
      case "GET /authorize": return send("text/html; charset=utf-8", ask(url.searchParams));
      case "POST /authorize": return response.writeHead(303, { location: decide(form) }).end();
      case "POST /token": return tell(redeem(request.headers.authorization, form));
      default: return response.writeHead(404).end();
    }
  }

  const server = createServer((request, response) => answer(request, response).catch((error) => {
    if (!(error instanceof Refused)) throw error;
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: "invalid_request", error_description: error.message }));
  }));
  await new Promise((ready) => server.listen(Number(new URL(issuer).port), "127.0.0.1", ready));
  return { close: () => new Promise((closed) => { server.close(closed); server.closeAllConnections(); }) };
}
