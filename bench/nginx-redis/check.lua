-- The check as one would write it on nginx and Redis: token, look-up, record, answer.

local ffi = require "ffi"
local cjson = require "cjson.safe"

-- nginx has libcrypto loaded; HMAC-SHA-256 straight from there is the quickest that Lua can have.
ffi.cdef [[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *md, const void *key, int key_len, const unsigned char *data, size_t n,
                    unsigned char *out, unsigned int *out_len);
int CRYPTO_memcmp(const void *a, const void *b, size_t len);
]]

local TOKEN_SECRET = "the key of the tokens, 32 bytes..."
local PSEUDONYM_KEY = "the key of the pseudonyms of a partner"
local TOKEN_SECONDS = 3600
local DAY = 86400
local POOL = { pool = "redis", pool_size = 64 }
local POOL_IDLE_MS = 60000

local REDIS = "unix:" .. os.getenv("REDIS_SOCKET")
local APP_KEY, APP_SECRET = os.getenv("APP_KEY"), os.getenv("APP_SECRET")
local products = { [APP_KEY] = { imsi = 2000 } }

-- Look-up and record in one round trip; the record holds who asked, what was disclosed, and the charge.
local SCRIPT = [[
local line = redis.call('GET', KEYS[1])
if line then
  redis.call('XADD', KEYS[2], '*', 'id', ARGV[1], 'app', ARGV[2], 'number', KEYS[1], 'facts', line, 'charge', ARGV[3])
end
return line]]
local script_sha

local mac = ffi.new("unsigned char[32]")
local mac_words = ffi.cast("uint64_t *", mac)
local sha256 = ffi.C.EVP_sha256()

local function hmac(key, text)
  ffi.C.HMAC(sha256, key, #key, text, #text, mac, nil)
end

-- A stated length is cheaper than chunks.
local function answer(body)
  ngx.header.content_length = #body
  ngx.print(body)
end

local function refuse(status, code, text)
  ngx.status = status
  answer(('{"requestId":"%s","errorCode":"%s","errorMessage":"%s"}'):format(ngx.var.request_id, code, text))
end

-- key.expiry.mac: nothing is stored for a token, nothing asked of Redis for it.
local function signed(payload)
  hmac(TOKEN_SECRET, payload)
  return ngx.encode_base64(ffi.string(mac, 32))
end

local function app_of_token()
  local header = ngx.var.http_authorization
  local payload, key, expiry, given = (header or ""):match("^Bearer (([^.]+)%.(%d+))%.(.+)$")
  if not payload or tonumber(expiry) < ngx.time() then return nil end
  local expected = signed(payload)
  if #given ~= #expected or ffi.C.CRYPTO_memcmp(expected, given, #expected) ~= 0 then return nil end
  return key
end

-- Reads one bulk reply; `false` where Redis answers nil, nil and the reason where it fails.
local function bulk(socket)
  local head, broken = socket:receive("*l")
  if not head then return nil, broken end
  if head:byte(1) ~= 36 then return nil, head end
  local size = tonumber(head:sub(2))
  if size < 0 then return false end
  local data, cut = socket:receive(size + 2)
  if not data then return nil, cut end
  return data:sub(1, size)
end

local function command(...)
  local parts = { "*" .. select("#", ...) }
  for _, word in ipairs { ... } do parts[#parts + 1] = "$" .. #word .. "\r\n" .. word end
  return table.concat(parts, "\r\n") .. "\r\n"
end

local function ask(request)
  local socket = ngx.socket.tcp()
  socket:settimeout(4000)
  local ok, refused = socket:connect(REDIS, POOL)
  if not ok then return nil, refused end
  local sent, cut = socket:send(request)
  if not sent then return nil, cut end
  local reply, wrong = bulk(socket)
  if reply == nil then
    socket:close()
    return nil, wrong
  end
  socket:setkeepalive(POOL_IDLE_MS)
  return reply
end

local function look_up_and_record(number, id, app, charge)
  if not script_sha then
    local sha, wrong = ask(command("SCRIPT", "LOAD", SCRIPT))
    if not sha then return nil, wrong end
    script_sha = sha
  end
  return ask(command("EVALSHA", script_sha, "2", number, "ledger", id, app, charge))
end

local function pseudonym(imsi)
  hmac(PSEUDONYM_KEY, imsi)
  local digits = tostring(mac_words[0] % 10000000000000000ULL):sub(1, -4)
  return ("0"):rep(16 - #digits) .. digits
end

-- RFC 3339 in UTC compares as text.
local function since(days) return os.date("!%Y-%m-%dT%H:%M:%SZ", ngx.time() - days * DAY) end
local function day(instant) return instant:sub(9, 10) .. "-" .. instant:sub(6, 7) .. "-" .. instant:sub(1, 4) end

local function imsi()
  local app = app_of_token()
  if not app then return refuse(401, "401.002.01", "Error Occurred - Invalid Access Token") end
  local charge = products[app] and products[app].imsi
  if not charge then return refuse(401, "401.002.01", "Invalid API call as no apiproduct match found") end
  local body = cjson.decode(ngx.req.get_body_data() or "")
  local number = type(body) == "table" and body.customerNumber
  if type(number) ~= "string" or #number ~= 12 or not number:find("^254%d+$") then
    return refuse(400, "400.002.02", "Bad Request - Invalid customerNumber")
  end
  local id = ngx.var.request_id
  local line, wrong = look_up_and_record(number, id, app, tostring(charge))
  if line == nil then
    ngx.log(ngx.ERR, "redis: ", wrong)
    return refuse(503, "503.002.03", "Record not confirmed")
  end
  if not line then return refuse(404, "404.002.01", "Resource not found") end
  local sim, registered, swapped = line:match("^(%d+),([^,]*),(.*)$")
  local swap = swapped >= since(92) and day(swapped) or "01-01-1900"
  local registration = registered >= since(365) and day(registered) or "MSISDN registration is more than one year old"
  answer('{"requestRefID":"' .. id .. '","responseCode":"200","responseDesc":"Success","imsi":"' .. pseudonym(sim)
    .. '","lastSwapDate":"' .. swap .. '","msisdnRegistrationDate":"' .. registration
    .. '","customerNumber":"' .. number .. '"}')
end

local function token()
  local form = ngx.req.get_post_args()
  if form.grant_type ~= "client_credentials" or form.client_id ~= APP_KEY or form.client_secret ~= APP_SECRET then
    return refuse(401, "400.008.01", "Invalid Authentication passed")
  end
  local payload = APP_KEY .. "." .. (ngx.time() + TOKEN_SECONDS)
  answer(('{"access_token":"%s.%s","token_type":"Bearer","expires_in":%d}'):format(payload, signed(payload), TOKEN_SECONDS))
end

return { imsi = imsi, token = token }
