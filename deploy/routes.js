'use strict';
// One route of the HTTP API for each operation of the document, so that a path it doesn't have never wakes the function.
const document = require('../spec/dist/openapi.json');

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const prefix = new URL(document.servers[0].url, 'http://localhost').pathname.replace(/\/$/, '');

module.exports.events = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({ httpApi: { method, path: prefix + path } })),
);
