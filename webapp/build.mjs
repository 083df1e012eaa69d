// Bundles the browser assets into static/dist/, one script and one style sheet per entry point, and the lint rules of Camunda Modeler's
// plug-in into one file. Run by `make assets` (npm run build).
import { build } from "esbuild";

await build({
  entryPoints: {
    app: "assets/app.js",
    form: "assets/form.js",
    diagram: "assets/diagram.js",
    diff: "assets/diff.js",
    instance: "assets/instance.js",
    modify: "assets/modify.js",
    runs: "assets/runs.js",
    migration: "assets/migration.js",
    batch: "assets/batch.js",
    playground: "assets/playground.js",
  },
  outdir: "static/dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome109", "firefox115", "safari16"],
  loader: { ".woff": "dataurl", ".woff2": "dataurl", ".svg": "dataurl", ".ttf": "dataurl", ".eot": "empty" },
  legalComments: "eof",
  charset: "utf8",
  logLevel: "warning",
});

await build({
  entryPoints: ["../modeler/plugins/lianban/entry.js"],
  outfile: "../modeler/plugins/lianban/client.js",
  bundle: true,
  format: "iife",
  target: ["chrome109"],
  charset: "utf8",
  logLevel: "warning",
});
