// Asks about one number with mpesa-node; prints one JSON line per call.
const Mpesa = require("mpesa-node");

const { K, S, N, LAINI_BASE_URL } = process.env;
const client = new Mpesa({ consumerKey: K, consumerSecret: S, environment: "sandbox" });
client.baseURL = LAINI_BASE_URL;

async function report(call, ask) {
  try {
    console.log(JSON.stringify({ call, ...(await ask()) }));
  } catch (error) {
    const { status = null, data = {} } = error.response ?? {};
    console.log(JSON.stringify({ call, error: error.message, status, code: data.errorCode ?? null }));
  }
}

async function check() {
  const authorised = await client.request(); // mints a token of its own
  return { answer: (await authorised.post("/imsi/v1/checkATI", { customerNumber: N })).data };
}

(async () => {
  await report("token", async () => ({ length: (await client.oAuth()).data.access_token.length }));
  await report("imsi", check);
})();
