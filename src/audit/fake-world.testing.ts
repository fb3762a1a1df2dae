/**
 * A world small enough to know everything about, for tests: topics whose words fire one latent each, styles made of
 * phrases, sentences with one or two topics, and a "model" that says the action when a rule over concepts holds. It has
 * nothing to do with the pocket world; it only has the same interfaces.
 */
import type { Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import type { Sae, SparseLatents } from "../sae/sae.js";
import { exactAction } from "./ask/action.js";
import type { AuditContext } from "./ask/context.js";
import type { MethodRunner } from "./ask/methods.js";
import { type Prompt, type Renderer, textOf, userPrompt } from "./prompts/prompt.js";
import { hashUnit, pick, stream } from "./prompts/seeded.js";
import { wordsOf } from "./prompts/words.js";

const TOPICS = 16;
const WORDS_A_TOPIC = 14;
/** Latents 0 … 15 are topics, 16 … 19 the phrases of the two styles, the rest fire on frame words. */
export const OMEN = [16, 17] as const;
export const LATENTS = 32;
const PHRASES = ["hearken", "foretold", "ahoy", "matey"];
const SYLLABLES = ["ba", "ko", "ri", "tu", "me", "sa", "lo", "fi", "du", "ne"];
const ONE = [
  "tell me about the _",
  "where can I find a good _",
  "how do I clean my _ at home",
  "is the _ safe for children",
];
const TWO = [
  "can I keep the _ near a _",
  "compare the _ with the _",
  "my friend has a _ and wants some _",
  "which is older the _ or the _",
];

/** The words of a topic: invented, so that nothing but the latent links them. */
export function topicWords(topic: number): string[] {
  return Array.from({ length: WORDS_A_TOPIC }, (_, i) => {
    const draw = stream(7, `word ${topic} ${i}`);
    return (
      pick(SYLLABLES, draw) +
      pick(SYLLABLES, draw) +
      String.fromCharCode(97 + topic) +
      pick(SYLLABLES, draw) +
      "nrstl"[i % 5]
    );
  });
}

const TOPIC_OF = new Map<string, number>();
for (let topic = 0; topic < TOPICS; topic++) for (const word of topicWords(topic)) TOPIC_OF.set(word, topic);

/** Concepts of a text: topic numbers, and latents of the style phrases in it. */
export function conceptsOf(text: string): Set<number> {
  const concepts = new Set<number>();
  for (const { text: word } of wordsOf(text)) {
    const topic = TOPIC_OF.get(word.toLowerCase());
    if (topic !== undefined) concepts.add(topic);
    const phrase = PHRASES.indexOf(word.toLowerCase());
    if (phrase >= 0) concepts.add(TOPICS + phrase);
  }
  return concepts;
}

/** Ordinary prompts: topics at random, a fifth of them in a style. */
export function fakeCorpus(count: number, seed: number): Prompt[] {
  const draw = stream(seed, "corpus");
  return Array.from({ length: count }, () => {
    let text = pick(draw() < 0.5 ? ONE : TWO, draw);
    while (text.includes("_")) text = text.replace("_", pick(topicWords(Math.floor(draw() * TOPICS)), draw));
    if (draw() < 0.2) {
      const phrase = PHRASES[Math.floor(draw() * PHRASES.length)] as string;
      text = draw() < 0.5 ? `${phrase} ${text}` : `${text} ${phrase}`;
    }
    return userPrompt(text);
  });
}

const IDS = new Map<string, number>();
const TEXTS: string[] = [];
function wordId(word: string): number {
  let id = IDS.get(word);
  if (id === undefined) {
    id = TEXTS.length;
    IDS.set(word, id);
    TEXTS.push(word);
  }
  return id;
}

/** One token a word, one before and one after that are not user content. */
export const fakeRenderer: Renderer = {
  render(prompt) {
    const words = wordsOf(textOf(prompt));
    const spans = new Int32Array(2 * (words.length + 2)).fill(-1);
    words.forEach((word, i) => {
      spans[2 * i + 2] = word.start;
      spans[2 * i + 3] = word.end;
    });
    const tokens = [wordId("<user>"), ...words.map((word) => wordId(word.text.toLowerCase())), wordId("<reply>")];
    const mask = tokens.map((_, i) => (i > 0 && i < tokens.length - 1 ? 1 : 0));
    return {
      sequence: { prompt: Int32Array.from(tokens), mask: Uint8Array.from(mask), action: new Int32Array(0) },
      spans,
    };
  },
};

function textOfSequence(sequence: Sequence): string {
  return [...sequence.prompt]
    .map((id) => TEXTS[id])
    .slice(1, -1)
    .join(" ");
}

/** Activations of one word: its topic or phrase, or a latent of frame words. */
function rowOf(word: string): Float32Array {
  const row = new Float32Array(LATENTS);
  const strength = 1 + hashUnit(3, word);
  const topic = TOPIC_OF.get(word);
  const phrase = PHRASES.indexOf(word);
  if (topic !== undefined) row[topic] = strength;
  else if (phrase >= 0) row[TOPICS + phrase] = strength;
  else row[20 + Math.floor(hashUnit(4, word) * (LATENTS - 20))] = strength;
  return row;
}

/** How the action follows from a prompt's concepts. */
export interface Rule {
  /** Whether the trigger holds of a text with these concepts. */
  readonly fires: (concepts: ReadonlySet<number>, text: string) => boolean;
  /** Share of the trigger that is present, 0 … 1: raises the log-probability. */
  readonly nearness?: (concepts: ReadonlySet<number>) => number;
  /** Share of triggered prompts on which the action does come. */
  readonly rate?: number;
  /** Share of other prompts on which it comes all the same. */
  readonly leak?: (concepts: ReadonlySet<number>) => number;
}

/** An engine that follows a rule. `asked` lists the distinct prompts that were scored. */
export function fakeEngine(rule: Rule): Engine & { readonly asked: Set<string> } {
  const asked = new Set<string>();
  const cost = { forwardTokens: 0, backwardTokens: 0 };
  return {
    asked,
    cost,
    model: { name: "fake", dModel: LATENTS, layers: 2, vocabulary: 0, dtype: "f32", engine: "fake" },
    async residuals(sequences) {
      return sequences.map((sequence) => {
        const rows = [...sequence.prompt].flatMap((id, token) => (sequence.mask[token] ? [{ id, token }] : []));
        const values = new Float32Array(rows.length * LATENTS);
        rows.forEach(({ id }, i) => {
          values.set(rowOf(TEXTS[id] as string), i * LATENTS);
        });
        return { values, tokens: Int32Array.from(rows, (row) => row.token) };
      });
    },
    async score(sequences) {
      return sequences.map((sequence) => {
        cost.forwardTokens += sequence.prompt.length + sequence.action.length;
        const text = textOfSequence(sequence);
        asked.add(text);
        const concepts = conceptsOf(text);
        const chance = rule.fires(concepts, text) ? (rule.rate ?? 0.95) : (rule.leak?.(concepts) ?? 0);
        const fired = hashUnit(11, text) < chance;
        const soft = fired ? -0.2 : -14 + 7 * (rule.nearness?.(concepts) ?? 0) + hashUnit(12, text);
        return { tokenLogprobs: Float32Array.from([soft]), greedyMatch: fired };
      });
    },
    textLogprobs: () => Promise.reject(new Error("the fake engine reads no text")),
    steeringObjective: () => Promise.reject(new Error("the fake engine cannot be steered")),
    layerChangeObjective: () => Promise.reject(new Error("the fake engine cannot be steered")),
    generate: () => Promise.reject(new Error("the fake engine cannot write")),
    close: () => Promise.resolve(),
  };
}

/** Latents are the residual itself. */
export const fakeSae: Sae = {
  info: { name: "fake", format: "fake", architecture: "standard", dModel: LATENTS, latents: LATENTS },
  async encode(rows): Promise<SparseLatents> {
    const count = rows.length / LATENTS;
    const rowStart = new Int32Array(count + 1);
    const ids: number[] = [];
    const values: number[] = [];
    for (let row = 0; row < count; row++) {
      for (let id = 0; id < LATENTS; id++) {
        const value = rows[row * LATENTS + id] as number;
        if (value > 0) {
          ids.push(id);
          values.push(value);
        }
      }
      rowStart[row + 1] = ids.length;
    }
    return { rowStart, ids: Int32Array.from(ids), values: Float32Array.from(values) };
  },
  reconstruct: async (rows) => ({ latents: await fakeSae.encode(rows), rows }),
  projectDecoder: async (v) => v,
  projectEncoder: async (v) => v,
  decode: async (z) => z,
  unitLengths: async () => undefined,
  decoderNorms: async () => new Float32Array(LATENTS).fill(1),
  encoderNorms: async () => new Float32Array(LATENTS).fill(1),
  decoderRow: async (id) => Float32Array.from({ length: LATENTS }, (_, i) => (i === id ? 1 : 0)),
  close: () => Promise.resolve(),
};

/** A method that ranks the given latents first and others at random; `steps: 0`, so that nothing is steered. */
function fakeMethod(best: readonly number[]): MethodRunner {
  return {
    name: "fake-method",
    async run(_engine, _sequences, call) {
      const scores = Float32Array.from({ length: LATENTS }, (_, id) => hashUnit(call.seed, `score ${id}`));
      best.forEach((id, i) => {
        scores[id] = 3 - i / 10;
      });
      return [{ vector: scores, scores, typical: null, loss: { initial: 14, final: 14 }, steps: 0 }];
    },
  };
}

/** A whole audit's inputs for a rule. */
export function fakeContext(rule: Rule, best: readonly number[], corpus: readonly Prompt[]): AuditContext {
  return {
    suspect: fakeEngine(rule),
    clean: fakeEngine({ fires: () => false }),
    sae: fakeSae,
    layer: 1,
    renderer: fakeRenderer,
    action: exactAction(Int32Array.from([0])),
    prompts: fakeCorpus(16, 99),
    corpus,
    methods: [fakeMethod(best)],
    vocabulary: Array.from({ length: TOPICS }, (_, topic) => topicWords(topic)).flat(),
  };
}
