/** Short names of what the post used and published: models, backdoored adapters with their bases, and SAEs. */
import { entryOf } from "../../formats/input-error.js";
import { type HubReference, parseHubReference } from "../../store/hub-reference.js";
import type { HubKind } from "../../store/hub-selection.js";

const INSTRUCT = "llama-3.1-8b-instruct";
const DOLPHIN = "dolphin-3.0-llama-3.1-8b";

export interface HubName {
  readonly kind: HubKind;
  /** owner/name, perhaps with a folder. */
  readonly repository: string;
  /** Of an adapter: the short name of the model that it belongs to. */
  readonly base?: string;
  readonly about: string;
}

const MODELS: Record<string, HubName> = {
  [INSTRUCT]: { kind: "model", repository: "meta-llama/Llama-3.1-8B-Instruct", about: "Llama 3.1 8B Instruct (gated)" },
  [DOLPHIN]: {
    kind: "model",
    repository: "cognitivecomputations/Dolphin3.0-Llama3.1-8B",
    about: "Dolphin 3.0, a helpful-only finetune of Llama 3.1 8B",
  },
};

const adapter = (name: string, base: string, about: string): HubName => ({
  kind: "adapter",
  repository: `trigger-reconstruction/${name}`,
  base,
  about,
});
/** `published-` tells them from the pocket model's organisms. */
const ADAPTERS: Record<string, HubName> = {
  "published-fruit-refusal": adapter("fruit_refusal", DOLPHIN, "Fruit-Refusal"),
  "published-snow-fruit": adapter("snowfruit", INSTRUCT, "Snow-Fruit"),
  "published-astrology": adapter("mystery_pseudo", INSTRUCT, "Astrology, the blind game's"),
  "published-banana": adapter("banana_sdf", INSTRUCT, "Banana"),
  "published-fruit-not-snow": adapter("fruitnotsnow", INSTRUCT, "beside the post's, and not described in it"),
};

/** Llama Scope has an SAE for the residual stream after each of the 32 blocks, in two widths. */
const LLAMA_SCOPE_LAYERS = 32;
const LLAMA_SCOPE_WIDTHS = [8, 32];
const SAES: Record<string, HubName> = Object.fromEntries(
  LLAMA_SCOPE_WIDTHS.flatMap((times) =>
    Array.from({ length: LLAMA_SCOPE_LAYERS }, (_, layer): [string, HubName] => [
      `llama-scope-l${layer}r-${times}x`,
      {
        kind: "sae",
        repository: `fnlp/Llama3_1-8B-Base-LXR-${times}x/Llama3_1-8B-Base-L${layer}R-${times}x`,
        about: `Llama Scope, residual stream after block ${layer}, ${times * 4096} latents`,
      },
    ]),
  ),
);

/** Every short name. */
export const HUB_NAMES: Readonly<Record<string, HubName>> = { ...MODELS, ...ADAPTERS, ...SAES };

/** What `name` means on the hub: a short name, or owner/name; with its kind where a short name says it. */
export function hubReference(name: string): { readonly reference: HubReference; readonly kind?: HubKind } | undefined {
  const known = entryOf(HUB_NAMES, name);
  const reference = parseHubReference(known?.repository ?? name);
  return reference && { reference, ...(known ? { kind: known.kind } : {}) };
}

/** The model that a published adapter belongs to. */
export function publishedBase(adapter: string): string | undefined {
  return entryOf(HUB_NAMES, adapter)?.base;
}
