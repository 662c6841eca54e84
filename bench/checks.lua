-- wrk asks for random numbers of the registry: POST /imsi/v1/checkATI with a bearer token.
-- Arguments: the file of numbers (one a line, shuffled), the token.
-- LAINI_BENCH_ADDRESSES: host:port of each server, separated by blanks; its threads take them in turn.
-- Prints one JSON line at the end, which the bench reads.

local threads = 0
local addresses = {}
for address in (os.getenv("LAINI_BENCH_ADDRESSES") or ""):gmatch("%S+") do addresses[#addresses + 1] = address end

function setup(thread)
  thread:set("thread_index", threads)
  if #addresses > 1 then
    local host, port = addresses[threads % #addresses + 1]:match("^(.*):(%d+)$")
    thread.addr = wrk.lookup(host, port)[1]
  end
  threads = threads + 1
end

function init(args)
  local token = args[2]
  numbers = {}
  for number in io.lines(args[1]) do numbers[#numbers + 1] = number end
  math.randomseed(os.time() * 31 + thread_index)
  at = math.random(#numbers)
  -- Every number has 12 digits, so every request has the same length.
  head = "POST /imsi/v1/checkATI HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nAuthorization: Bearer " .. token
    .. "\r\nContent-Type: application/json\r\nContent-Length: 34\r\n\r\n{\"customerNumber\": \""
  tail = "\"}"
end

function request()
  at = at % #numbers + 1
  return head .. numbers[at] .. tail
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
