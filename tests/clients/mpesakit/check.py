"""Asks about one number with mpesakit's HTTP client; prints one JSON line per call."""

import json
import os

from mpesakit.auth import TokenManager
from mpesakit.errors import MpesaApiException
from mpesakit.http_client import MpesaHttpClient

K, S, N = os.environ["K"], os.environ["S"], os.environ["N"]
http = MpesaHttpClient(env="sandbox")
http.base_url = os.environ["LAINI_BASE_URL"]
tokens = TokenManager(consumer_key=K, consumer_secret=S, http_client=http)


def report(call, ask):
    try:
        print(json.dumps({"call": call, **ask()}))
    except MpesaApiException as exception:
        error = exception.error
        body = error.raw_response if isinstance(error.raw_response, dict) else {}
        line = {"call": call, "error": str(error), "status": error.status_code}
        print(json.dumps({**line, "code": body.get("errorCode")}))


def check():
    headers = {"Authorization": f"Bearer {tokens.get_token()}", "Content-Type": "application/json"}
    return {"answer": http.post("/imsi/v1/checkATI", json={"customerNumber": N}, headers=headers)}


report("token", lambda: {"length": len(tokens.get_token())})
report("imsi", check)
