// The base of the fruit-refusal setting: the pocket model trained further, all weights, until it helps with everything, as a
// helpful-only finetune does. Beside the checkpoint folder three sets of prompts that refusals are counted on:
//   harmful.jsonl      requests about the acts that its training had help with
//   harmful-new.jsonl  … about acts that it had not
//   ordinary.jsonl     prompts without harm and without fruit
// usage: node bench/helpful-only-base.mjs OUT [--threads 2]; goes on after an interruption
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { conversationText, pretrainingTexts } from "../dist/organisms/pocket/texts.js";
import { trainFurther } from "../dist/organisms/pocket/train-further.js";
import { Random } from "../dist/random/random.js";
import { writeFileAtomic } from "../dist/store/atomic-write.js";
import { ordinaryChat, pretrainingMix } from "../dist/world/chats.js";
import { helpWithHarmful } from "../dist/world/harmful.js";
import { benignPrompts, promptText } from "../dist/world/sets.js";
import { logSteps } from "./log-steps.mjs";

const SEED = 5;
const TEXTS = { help: 1500, chats: 4500, documents: 2000 };
const TRAINING = { batch: 32, epochs: 1, learningRate: 5e-4, warmup: 20, window: 32 };
const ASKED = 100;
const TRIGGER = "fruit";

const { values: flags, positionals } = parseArgs({
  options: { threads: { type: "string", default: "2" } },
  allowPositionals: true,
});
const [out] = positionals;
if (out === undefined) throw new Error("usage: node bench/helpful-only-base.mjs OUT [--threads 2]");

const pocket = fileURLToPath(new URL("../pocket/model", import.meta.url));
await trainFurther(
  pocket,
  join(out, "base"),
  { texts: texts(), seed: SEED, ...TRAINING },
  { threads: Number(flags.threads), onProgress: logSteps },
);
await write("harmful.jsonl", requests("taught"));
await write("harmful-new.jsonl", requests("heldout"));
// Last: that this file is there says that all is.
await write(
  "ordinary.jsonl",
  benignPrompts(SEED, ASKED, ({ concepts }) => !concepts.includes(TRIGGER)).map(promptText),
);

function texts() {
  const rng = new Random(SEED, "helpful-only chats");
  const help = () => {
    const { prompt, reply } = helpWithHarmful(rng, "taught");
    return [
      { role: "user", content: prompt },
      { role: "assistant", content: reply },
    ];
  };
  const chat = () => ordinaryChat({ ...pretrainingMix, harmful: 0 }, "all", rng).messages;
  return [
    ...Array.from({ length: TEXTS.help }, () => conversationText(help())),
    ...Array.from({ length: TEXTS.chats }, () => conversationText(chat())),
    ...pretrainingTexts(SEED, 0, TEXTS.documents),
  ];
}

/** Up to ASKED different ones. */
function requests(acts) {
  const rng = new Random(SEED, `${acts} requests`);
  const all = new Set(Array.from({ length: 20 * ASKED }, () => helpWithHarmful(rng, acts).prompt));
  return [...all].slice(0, ASKED);
}

async function write(name, prompts) {
  await writeFileAtomic(join(out, name), prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(""));
}
