// Camunda Modeler finds this file in resources/plugins/lianban/. client.js is built by `make assets`.
module.exports = { name: "联办", script: "./client.js" };
