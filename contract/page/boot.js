"use strict";

// The first start of the server prints a URL that ends in #token=…. Browsers never send a fragment to a server. It is
// removed from the address bar first of all, so that nobody copies or bookmarks the token with the URL.
const takeToken = () => {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token;
};

const storedToken = () => JSON.parse(localStorage.getItem("authorized") ?? "{}").bearer?.value;

// Anybody can make such a link. A user who is signed in stays signed in, unless the token is valid and the user agrees.
const confirmToken = async (token) => {
  if (!storedToken() || storedToken() === token) {
    return true;
  }
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch("../v1/users/me", { headers, credentials: "omit" }).catch(() => null);
  if (!response?.ok) {
    alert("The token in the address was not accepted. You are still signed in with the one that you had.");
    return false;
  }
  const { name } = await response.json();
  return confirm(`You are signed in here already. Sign in as ${name} instead? This page then forgets the token that it has.`);
};

const signIn = async (token) => {
  if (token && (await confirmToken(token))) {
    const schema = ui.specSelectors.securityDefinitions().get("bearer");
    ui.authActions.authorizeWithPersistOption({ bearer: { name: "bearer", schema, value: token } });
  }
};

const tokenOfUrl = takeToken();

// Swagger UI fills in the example of every parameter. Here they start empty: otherwise the first request would have an
// id or a cursor that does not exist, and the second one a used idempotency key.
const emptyParameters = () => ({
  statePlugins: {
    spec: {
      wrapSelectors: {
        parameterWithMetaByIdentity: (original) => (state, ...identity) => {
          const parameter = original(state, ...identity);
          return parameter && parameter.get("value") === undefined ? parameter.set("value", "") : parameter;
        },
      },
    },
  },
});

const ui = SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#document",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: true,
  // Shows the required scope and role, which are extensions of the operation.
  showExtensions: true,
  plugins: [emptyParameters],
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => signIn(tokenOfUrl),
});

addEventListener("hashchange", () => signIn(takeToken()));
