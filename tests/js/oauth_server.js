// An authorization server that knows one program, `desk`, and lets anybody log in: oidc-provider, a certified OpenID Provider.
// It insists on PKCE, replaces refresh tokens with each use, revokes (RFC 7009) and introspects (RFC 7662).
//   node oauth_server.js PORT SECONDS      how long an access token is good for
import Provider from 'oidc-provider';

const [port, seconds] = process.argv.slice(2).map(Number);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'desk',
    client_secret: 'desk-secret',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  pkce: { required: () => true, methods: ['S256'] },
  rotateRefreshToken: true,
  ttl: { AccessToken: seconds, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 3600 },
  cookies: { keys: ['for a test only'] },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
