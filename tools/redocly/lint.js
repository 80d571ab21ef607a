// Lints an OpenAPI document by redocly's rules, and prints what they have against it.
//
//   node lint.js DOCUMENT CONFIGURATION
import { lint, loadConfig } from "@redocly/openapi-core";

const [document, configuration] = process.argv.slice(2);
const config = await loadConfig({ configPath: configuration });
const problems = (await lint({ ref: document, config })).filter((problem) => !problem.ignored);
for (const { ruleId, severity, message, location } of problems) {
  console.log(`${severity} ${ruleId} at ${location[0]?.pointer ?? ""}: ${message}`);
}
process.exitCode = problems.some(({ severity }) => severity === "error") ? 1 : 0;
