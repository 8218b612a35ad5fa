"use strict";

// The first run prints an address that ends in #token=…. A fragment never reaches a server or its log; here it is
// taken out of the address bar too, before anything else, so that it isn't copied or bookmarked along with the page.
const takeToken = () => {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token;
};

const keptToken = () => JSON.parse(localStorage.getItem("authorized") ?? "{}").bearer?.value;

// A link may come from anybody. Who is signed in stays so until the new token has been accepted and they have agreed.
const mayUse = async (token) => {
  if (!keptToken() || keptToken() === token) {
    return true;
  }
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch("../v1/users/me", { headers, credentials: "omit" }).catch(() => null);
  if (!answer?.ok) {
    alert("The token in the address was not accepted. You are still signed in with the one that you had.");
    return false;
  }
  const { name } = await answer.json();
  return confirm(`You are signed in here already. Sign in as ${name} instead? This page then forgets the token that it has.`);
};

const signIn = async (token) => {
  if (token && (await mayUse(token))) {
    const schema = ui.specSelectors.securityDefinitions().get("bearer");
    ui.authActions.authorizeWithPersistOption({ bearer: { name: "bearer", schema, value: token } });
  }
};

const given = takeToken();

// Swagger UI fills in the example of every parameter. Here they start empty: otherwise a first request would carry an
// id or a cursor that nobody gave out, and a second one an idempotency key that was used.
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
  // The scope and the role that an operation needs are extensions of it.
  showExtensions: true,
  plugins: [emptyParameters],
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => signIn(given),
});

addEventListener("hashchange", () => signIn(takeToken()));
