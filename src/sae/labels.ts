/** What latents are said to mean. Several explanations a latent; the first is shown. */
import { InputError } from "../formats/input-error.js";

export interface Label {
  readonly description: string;
  /** How it was made ("oai_token-act-pair", …) and by which model, where the file says so. */
  readonly typeName?: string;
  readonly explanationModelName?: string;
}

export type Labels = ReadonlyMap<number, readonly Label[]>;

/** Explanations of one latent: published exports have up to five; more is a file that repeats itself. */
const MAX_EXPLANATIONS = 1000;

/** Gathers labels from files in their order. */
export class LabelCollector {
  readonly #labels = new Map<number, Label[]>();
  readonly #latents: number | undefined;

  /** `latents`: width of the SAE where there is one; a label beyond it belongs to another SAE. */
  constructor(latents?: number) {
    this.#latents = latents;
  }

  get labels(): Labels {
    return this.#labels;
  }

  /** Adds what `where` says of a latent; the same text is kept once, none at all not. InputError for a latent that the SAE lacks. */
  add(latent: number, label: Label, where: string): void {
    if (this.#latents !== undefined && latent >= this.#latents)
      throw new InputError(
        `${where} labels latent ${latent}, but the SAE has ${this.#latents}; the labels belong to another SAE`,
      );
    const description = label.description.trim();
    if (description === "") return;
    const known = this.#labels.get(latent);
    if (known === undefined) this.#labels.set(latent, [{ ...label, description }]);
    else if (known.length === MAX_EXPLANATIONS)
      throw new InputError(`${where}: more than ${MAX_EXPLANATIONS} labels of latent ${latent}`);
    else if (!known.some((one) => one.description === description)) known.push({ ...label, description });
  }
}

/** A label file's text; latents ascending. `modelId` and `layer` are Neuronpedia's names of the model and the source. */
export function writeLabels(labels: Labels, source: { readonly modelId: string; readonly layer: string }): string {
  return [...labels.keys()]
    .sort((a, b) => a - b)
    .flatMap((id) => labels.get(id)!.map((label) => `${JSON.stringify({ ...source, index: String(id), ...label })}\n`))
    .join("");
}

/** The label to show for a latent: the first there is, else undefined. */
export function firstLabel(labels: Labels, latent: number): string | undefined {
  return labels.get(latent)?.[0]?.description;
}
