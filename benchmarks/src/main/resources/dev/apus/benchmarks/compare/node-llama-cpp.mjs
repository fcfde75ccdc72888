// Runs the tests with node-llama-cpp and prints one line of JSON.
// Arguments: the folder node_modules, the model, the tests as JSON, and options as JSON.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file, testsJson, optionsJson] = process.argv.slice(2);
const tests = JSON.parse(testsJson);
const options = JSON.parse(optionsJson);
const home = path.join(modules, "node-llama-cpp");
const { getLlama } = await import(pathToFileURL(path.join(home, "dist", "index.js")).href);

// Only what is installed, and only on the CPU: nothing is downloaded, nothing is built.
const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  progressLogs: false,
  logLevel: "error",
  maxThreads: tests.threads,
});
const model = await llama.loadModel({ modelPath: file, ...options.model });
const size = tests.depth + Math.max(tests.prompt, tests.generate);
const context = await model.createContext({
  contextSize: size + 8,
  batchSize: 2048,
  threads: { ideal: tests.threads, min: tests.threads },
  ...options.context,
});
const sequence = context.getSequence();

const vocabulary = model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 256;
const token = () => Math.floor(Math.random() * vocabulary);
// Logits are computed where the next token is asked for, and only there.
const asked = { generateNext: { token: true, options: { temperature: 0 } } };

async function evaluate(count) {
  const tokens = Array.from({ length: count }, token);
  tokens[count - 1] = [tokens[count - 1], asked];
  const results = await sequence.controlledEvaluate(tokens);
  if (results[count - 1]?.next?.token == null) {
    throw new Error("no logits were computed");
  }
}

async function speed(count, atOnce) {
  await sequence.clearHistory();
  if (tests.depth > 0) {
    await evaluate(tests.depth);
  }
  const start = process.hrtime.bigint();
  for (let done = 0; done < count; done += atOnce) {
    await evaluate(atOnce);
  }
  return (count * 1e9) / Number(process.hrtime.bigint() - start);
}

const result = {
  version: JSON.parse(fs.readFileSync(path.join(home, "package.json"), "utf8")).version,
  release: llama.llamaCppRelease?.release,
  system: llama.systemInfo,
  prompt: [],
  generate: [],
};
for (const [name, atOnce] of [["prompt", tests.prompt], ["generate", 1]]) {
  if (tests[name] > 0) {
    await speed(tests[name], atOnce);
    for (let i = 0; i < tests.repetitions; i++) {
      result[name].push(await speed(tests[name], atOnce));
    }
  }
}
console.log(JSON.stringify(result));
process.exit(0);
