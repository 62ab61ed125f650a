// A certified authorization server, set up the way partners are onboarded: node server.mjs CONFIG.json
//
// It keeps oidc-provider's own behaviour wherever possible: what it does with the tokens of a deleted client, or with the
// revocation of a JWT, is what the tests are about.
import { appendFileSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import https from 'node:https';
import Provider, { errors } from 'oidc-provider';

const config = JSON.parse(readFileSync(process.argv[2]));

// The provider's default adapter is an LRU of 1000 entries, which silently forgets clients and tokens under load.
const stores = new Map();
class MapAdapter {
  constructor(name) {
    if (!stores.has(name)) stores.set(name, new Map());
    this.store = stores.get(name);
  }

  async upsert(id, payload, expiresIn) {
    this.store.set(id, { payload, ends: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
  }

  async find(id) {
    const kept = this.store.get(id);
    if (!kept) return undefined;
    if (kept.ends < Date.now()) {
      this.store.delete(id);
      return undefined;
    }
    return kept.payload;
  }

  async findByMember(member, value) {
    for (const id of this.store.keys()) {
      const payload = await this.find(id);
      if (payload?.[member] === value) return payload;
    }
    return undefined;
  }

  async findByUid(uid) { return this.findByMember('uid', uid); }

  async findByUserCode(code) { return this.findByMember('userCode', code); }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) { this.store.delete(id); }

  async revokeByGrantId(grantId) {
    for (const [id, kept] of this.store) if (kept.payload.grantId === grantId) this.store.delete(id);
  }
}

const certificate = (ctx) => ctx.socket.getPeerX509Certificate?.();
const life = config.token_life_seconds;

const provider = new Provider(config.issuer, {
  adapter: MapAdapter,
  jwks: config.jwks,
  clients: config.clients,
  scopes: ['payments:read', 'payments:write'],
  cookies: { keys: [config.cookie_key] },
  ttl: { ClientCredentials: life, AccessToken: life },
  clientDefaults: {
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'ES256',
  },
  // What it fetches is told, for who looks whether it does.
  fetch: (url, options) => {
    console.log(`fetches ${url}`);
    return globalThis.fetch(url, options);
  },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    registration: config.registration ? { enabled: true, initialAccessToken: config.initial_access_token } : { enabled: false },
    registrationManagement: { enabled: config.registration, rotateRegistrationAccessToken: true },
    // Partners must not ask about tokens: only the gateway and, where there is one, the ride's resource server may.
    introspection: { enabled: true, allowedPolicy: async (ctx, client) => config.may_introspect.includes(client.clientId) },
    revocation: { enabled: true },
    dPoP: config.nonce_secret
      ? { enabled: true, nonceSecret: Buffer.from(config.nonce_secret, 'base64'), requireNonce: () => true }
      : { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: certificate,
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => {
        const shown = certificate(ctx);
        if (property === 'tls_client_auth_subject_dn') return shown.subject.split('\n').reverse().join(',') === expected;
        if (property === 'tls_client_auth_san_dns') return (shown.subjectAltName || '').split(', ').includes(`DNS:${expected}`);
        return false;
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => config.default_resource,
      getResourceServerInfo: async (ctx, resource) => {
        if (!config.resources[resource]) throw new errors.InvalidTarget();
        return { scope: 'payments:read payments:write', audience: resource, accessTokenTTL: life, ...config.resources[resource] };
      },
      useGrantedResource: async () => true,
    },
  },
});

provider.on('server_error', (ctx, error) => console.error('server_error', error));

// One line per event: who, what, how it ended, and the caller's trace.
const events = [
  'registration_create.success', 'registration_create.error', 'registration_read.error', 'registration_update.success',
  'registration_update.error', 'registration_delete.success', 'registration_delete.error', 'grant.success', 'grant.error',
  'introspection.error', 'revocation.error', 'client_credentials.saved', 'client_credentials.issued', 'client_credentials.destroyed',
];
for (const event of events) {
  provider.on(event, (...given) => {
    const ctx = given.find((x) => x?.oidc) ?? Provider.ctx;
    const error = given.find((x) => x instanceof Error);
    const token = given.find((x) => x?.kind);
    const line = {
      ts: new Date().toISOString(),
      event,
      client_id: ctx?.oidc?.client?.clientId ?? token?.clientId ?? given.find((x) => x?.clientId)?.clientId,
      jti: token?.jti,
      ip: ctx?.ip,
      error: error?.error,
      detail: error?.error_detail ?? error?.message,
      trace: ctx?.get?.('traceparent') || undefined,
    };
    appendFileSync(config.audit, `${JSON.stringify(line)}\n`);
  });
}

// The operator's own way, for hooks: oidc-provider has no management API, so the operator works on its stores. A suspended
// client is not found, and its opaque tokens are ended; a client whose scope is cut keeps the tokens that it has.
const suspended = new Map();
const timers = new Map();
let introspects = true;
const clients = () => stores.get('Client') ?? new Map();
const operations = {
  suspend(id) {
    if (!clients().has(id)) return 404;
    suspended.set(id, clients().get(id));
    clients().delete(id);
    for (const [jti, kept] of stores.get('ClientCredentials') ?? []) if (kept.payload.clientId === id) stores.get('ClientCredentials').delete(jti);
    return 204;
  },
  // Just-in-time access between two times, which ends by itself.
  schedule(id, scope, from, until) {
    const untilThen = (at) => Math.max(0, Date.parse(at) - Date.now());
    for (const timer of timers.get(id) ?? []) clearTimeout(timer);
    if (untilThen(from) > 0) operations.suspend(id);
    else operations.resume(id);
    timers.set(id, [setTimeout(() => operations.resume(id), untilThen(from)), setTimeout(() => operations.suspend(id), untilThen(until))]);
    return 204;
  },
  resume(id) {
    if (suspended.has(id)) clients().set(id, suspended.get(id));
    suspended.delete(id);
    return clients().has(id) ? 204 : 404;
  },
  reduce(id, scope) {
    const kept = clients().get(id);
    if (!kept) return 404;
    // A client without a scope may ask for any, so one that has lost its last keeps a scope that opens nothing.
    kept.payload = { ...kept.payload, scope: kept.payload.scope.split(' ').filter((one) => one !== scope).join(' ') || 'openid' };
    return 204;
  },
  restore(id, scope) {
    const kept = clients().get(id);
    if (!kept) return 404;
    kept.payload = { ...kept.payload, scope: [kept.payload.scope, scope].filter(Boolean).join(' ') };
    return 204;
  },
  secret(id) {
    const kept = clients().get(id);
    if (!kept) return 404;
    kept.payload = { ...kept.payload, client_secret: randomBytes(32).toString('base64url') };
    return { client_secret: kept.payload.client_secret };
  },
  delete(id) { return clients().delete(id) ? 204 : 404; },
  // What is there of registered clients, whoever made them: by their names.
  remains() { return { clients: [...clients().values()].map((kept) => kept.payload.client_name), suspended: [...suspended.keys()], introspects }; },
  break() { introspects = false; return 204; },
  mend() { introspects = true; return 204; },
};
const operate = (r, w, url) => {
  const operation = operations[url.pathname.slice('/operator/'.length)];
  const done = r.headers.authorization !== config.operator ? 401
    : operation?.(...['client', 'scope', 'from', 'until'].map((name) => url.searchParams.get(name))) ?? 404;
  if (typeof done === 'number') w.writeHead(done).end();
  else w.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done));
};
const serve = provider.callback();

https.createServer({
  key: readFileSync(config.key),
  cert: readFileSync(config.certificate),
  ca: readFileSync(config.ca),
  requestCert: true,
  rejectUnauthorized: false,
}, (r, w) => {
  const url = new URL(r.url, config.issuer);
  if (url.pathname.startsWith('/operator/')) operate(r, w, url);
  else if (!introspects && url.pathname === '/token/introspection') w.writeHead(503).end();
  else serve(r, w);
}).listen(config.port, '127.0.0.1', () => console.log(`${config.issuer} is up`));
