// Bundles the browser assets into static/dist/: one script and one style sheet per entry point. Run by `make assets` (npm run build).
import { build } from "esbuild";

await build({
  entryPoints: {
    app: "assets/app.js",
    form: "assets/form.js",
    diagram: "assets/diagram.js",
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
