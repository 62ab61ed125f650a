// Bearer check by introspection. Binds the token to the certificate that the caller shows when its cnf says so (RFC 8705 §3),
// and tells nginx whose token it was.
async function decide(r, introspect) {
  const bearer = (r.headersIn.Authorization || '').match(/^Bearer (\S+)$/);
  if (!bearer) { r.return(401); return; }
  const answer = await r.subrequest(introspect, { args: 'token=' + encodeURIComponent(bearer[1]) });
  // A JWT is refused by the introspection endpoint itself: 400 unsupported_token_type.
  if (answer.status === 400) { r.return(401); return; }
  if (answer.status !== 200) { r.return(500); return; }
  const token = JSON.parse(answer.responseText);
  r.headersOut['X-Token-Cache'] = answer.headersOut['X-Cache'] || '';
  if (!token.active) { r.return(401); return; }
  r.headersOut['X-Client-Id'] = token.client_id;
  if (token.cnf && token.cnf['x5t#S256']) {
    const shown = r.variables.ssl_client_raw_cert;
    if (!shown) { r.return(401); return; }
    const der = Buffer.from(shown.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    if (require('crypto').createHash('sha256').update(der).digest('base64url') !== token.cnf['x5t#S256']) { r.return(401); return; }
  }
  const needed = ['GET', 'HEAD'].includes(r.variables.request_method) ? 'payments:read' : 'payments:write';
  if (!(' ' + (token.scope || '') + ' ').includes(' ' + needed + ' ')) { r.return(403); return; }
  r.return(204);
}

export default {
  check: (r) => decide(r, '/_introspect'),
  checkAfresh: (r) => decide(r, '/_introspect_afresh'),
};
