'use strict';
// One route of the HTTP API for each operation of the document, so that unknown paths never invoke the function.
// HEAD is allowed wherever GET is, but API Gateway needs a separate route for it.
const document = require('../../spec/dist/openapi.json');

const METHODS = { get: ['get', 'head'], put: ['put'], post: ['post'], delete: ['delete'], patch: ['patch'] };
const prefix = new URL(document.servers[0].url, 'http://localhost').pathname.replace(/\/$/, '');

module.exports.events = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.keys(METHODS)
    .filter((method) => item[method])
    .flatMap((method) => METHODS[method].map((route) => ({ httpApi: { method: route, path: prefix + path } }))),
);
