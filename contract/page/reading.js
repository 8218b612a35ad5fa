"use strict";

// Redoc searches in a worker that it makes of text, which the page's security policy forbids; a browser can search too.
Redoc.init(
  "../openapi.json",
  { disableSearch: true, hideDownloadButton: true, expandResponses: "200,201", requiredPropsFirst: true },
  document.getElementById("document"),
);
