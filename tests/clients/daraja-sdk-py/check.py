"""Asks about one number with daraja-sdk-py; prints one JSON line per call."""

import json
import os

import daraja.environment as env
import httpx

env.SANDBOX_BASE_URL = os.environ["LAINI_BASE_URL"]  # read at call time

from daraja import IMSIRequest, Mpesa, SwapRequest  # noqa: E402
from daraja.exceptions import MpesaError  # noqa: E402

K, S, N = os.environ["K"], os.environ["S"], os.environ["N"]
client = Mpesa({"consumer_key": K, "consumer_secret": S, "max_retries": 0})


def refusal(error):
    """What the client lets its caller see of an error answer; the token door's comes from httpx."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code, error.response.json()
    body = error.raw_response
    return error.status_code, body if isinstance(body, dict) else json.loads(body or "{}")


def report(call, ask):
    try:
        print(json.dumps({"call": call, **ask()}))
    except (MpesaError, httpx.HTTPStatusError) as error:
        status, body = refusal(error)
        print(json.dumps({"call": call, "error": str(error), "status": status, "code": body.get("errorCode")}))


report("token", lambda: {"length": len(client.get_access_token())})
report("imsi", lambda: {"answer": client.imsi_query(IMSIRequest(customerNumber=N)).model_dump()})
report("swap", lambda: {"answer": client.swap(SwapRequest(customerNumber=N)).model_dump()})
