"use strict";

// Redoc searches in a worker that it makes of text, which the page's security policy forbids; a browser can search too.
Redoc.init(
  "../openapi.json",
  {
    disableSearch: true,
    expandResponses: "200,201",
    hideDownloadButton: true,
    requiredPropsFirst: true,
    showExtensions: ["x-tackboard-known", "x-tackboard-role", "x-tackboard-scope"],
  },
  document.getElementById("document"),
);
