// A resource server that takes access tokens as JWTs: node resource.mjs CONFIG.json
//
// What is let in is decided by one of two libraries, and by it alone. oauth4webapi's validateJwtAccessToken takes bearer tokens
// and DPoP proofs; it knows no nonces and remembers no proofs. jose's jwtVerify takes tokens with the certificate that
// they name, and its createRemoteJWKSet fetches the server's keys: again for a kid that it does not know, and else when
// they are older than cacheMaxAge.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';

const config = JSON.parse(readFileSync(process.argv[2]));
const ca = readFileSync(config.ca);

const fetched = (url) => new Promise((resolve, reject) => {
  console.log(`fetches ${new Date().toISOString()} ${url}`);
  https.get(url, { ca }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: { 'content-type': answer.headers['content-type'] } })));
  }).on('error', reject);
});

const server = { issuer: config.issuer, jwks_uri: `${config.issuer}/jwks` };

const byOAuth4webapi = (r) => {
  const asked = new Request(`https://localhost:${config.port}${r.url}`, { method: r.method, headers: r.headers });
  return oauth.validateJwtAccessToken(server, asked, config.audience, { [oauth.customFetch]: fetched });
};

const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri), {
  [jose.customFetch]: fetched, cacheMaxAge: config.keys_kept_seconds * 1000, cooldownDuration: 1000,
});

const byJose = async (r) => {
  const [, token] = /^Bearer (\S+)$/i.exec(r.headers.authorization ?? '') ?? [];
  const { payload } = await jose.jwtVerify(token ?? '', keys, { issuer: config.issuer, audience: config.audience, typ: 'at+jwt', algorithms: ['ES256'] });
  const shown = r.socket.getPeerX509Certificate();
  const thumbprint = shown && createHash('sha256').update(shown.raw).digest('base64url');
  if (!r.socket.authorized || payload.cnf?.['x5t#S256'] !== thumbprint) throw new Error('the token is not bound to this certificate');
  return payload;
};

const decide = async (r) => {
  const claims = await (config.library === 'jose' ? byJose : byOAuth4webapi)(r);
  const needed = ['GET', 'HEAD'].includes(r.method) ? 'payments:read' : 'payments:write';
  return [(claims.scope ?? '').split(' ').includes(needed) ? 200 : 403, claims.client_id];
};

const relay = (r, w, client) => {
  const headers = { 'x-client-id': client, 'x-gateway-key': config.gateway_key };
  for (const name of ['traceparent', 'content-type', 'content-length']) if (r.headers[name]) headers[name] = r.headers[name];
  const [host, port] = config.api.split(':');
  r.pipe(http.request({ host, port, method: r.method, path: r.url, headers }, (answer) => {
    w.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] });
    answer.pipe(w);
  }).on('error', () => w.writeHead(502).end()));
};

https.createServer({
  key: readFileSync(config.key), cert: readFileSync(config.certificate), ca, requestCert: config.library === 'jose', rejectUnauthorized: false,
}, async (r, w) => {
  let status = 401;
  let client;
  try {
    [status, client] = await decide(r);
  } catch (error) {
    w.setHeader('WWW-Authenticate', config.library === 'jose' ? 'Bearer error="invalid_token"' : `DPoP error="${r.headers.dpop ? 'invalid_dpop_proof' : 'invalid_token'}"`);
    console.error(error.code ?? error.name, error.message);
  }
  if (status !== 200) {
    r.resume();
    w.writeHead(status, { 'content-type': 'text/plain' }).end('no\n');
    return;
  }
  relay(r, w, client);
}).listen(config.port, '127.0.0.1', () => console.log(`https://localhost:${config.port} is up`));
