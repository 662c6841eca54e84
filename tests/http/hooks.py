"""How bodies are sent that schemathesis does not know: what is a text goes as it is, the rest as a JSON line."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def lines(_, value):
    text = value if isinstance(value, (bytes, str)) else json.dumps(value)
    return {"data": text if isinstance(text, bytes) else text.encode(errors="surrogatepass")}


@schemathesis.deserializer("application/x-ndjson")
def last_line(_, response):
    return json.loads(response.content.splitlines()[-1])
