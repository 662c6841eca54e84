// Asks about one number with daraja.js; prints one JSON line per call.
const { Mpesa } = require("daraja.js");

const { K, S, N, LAINI_BASE_URL } = process.env;
const client = new Mpesa({ consumerKey: K, consumerSecret: S, securityCredential: "x" }, "sandbox");
client._http.baseUrl = LAINI_BASE_URL;

async function report(call, ask) {
  try {
    console.log(JSON.stringify({ call, ...(await ask()) }));
  } catch (error) {
    // A refused token arrives as text alone: "AxiosError: Request failed with status code 400".
    const status = error.response?.status ?? Number(/status code (\d+)/.exec(error.message)?.[1]);
    const code = error.response?.data?.errorCode ?? null;
    console.log(JSON.stringify({ call, error: error.message, status, code }));
  }
}

async function check() {
  const headers = { Authorization: "Bearer " + (await client._getAuthToken()) };
  return { answer: (await client._http.post("/imsi/v1/checkATI", { customerNumber: N }, headers)).data };
}

(async () => {
  await report("token", async () => ({ length: (await client._getAuthToken()).length }));
  await report("imsi", check);
})();
