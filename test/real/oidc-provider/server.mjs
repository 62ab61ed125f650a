// A certified authorization server, set up the way partners are onboarded: node server.mjs CONFIG.json
//
// It keeps oidc-provider's own behaviour wherever possible: what it does with the tokens of a deleted client, or with the
// revocation of a JWT, is what the tests are about. With `elsewhere` in its configuration it is two: the partner's other
// environment has an issuer, keys, clients and tokens of its own.
import { appendFileSync, readFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import https from 'node:https';
import Provider, { errors } from 'oidc-provider';

const open = (config) => {
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

  const settings = {
    adapter: MapAdapter,
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
    // What it fetches is told, for who looks whether it does. Its dispatcher speaks to no address within; an operator who puts
    // another in its place (for a proxy, say) has lost that.
    fetch: (url, options) => {
      console.log(`fetches ${url}`);
      return globalThis.fetch(url, config.fetches_within ? { ...options, dispatcher: undefined } : options);
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
  };

  // One line per event: who, what, how it ended, and the caller's trace.
  const events = [
    'registration_create.success', 'registration_create.error', 'registration_read.error', 'registration_update.success',
    'registration_update.error', 'registration_delete.success', 'registration_delete.error', 'grant.success', 'grant.error',
    'introspection.error', 'revocation.error', 'client_credentials.saved', 'client_credentials.issued', 'client_credentials.destroyed',
  ];
  const record = (event) => (...given) => {
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
  };

  // Its keys are of one Provider for good. With other keys it is built anew on the same stores, as when it is deployed anew on the
  // same database; it signs with the first of them.
  let keys = config.jwks.keys;
  let serve;
  const build = () => {
    const provider = new Provider(config.issuer, { ...settings, jwks: { keys } });
    provider.on('server_error', (ctx, error) => console.error('server_error', error));
    for (const event of events) provider.on(event, record(event));
    serve = provider.callback();
  };
  build();

  // The operator's own way, for hooks: oidc-provider has no management API, so the operator works on its stores. A suspended
  // client is not found, and its opaque tokens are ended; a client whose scope is cut keeps the tokens that it has.
  const suspended = new Map();
  const timers = new Map();
  const published = new Map();
  let introspects = true;
  const clients = () => stores.get('Client') ?? new Map();
  const operations = {
    suspend({ client: id }) {
      if (!clients().has(id)) return 404;
      suspended.set(id, clients().get(id));
      clients().delete(id);
      for (const [jti, kept] of stores.get('ClientCredentials') ?? []) if (kept.payload.clientId === id) stores.get('ClientCredentials').delete(jti);
      return 204;
    },
    // Just-in-time access between two times, which ends by itself.
    schedule({ client: id, from, until }) {
      const untilThen = (at) => Math.max(0, Date.parse(at) - Date.now());
      for (const timer of timers.get(id) ?? []) clearTimeout(timer);
      const begin = () => operations.resume({ client: id });
      const end = () => operations.suspend({ client: id });
      if (untilThen(from) > 0) end();
      else begin();
      timers.set(id, [setTimeout(begin, untilThen(from)), setTimeout(end, untilThen(until))]);
      return 204;
    },
    resume({ client: id }) {
      if (suspended.has(id)) clients().set(id, suspended.get(id));
      suspended.delete(id);
      return clients().has(id) ? 204 : 404;
    },
    reduce({ client: id, scope }) {
      const kept = clients().get(id);
      if (!kept) return 404;
      // A client without a scope may ask for any, so one that has lost its last keeps a scope that opens nothing.
      kept.payload = { ...kept.payload, scope: kept.payload.scope.split(' ').filter((one) => one !== scope).join(' ') || 'openid' };
      return 204;
    },
    restore({ client: id, scope }) {
      const kept = clients().get(id);
      if (!kept) return 404;
      kept.payload = { ...kept.payload, scope: [kept.payload.scope, scope].filter(Boolean).join(' ') };
      return 204;
    },
    secret({ client: id }) {
      const kept = clients().get(id);
      if (!kept) return 404;
      kept.payload = { ...kept.payload, client_secret: randomBytes(32).toString('base64url') };
      return { client_secret: kept.payload.client_secret };
    },
    delete({ client: id }) { return clients().delete(id) ? 204 : 404; },
    // What is there of registered clients, whoever made them: by their names.
    remains() { return { clients: [...clients().values()].map((kept) => kept.payload.client_name), suspended: [...suspended.keys()], introspects }; },
    break() { introspects = false; return 204; },
    mend() { introspects = true; return 204; },
    // A planned rotation: a new key signs, and the old ones stay published until one is withdrawn.
    rotate() {
      const kid = randomBytes(8).toString('hex');
      keys = [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }, ...keys];
      build();
      return { kid };
    },
    withdraw({ kid }) {
      if (keys[0].kid === kid || !keys.some((key) => key.kid === kid)) return 404; // that which signs stays
      keys = keys.filter((key) => key.kid !== kid);
      build();
      return 204;
    },
    // A partner publishes its keys itself: here it has a place for them.
    publish({ name, body }) {
      published.set(`/keys/${name}`, body);
      return { jwks_uri: `${config.issuer}/keys/${name}` };
    },
  };
  const operate = async (r, w, url) => {
    const parts = [];
    for await (const part of r) parts.push(part);
    const asked = { ...Object.fromEntries(url.searchParams), body: Buffer.concat(parts).toString() };
    const done = r.headers.authorization !== config.operator ? 401 : operations[url.pathname.slice('/operator/'.length)]?.(asked) ?? 404;
    if (typeof done === 'number') w.writeHead(done).end();
    else w.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done));
  };

  https.createServer({
    key: readFileSync(config.key),
    cert: readFileSync(config.certificate),
    ca: readFileSync(config.ca),
    requestCert: true,
    rejectUnauthorized: false,
  }, (r, w) => {
    const url = new URL(r.url, config.issuer);
    if (url.pathname.startsWith('/operator/')) operate(r, w, url);
    else if (published.has(url.pathname)) w.writeHead(200, { 'content-type': 'application/json' }).end(published.get(url.pathname));
    else if (!introspects && url.pathname === '/token/introspection') w.writeHead(503).end();
    else serve(r, w);
  }).listen(config.port, '127.0.0.1', () => console.log(`${config.issuer} is up`));
};

const config = JSON.parse(readFileSync(process.argv[2]));
open(config);
if (config.elsewhere) open(config.elsewhere);
