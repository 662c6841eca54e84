// The check as one would write it on Fastify and PostgreSQL: token, look-up, record, answer.
'use strict'

const cluster = require('node:cluster')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')

const TOKEN_SECRET = 'the key of the tokens, 32 bytes...'
const PSEUDONYM_KEY = 'the key of the pseudonyms of a partner'
const TOKEN_SECONDS = 3600
const DAY_MS = 86_400_000
// Connections to PostgreSQL of each worker; the driver sends several queries down each without waiting.
const POOL = 8

const { APP_KEY, APP_SECRET } = process.env
// --listen ADDRESS --ready-file FILE, as every server of the bench is told; the port is always a free one.
const READY_FILE = process.argv[process.argv.indexOf('--ready-file') + 1]
const products = { [APP_KEY]: { imsi: 2000 } }

// One worker a core; all listen on the port that the first was given.
if (cluster.isPrimary) {
  let listening = 0
  const cores = os.availableParallelism()
  cluster.on('listening', (_worker, address) => {
    listening += 1
    if (listening < cores) return
    fs.writeFileSync(`${READY_FILE}.tmp`, JSON.stringify({ base_url: `http://127.0.0.1:${address.port}` }))
    fs.renameSync(`${READY_FILE}.tmp`, READY_FILE)
  })
  for (let core = 0; core < cores; core += 1) cluster.fork()
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM')
    cluster.disconnect(() => process.exit(0))
  })
} else {
  serve()
}

function signed (payload) {
  return crypto.createHmac('sha256', TOKEN_SECRET).update(payload).digest()
}

// key.expiry.mac in hexadecimal digits: nothing is stored for a token, nothing asked of the database for it.
function appOfToken (header) {
  if (!header?.startsWith('Bearer ')) return null
  const [key, expiry, mac] = header.slice(7).split('.')
  if (mac?.length !== 64 || Number(expiry) < Date.now() / 1000) return null
  return crypto.timingSafeEqual(signed(`${key}.${expiry}`), Buffer.from(mac, 'hex')) ? key : null
}

function pseudonym (imsi) {
  const mac = crypto.createHmac('sha256', PSEUDONYM_KEY).update(imsi).digest()
  return (mac.readBigUInt64LE(0) % 10_000_000_000_000_000n).toString().padStart(16, '0')
}

function day (instant) {
  const [year, month, date] = instant.toISOString().slice(0, 10).split('-')
  return `${date}-${month}-${year}`
}

function serve () {
  const sql = require('postgres')({ max: POOL, prepare: true })
  const fastify = require('fastify')({ logger: false, bodyLimit: 16 * 1024, keepAliveTimeout: 75_000 })

  // Fastify compiles the schemas: bodies are checked and answers written without reflection.
  const text = { type: 'string' }
  const names = ['requestRefID', 'responseCode', 'responseDesc', 'imsi', 'lastSwapDate', 'msisdnRegistrationDate', 'customerNumber']
  const schema = {
    body: { type: 'object', required: ['customerNumber'], properties: { customerNumber: { type: 'string', pattern: '^254[0-9]{9}$' } } },
    response: { 200: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, text])) } }
  }

  fastify.post('/imsi/v1/checkATI', { schema }, async (request, reply) => {
    const app = appOfToken(request.headers.authorization)
    const charge = app === null ? undefined : products[app]?.imsi
    if (charge === undefined) return reply.code(401).send({ errorCode: '401.002.01', errorMessage: 'Invalid Access Token' })
    const { customerNumber } = request.body
    const id = crypto.randomUUID()
    // Look-up and record in one prepared statement, one round trip and one transaction.
    const [line] = await sql`
      WITH line AS (
        SELECT msisdn, imsi, registered_at, last_swap_at FROM lines WHERE msisdn = ${customerNumber} AND status = 'active'
      ), record AS (
        INSERT INTO ledger (request_id, app, msisdn, registered_at, last_swap_at, charge_cents)
        SELECT ${id}, ${app}, msisdn, registered_at, last_swap_at, ${charge} FROM line
      )
      SELECT imsi, registered_at, last_swap_at FROM line`
    if (line === undefined) return reply.code(404).send({ errorCode: '404.002.01', errorMessage: 'Resource not found' })
    const now = Date.now()
    return {
      requestRefID: id,
      responseCode: '200',
      responseDesc: 'Success',
      imsi: pseudonym(line.imsi),
      lastSwapDate: line.last_swap_at !== null && line.last_swap_at >= now - 92 * DAY_MS ? day(line.last_swap_at) : '01-01-1900',
      msisdnRegistrationDate: line.registered_at >= now - 365 * DAY_MS ? day(line.registered_at) : 'MSISDN registration is more than one year old',
      customerNumber
    }
  })

  fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))))
  fastify.post('/oauth2/token', async (request, reply) => {
    const form = request.body
    if (form.grant_type !== 'client_credentials' || form.client_id !== APP_KEY || form.client_secret !== APP_SECRET) {
      return reply.code(401).send({ error: 'invalid_client' })
    }
    const payload = `${APP_KEY}.${Math.floor(Date.now() / 1000) + TOKEN_SECONDS}`
    return { access_token: `${payload}.${signed(payload).toString('hex')}`, token_type: 'Bearer', expires_in: TOKEN_SECONDS }
  })

  process.on('SIGTERM', () => process.exit(0))
  fastify.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
}
