"use strict";

// Redoc's search needs a worker made from a text, which the content security policy forbids. Browsers have a search.
Redoc.init(
  "../openapi.json",
  {
    disableSearch: true,
    expandResponses: "200,201",
    hideDownloadButton: true,
    requiredPropsFirst: true,
    showExtensions: [
      "x-tackboard-installation-role",
      "x-tackboard-known",
      "x-tackboard-resources",
      "x-tackboard-role",
      "x-tackboard-scope",
      "x-tackboard-token",
    ],
  },
  document.getElementById("document"),
);
