// A certified OpenID Connect provider (npm oidc-provider) on a free port of this machine, with the clients of the tests.
// Usage: node oidc_provider.mjs REDIRECT_URI. It prints its issuer when it is ready.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [redirectUri] = process.argv.slice(2);

const createKey = (kid, alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig',
});

const client = {
  client_secret: 's3cret+with/signs', redirect_uris: [redirectUri], grant_types: ['authorization_code'], response_types: ['code'],
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: 'basic' },
      { ...client, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
      { ...client, client_id: 'public', client_secret: undefined, token_endpoint_auth_method: 'none' },
      { ...client, client_id: 'es256', id_token_signed_response_alg: 'ES256' },
      { ...client, client_id: 'eddsa', id_token_signed_response_alg: 'EdDSA' },
      { ...client, client_id: 'ps256', id_token_signed_response_alg: 'PS256' },
    ],
    jwks: {
      keys: [
        createKey('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
        createKey('pss', 'PS256', 'rsa', { modulusLength: 2048 }),
        createKey('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
        createKey('ed', 'EdDSA', 'ed25519', {}),
      ],
    },
    claims: { openid: ['sub'], profile: ['name'] },
    // The name is in the ID token, as with most products; by the standard it needs another request.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Name of ${id}` }) }),
    cookies: { keys: ['of the tests'] },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
