// Checks every case of a folder (bundle.json, trust.json and file), or those named, and prints the verdicts of all steps.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , verifier, folder, ...named] = process.argv;
const { verify } = await import(pathToFileURL(verifier));
const found = {};
for (const name of named.length ? named : readdirSync(folder)) {
  const [bundle, trust, bytes] = ["bundle.json", "trust.json", "invoice.xml"].map((each) => readFileSync(join(folder, name, each)));
  const { verdict, steps } = await verify(bundle, trust, [{ name: "invoice.xml", bytes }]);
  found[name] = { verdict, steps: Object.fromEntries(steps.map((each) => [each.name, each.verdict])), reasons: steps.map((each) => each.reason) };
}
console.log(JSON.stringify(found));
