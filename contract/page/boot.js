"use strict";

// The first run prints an address that ends in #token=…. A fragment never reaches a server or its log; here it is
// taken out of the address bar too, before anything else, so that it isn't copied or bookmarked along with the page.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
}

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
  persistAuthorization: true,
  plugins: [emptyParameters],
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => {
    if (token) {
      const schema = ui.specSelectors.securityDefinitions().get("bearer");
      ui.authActions.authorizeWithPersistOption({ bearer: { name: "bearer", schema, value: token } });
    }
  },
});
