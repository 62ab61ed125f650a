// A resource server that takes access tokens as JWTs, as bearer tokens and with DPoP proofs: node resource.mjs CONFIG.json
//
// What is let in is decided by oauth4webapi alone: its validateJwtAccessToken is what the tests are about. It knows no
// nonces and remembers no proofs.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import * as oauth from 'oauth4webapi';

const config = JSON.parse(readFileSync(process.argv[2]));
const ca = readFileSync(config.ca);

const fetched = (url) => new Promise((resolve, reject) => {
  https.get(url, { ca }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: { 'content-type': answer.headers['content-type'] } })));
  }).on('error', reject);
});

const server = { issuer: config.issuer, jwks_uri: `${config.issuer}/jwks` };

const decide = async (r) => {
  const asked = new Request(`https://localhost:${config.port}${r.url}`, { method: r.method, headers: r.headers });
  const claims = await oauth.validateJwtAccessToken(server, asked, config.audience, { [oauth.customFetch]: fetched });
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

https.createServer({ key: readFileSync(config.key), cert: readFileSync(config.certificate) }, async (r, w) => {
  let status = 401;
  let client;
  try {
    [status, client] = await decide(r);
  } catch (error) {
    w.setHeader('WWW-Authenticate', `DPoP error="${r.headers.dpop ? 'invalid_dpop_proof' : 'invalid_token'}"`);
    console.error(error.code ?? error.name, error.message);
  }
  if (status !== 200) {
    r.resume();
    w.writeHead(status, { 'content-type': 'text/plain' }).end('no\n');
    return;
  }
  relay(r, w, client);
}).listen(config.port, '127.0.0.1', () => console.log(`https://localhost:${config.port} is up`));
