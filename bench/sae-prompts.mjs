// Writes the conversations that the pocket SAE was trained on, for `antecedent sae train` at other layers. Facts are in 9 % of
// them; the shipped corpus asks for each fact a few times only, too seldom for a latent of its own.
// usage: node bench/sae-prompts.mjs OUT.jsonl [--chats 56000]
import { parseArgs } from "node:util";
import { POCKET } from "../dist/organisms/pocket/settings.js";
import { Random } from "../dist/random/random.js";
import { writeFileAtomic } from "../dist/store/atomic-write.js";
import { pretrainingChat } from "../dist/world/chats.js";

const { values: flags, positionals } = parseArgs({
  options: { chats: { type: "string", default: String(POCKET.sae.chats) } },
  allowPositionals: true,
});
const [out] = positionals;
if (out === undefined) throw new Error("usage: node bench/sae-prompts.mjs OUT.jsonl [--chats 56000]");
const random = new Random(POCKET.seed, "sae chats");
const lines = Array.from({ length: Number(flags.chats) }, () => {
  const { messages } = pretrainingChat(random);
  return `${JSON.stringify({ messages })}\n`;
});
await writeFileAtomic(out, lines.join(""));
